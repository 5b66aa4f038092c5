/**
 * A note of each build that this agent has put aside. By its name alone a folder is nobody's: an operator may have made
 * a copy beside it that is called alike.
 */
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Host } from "../../verb.ts";
import { type NoteKind, readNote, writeNote } from "./note.ts";

export const asideNote: NoteKind<{ readonly kept: string }> = {
  format: 1,
  schema: z.object({ kept: z.string() }),
};

function folderOf({ stateDir }: Host): string {
  return join(stateDir, "builds");
}

function noteOf(host: Host, kept: string): string {
  return join(folderOf(host), `${basename(kept)}.json`);
}

/** Before it is put aside: a note of nothing does no harm. */
export async function noteAside(host: Host, kept: string): Promise<void> {
  await writeNote(asideNote, noteOf(host, kept), { kept });
}

/** Its note stays as long as it does. */
export async function removeAside(host: Host, kept: string): Promise<void> {
  await rm(kept, { recursive: true, force: true });
  await rm(noteOf(host, kept), { force: true });
}

/** The folders of which there is a note, whether they are still there or not. */
export async function notedAside(host: Host): Promise<ReadonlySet<string>> {
  const names = await readdir(folderOf(host)).catch(() => []);
  const notes = await Promise.all(names.map((name) => readNote(asideNote, join(folderOf(host), name))));
  return new Set(notes.flatMap((note) => note?.kept ?? []));
}
