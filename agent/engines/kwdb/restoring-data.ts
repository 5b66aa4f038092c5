/**
 * A data folder put back from the archive of a common stop: unpacked beside it and compared with the manifest, file by
 * file; only when it is whole on the disk is the present folder renamed aside and the copy put in its place. That this was
 * done stands in a note of the agent's own: two folders alone tell nothing, one may have been made in between.
 * Nothing is ever deleted: the folder aside is the only copy of what was written since.
 */
import { rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { syncFolder } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Host, type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { rollout } from "../rollout-arg.ts";
import { differenceOfCopy, unpackCommand, whyDamaged } from "./archive-proof.ts";
import { type ArchiveRecord, readRecord, sizeOf } from "./archive-record.ts";
import { whyNoRoomIn } from "./archive-room.ts";
import { label } from "./args.ts";
import { causeOf, isThere } from "./files.ts";
import { isDown, type Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { lastLine } from "./last-line.ts";
import { type NoteKind, readNote, writeNote } from "./note.ts";
import { namedAfter } from "./origin.ts";
import { stepLookMs, usedBytes } from "./space.ts";

const args = z.strictObject({ label, rollout, stage: z.string().max(250) });
type Args = z.infer<typeof args>;

export function restoringDataVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.prove-way-back",
      class: "observe",
      args,
      async run(context, given): Promise<StepResult> {
        const found = await findArchive(context, given, means);
        if (!found.ok) return failedBy(found.failure);
        const why = await whyNoRoom(context.host, found.value);
        const { file, record } = found.value;
        return why === undefined ? done({ file, madeAt: record.madeAt }) : failedBy(why);
      },
    }),
    verb({
      name: "kwdb.restore-data",
      class: "irreversible",
      args,
      run: (context, given) => restore(context, given, means),
      async probe(context): Promise<Probe> {
        const dataRoot = await dataRootOf(context.host, means);
        if (!dataRoot.ok) return { state: "unknown", failure: dataRoot.failure };
        const { isDone, aside } = await standingOf(context, dataRoot.value);
        return isDone ? { state: "done", outputs: toldOf(aside) } : { state: "not-done" };
      },
    }),
  ];
}

interface Found {
  readonly file: string;
  readonly record: ArchiveRecord;
  readonly dataRoot: string;
}

/** Of this rollout and this stop, of the old data, proven and not changed since. */
async function findArchive(
  { host }: StepContext,
  { label: name, rollout: of, stage }: Args,
  means: Means,
): Promise<Outcome<Found>> {
  const { archiveDir } = means.settings;
  if (archiveDir === undefined) return { ok: false, failure: failure("kwdb.archive-not-configured") };
  const dataRoot = await dataRootOf(host, means);
  if (!dataRoot.ok) return dataRoot;
  const file = `${archiveDir}/${namedAfter(name, { rollout: of })}.tar`;
  const [record, bytes] = await Promise.all([readRecord(host, file), sizeOf(host, file)]);
  if (record === undefined || bytes === undefined)
    return { ok: false, failure: failure("kwdb.archive-missing", { file }) };
  const why = whyNotThatStop(record, { rollout: of, stage, dataRoot: dataRoot.value });
  if (why !== undefined) return { ok: false, failure: failure("kwdb.archive-not-of-stop", { file, why }) };
  const damage = await whyDamaged(host, file, { record, bytes });
  return damage === undefined
    ? succeed({ file, record, dataRoot: dataRoot.value })
    : { ok: false, failure: failure("kwdb.archive-differs", { file, cause: damage }) };
}

function whyNotThatStop(
  record: ArchiveRecord,
  wanted: { readonly rollout: string; readonly stage: string; readonly dataRoot: string },
): string | undefined {
  if (record.rollout !== wanted.rollout) return `it is of ${record.rollout}`;
  if (record.stage !== wanted.stage) return `it was made in ${record.stage}, not in ${wanted.stage}`;
  if (record.kind !== "cluster-stop") return "the other nodes went on while it was made";
  if (record.begunBefore === "irreversible") return "it was made after the node had begun to change";
  if (record.proven === null) return "it was never proven";
  return record.dataRoot === wanted.dataRoot
    ? undefined
    : `it is of ${record.dataRoot}, and the data folder is ${wanted.dataRoot}`;
}

/** A volume is the engine's: what is laid beside its data goes with it, unseen. */
async function dataRootOf(host: Host, means: Means): Promise<Outcome<string>> {
  const place = await (await installationOn(host, means)).data();
  if (!place.ok) return place;
  const { root, volume } = place.value;
  return volume === undefined ? succeed(root) : fail("kwdb.data-in-volume", { volume, folder: root });
}

interface Standing {
  readonly beside: string;
  readonly aside: string;
  readonly isAside: boolean;
  /** The copy has its place, by the folders; whether this was made durable, only the note tells. */
  readonly isSwapped: boolean;
  readonly isDone: boolean;
}

