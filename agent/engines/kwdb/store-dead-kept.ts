/** What `server.time_until_store_dead` was before it was raised, as the agent keeps it on its host. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";
import { isThere } from "./files.ts";
import { readJson } from "./origin.ts";

export const keptFormat = 1;

const keptSchema = z.object({
  format: z.literal(keptFormat),
  rollout: z.string(),
  /** null: it was never set, and has its default. */
  was: z.string().nullable(),
  raisedTo: z.string(),
});
export type KeptStoreDead = z.infer<typeof keptSchema>;

const formatSchema = z.object({ format: z.number().int() });
const fileName = "store-dead.json";

function placeOf({ stateDir }: Host): string {
  return join(stateDir, fileName);
}

/** What was kept when it was raised; null where nothing was. Refused: `kwdb.store-dead-kept-unreadable`. */
export async function readKept(host: Host): Promise<Outcome<KeptStoreDead | null>> {
  const file = placeOf(host);
  if (!(await isThere(file))) return succeed(null);
  return parseKept(await readJson(file));
}

/** By its number first. */
export function parseKept(kept: unknown): Outcome<KeptStoreDead> {
  const { data } = keptSchema.safeParse(kept);
  if (data !== undefined) return succeed(data);
  const { format } = formatSchema.safeParse(kept).data ?? {};
  return fail("kwdb.store-dead-kept-unreadable", {
    file: fileName,
    format: String(format ?? "none"),
    known: String(keptFormat),
  });
}

export async function writeKept(host: Host, kept: KeptStoreDead): Promise<void> {
  await makeFolderDurably(host.stateDir);
  await writeFileDurably(placeOf(host), `${JSON.stringify(kept)}\n`);
}

export async function forgetKept(host: Host): Promise<void> {
  await rm(placeOf(host), { force: true });
}
