/** What a side holds, as it is kept and sent: counts, hashes and sequences by database. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import type { StepContext } from "../../verb.ts";
import { must, stop } from "./desk.ts";

const measured = z.object({
  format: z.literal(1),
  databases: z.record(
    z.string(),
    z.object({
      counts: z.record(z.string(), z.string()),
      /** Of those that the time allowed for: what came late first, then smallest first. */
      hashes: z.record(z.string(), z.string()),
      sequences: z.array(z.object({ name: z.string(), last: z.string(), isCalled: z.string() })),
    }),
  ),
});
export type Measured = z.infer<typeof measured>;
export type Content = Measured["databases"][string];

function fileOf(context: StepContext): string {
  return join(markFolder(context), "measured.json");
}

/** Durably, in a file of the rollout's own; its path. */
export async function keep(context: StepContext, databases: Measured["databases"]): Promise<string> {
  const file = fileOf(context);
  await makeFolderDurably(markFolder(context));
  await writeFileDurably(file, JSON.stringify({ format: 1, databases } satisfies Measured));
  return file;
}

/** What this very agent has kept. */
export async function keptContents(context: StepContext): Promise<Measured> {
  const text = await readFile(fileOf(context), "utf8").catch(() =>
    stop("postgresql.parcel-missing", { what: "measured" }),
  );
  return measured.parse(JSON.parse(text));
}

/** What the other side has sent. */
export async function otherSide(context: StepContext): Promise<Measured> {
  const sent = must(await context.parcels.find("measured"));
  if (sent === undefined) return stop("postgresql.parcel-missing", { what: "measured" });
  return measured.parse(JSON.parse(await readFile(must(await context.parcels.fetch(sent.digest)), "utf8")));
}

export function contentOf({ databases: all }: Measured, database: string): Content {
  return all[database] ?? stop("postgresql.parcel-missing", { what: `measured of ${database}` });
}
