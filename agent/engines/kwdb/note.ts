/**
 * Small notes that the agent keeps of its own deeds on a host, each with the number of its format. One that cannot be
 * read, or that a newer agent has written, is nobody's: what it tells of is then left as it is, or made anew.
 */
import { dirname } from "node:path";
import type { z } from "zod";
import { unknownFormat } from "#proto/common/format.ts";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import { readJson } from "./origin.ts";

export interface NoteKind<T> {
  /** The number that is written. */
  readonly format: number;
  readonly schema: z.ZodType<T>;
}

export function noteText<T>({ format }: NoteKind<T>, note: T): string {
  return `${JSON.stringify({ format, ...note })}\n`;
}

export function parseNote<T>({ format, schema }: NoteKind<T>, kept: unknown): T | undefined {
  return unknownFormat(kept, format) === undefined ? schema.safeParse(kept).data : undefined;
}

export async function readNote<T>(kind: NoteKind<T>, file: string): Promise<T | undefined> {
  return parseNote(kind, await readJson(file));
}

export async function writeNote<T>(kind: NoteKind<T>, file: string, note: T): Promise<void> {
  await makeFolderDurably(dirname(file));
  await writeFileDurably(file, noteText(kind, note));
}
