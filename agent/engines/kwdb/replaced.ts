/**
 * The container that compose is about to replace, as the engine had it: where compose was ended between removing it and
 * making the next, it alone tells where the data is and which ports are the database's.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";
import { type Inspected, inspectedSchema } from "./docker.ts";

function fileOf(host: Host): string {
  return join(host.stateDir, "containers", "replaced.json");
}

export async function rememberReplaced(host: Host, container: Inspected): Promise<void> {
  await makeFolderDurably(join(host.stateDir, "containers"));
  await writeFileDurably(fileOf(host), JSON.stringify(container));
}

/** undefined: none was replaced here. */
export async function readReplaced(host: Host): Promise<Inspected | undefined> {
  const text = await readFile(fileOf(host), "utf8").catch(() => "");
  try {
    return inspectedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
