/**
 * What stands beside an archive of a data folder, and how the three files are named:
 *
 * | file                  | what                                           |
 * |-----------------------|------------------------------------------------|
 * | `NAME.tar`            | the data folder                                |
 * | `NAME.tar.json`       | this record: whose it is, from when, of what   |
 * | `NAME.tar.manifest`   | a line a file of it, see archive-manifest.ts   |
 *
 * NAME is `<node>-<from>-to-<to>-<rollout>`. An archive without a record that can be read is nobody's.
 */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { type KwdbArchive, kwdbArchiveKindSchema } from "#proto/engines/kwdb.ts";
import { writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";
import { causeOf } from "./files.ts";
import { originSchema, readJson } from "./origin.ts";

export const recordFormat = 1;

/** Said in the record itself: who finds the archive on a disk may know nothing of us. */
const labels = {
  "cluster-stop": "part of a cluster's backup: all its nodes were stopped at once",
  "node-image": "not a cluster backup: the image of one node, while the others went on",
} as const;

const formatSchema = z.object({ format: z.number().int() });
const recordSchema = originSchema.extend({
  format: z.literal(recordFormat),
  cluster: z.string(),
  node: z.string(),
  /** Versions of the upgrade that it was made for: the data is of `from`. */
  from: z.string(),
  to: z.string(),
  /** ISO 8601, the host's clock. */
  madeAt: z.string(),
  /** Of the tar. */
  bytes: z.number(),
  /** What the data folder takes on its disk, so as much room as unpacking needs. */
  dataBytes: z.number(),
  dataRoot: z.string(),
  kind: kwdbArchiveKindSchema,
  label: z.string(),
  manifest: z.object({ sha256: z.string(), entries: z.number(), attributes: z.boolean() }),
  /** When it was unpacked and compared, and by which try; null: not yet. */
  proven: z.object({ at: z.string(), attempt: z.number() }).nullable(),
});
export type ArchiveRecord = z.infer<typeof recordSchema>;

export const recordOf = (file: string) => `${file}.json`;
export const manifestOf = (file: string) => `${file}.manifest`;
/** Where it is unpacked to be compared; never there for longer. */
export const spareOf = (file: string) => `${file}.unpacked`;

/** Undefined where there is none that this agent can read: the archive is then nobody's. */
export async function readRecord(host: Host, file: string): Promise<ArchiveRecord | undefined> {
  const read = parseRecord(await readJson(host.path(recordOf(file))));
  return read.ok ? read.value : undefined;
}

/** By its number first. Refused: `kwdb.archive-record-format`, `kwdb.archive-record-unreadable`. */
export function parseRecord(kept: unknown): Outcome<ArchiveRecord> {
  const { format } = formatSchema.safeParse(kept).data ?? {};
  if (format !== recordFormat)
    return fail("kwdb.archive-record-format", {
      format: String(format ?? "none"),
      known: String(recordFormat),
    });
  const { data } = recordSchema.safeParse(kept);
  return data === undefined ? fail("kwdb.archive-record-unreadable", {}) : succeed(data);
}

/** A record as it is written when an archive is made: proven by nobody yet. */
export function newRecord(
  of: Omit<ArchiveRecord, "format" | "label" | "madeAt" | "proven">,
  atMs: number,
): ArchiveRecord {
  const { cluster, node, rollout, stage, attempt, begunBefore, from, to, kind } = of;
  const { dataRoot, bytes, dataBytes, manifest } = of;
  return {
    format: recordFormat,
    label: labels[kind],
    ...{ cluster, node, rollout, stage, attempt, begunBefore, from, to },
    madeAt: new Date(atMs).toISOString(),
    ...{ kind, dataRoot, bytes, dataBytes, manifest },
    proven: null,
  };
}

export function writeRecord(host: Host, file: string, record: ArchiveRecord): Promise<void> {
  return writeFileDurably(host.path(recordOf(file)), `${JSON.stringify(record, null, 2)}\n`);
}

/** An archive goes aside with what tells whose it is. */
export async function setAside(host: Host, file: string): Promise<void> {
  const aside = `${file}.before`;
  for (const beside of [recordOf, manifestOf]) {
    await rm(host.path(beside(aside)), { force: true });
    await rename(host.path(beside(file)), host.path(beside(aside))).catch(() => undefined);
  }
  await rename(host.path(file), host.path(aside));
}

/** The tar first: what is left by a crash can still be told whose it was. */
export async function removeArchive(host: Host, file: string): Promise<void> {
  for (const each of [file, manifestOf(file), recordOf(file)]) await rm(host.path(each), { force: true });
}

export interface FoundArchive {
  /** As a path of the host. */
  readonly path: string;
  readonly bytes: number;
  /** Undefined: it does not say whose it is. */
  readonly record: ArchiveRecord | undefined;
}

/** Refused: `file.unreadable`. */
export async function archivesIn(host: Host, folder: string): Promise<Outcome<readonly FoundArchive[]>> {
  try {
    const names = (await readdir(host.path(folder))).filter((name) => /\.tar(\.before)?$/.test(name));
    const found = await Promise.all(
      names.sort().map(async (name) => {
        const path = `${folder}/${name}`;
        const size = await sizeOf(host, path);
        return size === undefined ? [] : [{ path, bytes: size, record: await readRecord(host, path) }];
      }),
    );
    return succeed(found.flat());
  } catch (error) {
    return fail("file.unreadable", { path: folder, cause: causeOf(error) });
  }
}

export function toldOf({ path, bytes, record }: FoundArchive): KwdbArchive {
  if (record === undefined) return { path, bytes, about: null };
  const { cluster, node, rollout, from, madeAt, kind, proven } = record;
  return {
    path,
    bytes,
    about: { cluster, node, rollout, version: from, madeAt, kind, isProven: proven !== null },
  };
}

export function sizeOf(host: Host, hostPath: string): Promise<number | undefined> {
  return stat(host.path(hostPath)).then(
    ({ size }) => size,
    () => undefined,
  );
}
