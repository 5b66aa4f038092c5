/**
 * An archive is proven by what it was made for: it is unpacked beside itself, every file of the copy compared with
 * the manifest, and the manifest with the data folder. The copy is gone afterwards, however this ends.
 */
import { readdir, rename, rm } from "node:fs/promises";
import { done, failed, failedBy } from "../../outcome.ts";
import type { Host, StepContext, StepResult } from "../../verb.ts";
import { differenceOf, readManifest } from "./archive-manifest.ts";
import {
  type ArchiveRecord,
  manifestOf,
  readRecord,
  sizeOf,
  spareOf,
  writeRecord,
} from "./archive-record.ts";
import { whyNoRoomIn } from "./archive-room.ts";
import { attributesOf } from "./attributes.ts";
import { causeOf, isThere, sha256Of } from "./files.ts";
import { isOriginal, notOriginal } from "./origin.ts";
import { stepLookMs, usedBytes } from "./space.ts";
import { type Entry, entriesOf } from "./tree.ts";

export interface Proving {
  readonly node: string;
  readonly folder: string;
  readonly file: string;
  readonly dataRoot: string;
}

export async function proveArchive(context: StepContext, proving: Proving): Promise<StepResult> {
  const { host, attempt, begunBefore } = context;
  const { file, folder, node } = proving;
  const record = await readRecord(host, file);
  const bytes = await sizeOf(host, file);
  if (record === undefined || bytes === undefined || !isOriginal(record, context))
    return failed("kwdb.archive-missing", { file });
  const outputs = { file, bytes: String(bytes), label: record.label, ...notOriginal(record, "old-data") };
  const isProven =
    record.proven !== null && (record.proven.attempt === attempt || begunBefore === "irreversible");
  if (isProven) {
    await sweepSpares(host, folder, node);
    return done({ ...outputs, found: "proven before" });
  }
  const why = await whyDamaged(host, file, { record, bytes });
  if (why !== undefined) return differs(file, why);
  const room = await whyNoRoomIn(host, folder, {
    wantedBytes: record.dataBytes,
    entries: record.manifest.entries,
    ownBytes: await copiedBytes(host, file),
  });
  if (room !== undefined) return failedBy(room);
  try {
    const result = await compareUnpacked(context, proving, record);
    if (result !== undefined) return result;
  } finally {
    await removeSpare(host, spareOf(file));
  }
  const at = new Date(host.clock.now()).toISOString();
  await writeRecord(host, file, { ...record, proven: { at, attempt } });
  return done(outputs);
}

export async function whyDamaged(
  host: Host,
  file: string,
  { record, bytes }: { readonly record: ArchiveRecord; readonly bytes: number },
): Promise<string | undefined> {
  if (bytes !== record.bytes) return `it has ${bytes} bytes, and had ${record.bytes} when it was made`;
  const sum = await sha256Of(host.path(manifestOf(file))).catch(causeOf);
  return sum === record.manifest.sha256
    ? undefined
    : `its manifest is not the one that was made with it: ${sum}`;
}

function differs(file: string, cause: string, tail?: string): StepResult {
  return failed("kwdb.archive-differs", { file, cause }, tail);
}

async function copiedBytes(host: Host, file: string): Promise<number> {
  const spare = spareOf(file);
  if (!(await isThere(host.path(spare)))) return 0;
  const used = await usedBytes(host, spare, stepLookMs);
  return used.ok ? used.value : 0;
}

/** What an earlier try has left goes with the same tool that unpacks: it runs once, however often this is called. */
export const unpackCommand =
  'rm -rf -- "$2" && mkdir -m 700 -- "$2" && exec tar -x --same-permissions --same-owner --numeric-owner --xattrs "--xattrs-include=*" --acls -f "$1" -C "$2"';
const lives = 8;

/** Undefined where all is as it should be. */
async function compareUnpacked(
  context: StepContext,
  { file, dataRoot }: Proving,
  record: ArchiveRecord,
): Promise<StepResult | undefined> {
  const { host, tool } = context;
  const spare = host.path(spareOf(file));
  for (let life = 0; ; life += 1) {
    const ran = await tool({ argv: ["sh", "-c", unpackCommand, "sh", host.path(file), spare] });
    const said = ran.tail.trim().split("\n").at(-1) ?? "";
    if (ran.exitCode !== 0) return differs(file, `it cannot be unpacked: ${said}`, ran.tail);
    // an earlier life of this agent has compared it, removed it, and not come to say so
    if (await isThere(spare)) break;
    if (life === lives) return differs(file, "its unpacked copy is gone");
  }
  const ofCopy = await differenceOfCopy(context, { file, copy: spare, record });
  if (ofCopy !== undefined) return differs(file, `unpacked, ${ofCopy}`);
  // once the upgrade has begun, the data folder differs on purpose
  if (context.begunBefore === "irreversible") return undefined;
  const walk = { hashes: false, signal: context.signal };
  const manifest = readManifest(host.path(manifestOf(file)));
  const ofData = await differenceOf(manifest, entriesOf(host.path(dataRoot), walk), dataFields);
  return ofData === undefined ? undefined : differs(file, `in the data folder, ${ofData}`);
}

/** The first difference between what was archived and what was unpacked. `copy` is a path of our own file system. */
export async function differenceOfCopy(
  context: StepContext,
  { file, copy, record }: { readonly file: string; readonly copy: string; readonly record: ArchiveRecord },
): Promise<string | undefined> {
  const manifest = readManifest(context.host.path(manifestOf(file)));
  return differenceOf(manifest, await copied(context, copy, record), copyFields);
}

const copyFields: readonly (keyof Entry)[] = [
  "type",
  "mode",
  "uid",
  "gid",
  "size",
  "sha256",
  "target",
  "attributes",
];
/** A file of the same size and time was not written to since. */
const dataFields: readonly (keyof Entry)[] = ["type", "mode", "uid", "gid", "size", "mtimeNs", "target"];

async function copied(
  { host, signal, progress }: StepContext,
  spare: string,
  { manifest }: ArchiveRecord,
): Promise<AsyncIterable<Entry>> {
  const attributes = manifest.attributes ? await attributesOf(host, spare, `${spare}.attributes`) : undefined;
  let comparedBytes = 0;
  const read = (bytes: number) => {
    comparedBytes += bytes;
    progress({ comparedBytes: String(comparedBytes) });
  };
  return entriesOf(spare, { hashes: true, attributes, signal, read });
}

/** Renamed first: a copy under its own name is a whole one. */
async function removeSpare(host: Host, spare: string): Promise<void> {
  const path = host.path(spare);
  const gone = `${path}.gone`;
  await rm(gone, { recursive: true, force: true });
  await rename(path, gone).catch(() => undefined);
  await rm(gone, { recursive: true, force: true });
}

/** Copies of this node's archives that a crash has left. Those of others in the same folder are not ours to touch. */
export async function sweepSpares(host: Host, folder: string, node: string): Promise<void> {
  const names = await readdir(host.path(folder)).catch(() => []);
  for (const name of names) {
    const spare = /^(.+)\.unpacked(\.gone)?$/.exec(name)?.[1];
    if (spare === undefined) continue;
    const record = await readRecord(host, `${folder}/${spare}`);
    if (record?.node === node) await rm(host.path(`${folder}/${name}`), { recursive: true, force: true });
  }
}
