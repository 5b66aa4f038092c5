/**
 * What must be taken out of a 2.x `meta.sql` before 3.1 or later reads it: `PARTITION INTERVAL`, which is gone there. Texts
 * in quotes and comments of the statements are left alone.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileDurably } from "../../../host/file-runner.ts";
import { filesBelow } from "./manifest.ts";

const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\s*\bPARTITION\s+INTERVAL\s+\d+\s*[A-Za-z]+/gi;

/** The text without them, and what was taken out. */
export function withoutIntervals(text: string): {
  readonly text: string;
  readonly removed: readonly string[];
} {
  const removed: string[] = [];
  const left = text.replace(tokens, (token) => {
    if (!/^\s*PARTITION/i.test(token)) return token;
    removed.push(token.trim().replace(/\s+/g, " "));
    return "";
  });
  return { text: left, removed };
}

/** Every `.sql` below the folder; each edit is told by file. Done twice it changes nothing more. */
export async function rewriteFolder(folder: string): Promise<Readonly<Record<string, string>>> {
  const edits: Record<string, string> = {};
  for (const path of await filesBelow(folder)) {
    if (!path.endsWith(".sql")) continue;
    const file = join(folder, path);
    const { text, removed } = withoutIntervals(await readFile(file, "utf8"));
    if (removed.length === 0) continue;
    const { uid, gid, mode } = await stat(file);
    await writeFileDurably(file, text, mode & 0o777, { uid, gid });
    edits[path] = removed.join(", ");
  }
  return edits;
}
