/**
 * The container that compose is about to replace, as the engine had it: where compose was ended between removing it and
 * making the next, it alone tells where the data is and which ports are the database's.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../../verb.ts";
import { type Inspected, inspectedSchema } from "./docker.ts";
import { type NoteKind, readNote, writeNote } from "./note.ts";

export const replacedNote: NoteKind<Inspected> = { format: 1, schema: inspectedSchema };

function fileOf(host: Host): string {
  return join(host.stateDir, "containers", "replaced.json");
}

export async function rememberReplaced(host: Host, container: Inspected): Promise<void> {
  await writeNote(replacedNote, fileOf(host), container);
}

/** undefined: none was replaced here. */
export async function readReplaced(host: Host): Promise<Inspected | undefined> {
  return readNote(replacedNote, fileOf(host));
}

/** When the next one is proven: the one that was replaced tells nothing any more. */
export async function forgetReplaced(host: Host): Promise<void> {
  await rm(fileOf(host), { force: true });
}
