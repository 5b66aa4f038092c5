/**
 * What a data folder holds, a line a file: JSON lines, in the order of a walk by name. The first line is
 * `{"format":1,"attributes":true}`, the last `{"entries":N}`: a manifest that was cut short is none.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { syncFolder } from "../../host/file-runner.ts";
import { type Entry, entrySchema } from "./tree.ts";

export const manifestFormat = 1;
const headSchema = z.object({ format: z.literal(manifestFormat), attributes: z.boolean() });
const footSchema = z.strictObject({ entries: z.number() });

/** Writes it durably, for no other eyes; the number of its entries. */
export async function writeManifest(
  path: string,
  entries: AsyncIterable<Entry>,
  attributes: boolean,
): Promise<number> {
  const file = await open(path, "w", 0o600);
  try {
    let lines = [JSON.stringify({ format: manifestFormat, attributes })];
    let count = 0;
    for await (const entry of entries) {
      count += 1;
      if (lines.push(JSON.stringify(entry)) < linesAtOnce) continue;
      await file.write(`${lines.join("\n")}\n`);
      lines = [];
    }
    await file.write(`${[...lines, JSON.stringify({ entries: count })].join("\n")}\n`);
    await file.sync();
    await syncFolder(dirname(path));
    return count;
  } finally {
    await file.close();
  }
}

const linesAtOnce = 500;

/** Its entries, in order. Throws where it is no manifest, or not a whole one. */
export async function* readManifest(path: string): AsyncGenerator<Entry> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  let at = 0;
  let entries: number | undefined;
  for await (const line of lines) {
    const value: unknown = JSON.parse(line);
    if (at === 0) headSchema.parse(value);
    else if (entries !== undefined) throw new Error("the manifest goes on after its end");
    else if (footSchema.safeParse(value).success) entries = footSchema.parse(value).entries;
    else yield entrySchema.parse(value);
    at += 1;
  }
  if (entries !== at - 2) throw new Error("the manifest was cut short");
}

/** The first difference in words, undefined where there is none. Both in the order of a walk. */
export async function differenceOf(
  wanted: AsyncIterable<Entry>,
  found: AsyncIterable<Entry>,
  fields: readonly (keyof Entry)[],
): Promise<string | undefined> {
  const [left, right] = [wanted[Symbol.asyncIterator](), found[Symbol.asyncIterator]()];
  try {
    for (;;) {
      const [one, other] = [await left.next(), await right.next()];
      if (one.done === true && other.done === true) return undefined;
      if (one.done === true) return `${other.value.path}: it is too many`;
      if (other.done === true || one.value.path !== other.value.path)
        return `${one.value.path}: it is not there, or another is in its place`;
      const field = fields.find((name) => textOf(one.value[name]) !== textOf(other.value[name]));
      if (field !== undefined)
        return `${one.value.path}: ${field} ${textOf(other.value[field])}, wanted ${textOf(one.value[field])}`;
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}

function textOf(value: Entry[keyof Entry]): string {
  return value === undefined ? "none" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
