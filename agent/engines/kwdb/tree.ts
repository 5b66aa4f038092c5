/**
 * A folder's content as entries, in one order for equal trees: each folder before what is in it, names by their code
 * units. On one file system, as tar is told to stay; sockets are left out, as tar leaves them.
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Attributes } from "./attributes.ts";
import { sha256Of } from "./files.ts";

export const entrySchema = z.strictObject({
  /** From the folder; `.` is the folder itself. */
  path: z.string(),
  type: z.enum(["file", "folder", "link", "fifo", "device"]),
  /** Four octal digits. */
  mode: z.string(),
  uid: z.number(),
  gid: z.number(),
  mtimeNs: z.string(),
  size: z.number().optional(),
  sha256: z.string().optional(),
  target: z.string().optional(),
  /** Extended attributes by name, in hexadecimal. */
  attributes: z.record(z.string(), z.string()).optional(),
});
export type Entry = z.infer<typeof entrySchema>;

export interface Walk {
  /** Each file is read, too. */
  readonly hashes: boolean;
  readonly attributes?: Attributes | undefined;
  /** Ends the walk with an error. */
  readonly signal: AbortSignal;
  /** Bytes that were read. */
  readonly read?: (bytes: number) => void;
}

export async function* entriesOf(folder: string, walk: Walk): AsyncGenerator<Entry> {
  const root = await lstat(folder, { bigint: true });
  yield* below(folder, ".", { ...walk, device: root.dev });
}

async function* below(
  folder: string,
  path: string,
  walk: Walk & { readonly device: bigint },
): AsyncGenerator<Entry> {
  walk.signal.throwIfAborted();
  const at = join(folder, path);
  const stats = await lstat(at, { bigint: true });
  if (stats.isSocket()) return;
  yield await entryOf(at, path, { ...walk, stats });
  if (!stats.isDirectory() || stats.dev !== walk.device) return;
  const names = (await readdir(at, { encoding: "buffer" })).map(nameOf);
  for (const name of names.sort((left, right) => (left < right ? -1 : 1)))
    yield* below(folder, path === "." ? name : `${path}/${name}`, walk);
}

/** A name that is no text could not be told apart from another. */
function nameOf(bytes: Buffer): string {
  const name = bytes.toString("utf8");
  if (!Buffer.from(name, "utf8").equals(bytes)) throw new Error(`${name}: its name is not UTF-8`);
  return name;
}

async function entryOf(
  at: string,
  path: string,
  { stats, hashes, attributes, read, signal }: Walk & { readonly stats: BigIntStats },
): Promise<Entry> {
  const own = attributes?.get(path);
  const base = {
    path,
    mode: (Number(stats.mode) & 0o7777).toString(8).padStart(4, "0"),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: String(stats.mtimeNs),
    ...(own === undefined ? {} : { attributes: own }),
  };
  if (stats.isSymbolicLink()) return { ...base, type: "link", target: await readlink(at) };
  if (stats.isDirectory()) return { ...base, type: "folder" };
  if (stats.isFIFO()) return { ...base, type: "fifo" };
  if (!stats.isFile()) return { ...base, type: "device" };
  const size = Number(stats.size);
  if (!hashes) return { ...base, type: "file", size };
  const sha256 = await sha256Of(at, signal);
  read?.(size);
  return { ...base, type: "file", size, sha256 };
}