const restoredSchema = z.object({ dataRoot: z.string(), aside: z.string(), file: z.string() });
export const restoredNote: NoteKind<z.infer<typeof restoredSchema>> = { format: 1, schema: restoredSchema };

function noteOf(host: Host, rollout: string): string {
  return join(host.stateDir, "restored", `${namedAfter("data", { rollout })}.json`);
}

/** Named after the way back itself: another one's copies are never taken for this one's. */
async function standingOf({ host, rollout: own }: StepContext, dataRoot: string): Promise<Standing> {
  const named = (what: string) => namedAfter(`${dataRoot}.${what}`, { rollout: own });
  const [beside, aside] = [named("restored"), named("before")];
  const there = [aside, dataRoot, beside].map((path) => isThere(host.path(path)));
  const [isAside = false, isPresent = false, isBeside = false] = await Promise.all(there);
  const isSwapped = isAside && isPresent && !isBeside;
  const note = await readNote(restoredNote, noteOf(host, own));
  const isDone = isSwapped && note?.dataRoot === dataRoot && note.aside === aside;
  return { beside, aside, isAside, isSwapped, isDone };
}

async function whyNoRoom(host: Host, { dataRoot, record }: Found): Promise<Failure | undefined> {
  const parent = dirname(dataRoot);
  const [data, above] = await Promise.all([dataRoot, parent].map((path) => stat(host.path(path))));
  // a file system's own root cannot be renamed
  if (data?.dev !== above?.dev) return failure("kwdb.data-folder-is-mount", { folder: dataRoot });
  const { dataBytes: wantedBytes, manifest } = record;
  return whyNoRoomIn(host, parent, { wantedBytes, entries: manifest.entries });
}

async function restore(context: StepContext, given: Args, means: Means): Promise<StepResult> {
  const { host } = context;
  const service = await (await installationOn(host, means)).service();
  if (!service.ok) return failedBy(service.failure);
  if (!isDown(service.value))
    return failed("kwdb.restore-of-running", { mainPid: String(service.value.mainPid) });
  const found = await findArchive(context, given, means);
  if (!found.ok) return failedBy(found.failure);
  const standing = await standingOf(context, found.value.dataRoot);
  if (standing.isDone) return done(toldOf(standing.aside));
  try {
    const why = standing.isAside ? undefined : await unpack(context, found.value, standing);
    return why ?? (await swap(context, found.value, standing));
  } catch (error) {
    return failed("kwdb.data-not-restored", { file: found.value.file, cause: causeOf(error) });
  }
}

async function unpack(
  context: StepContext,
  found: Found,
  { beside }: Standing,
): Promise<StepResult | undefined> {
  const { host, tool } = context;
  const { file, record, dataRoot } = found;
  const left = await usedBytes(host, beside, stepLookMs);
  const room = await whyNoRoomIn(host, dirname(dataRoot), {
    wantedBytes: record.dataBytes,
    entries: record.manifest.entries,
    ownBytes: left.ok ? left.value : 0,
  });
  if (room !== undefined) return failedBy(room);
  const ran = await tool({ argv: ["sh", "-c", unpackCommand, "sh", host.path(file), host.path(beside)] });
  if (ran.exitCode !== 0)
    return failed("kwdb.data-not-restored", { file, cause: lastLine(ran.tail) }, ran.tail);
  // before anything is renamed: a power loss would else leave short files under the database's own name
  const synced = await tool({ argv: ["sync", "-f", host.path(beside)] });
  if (synced.exitCode !== 0)
    return failed("kwdb.data-not-restored", { file, cause: `sync: ${lastLine(synced.tail)}` }, synced.tail);
  const differs = await differenceOfCopy(context, { file, copy: host.path(beside), record });
  return differs === undefined
    ? undefined
    : failed("kwdb.archive-differs", { file, cause: `unpacked, ${differs}` });
}

async function swap(
  { host, rollout: own }: StepContext,
  { file, dataRoot, record }: Found,
  { beside, aside, isAside, isSwapped }: Standing,
): Promise<StepResult> {
  const parent = host.path(dirname(dataRoot));
  if (!isAside) await rename(host.path(dataRoot), host.path(aside));
  await syncFolder(parent);
  if (!isSwapped) await rename(host.path(beside), host.path(dataRoot));
  await syncFolder(parent);
  await writeNote(restoredNote, noteOf(host, own), { dataRoot, aside, file });
  return done({ file, madeAt: record.madeAt, ...toldOf(aside) });
}

/** Told at the rollout's end: somebody has to say when it may go. */
function toldOf(aside: string): Record<string, string> {
  return { aside, "not-seen.data-of-before": `kept in ${aside}; remove it when nobody misses what is in it` };
}
