/**
 * The data folder of a stopped node as one archive with a manifest, into the folder that the agent's own file names.
 * Only where the cluster's entry asks for it: the node is down meanwhile.
 */
import { open, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import { kwdbArchiveKindSchema } from "#proto/engines/kwdb.ts";
import { syncFolder } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { writeManifest } from "./archive-manifest.ts";
import { proveArchive, sweepSpares } from "./archive-proof.ts";
import {
  type ArchiveRecord,
  manifestOf,
  newRecord,
  readRecord,
  recordOf,
  setAside,
  sizeOf,
  writeRecord,
} from "./archive-record.ts";
import { whyNoRoomIn } from "./archive-room.ts";
import { label, name, version } from "./args.ts";
import { attributesOf, hasGetfattr } from "./attributes.ts";
import { causeOf, sha256Of } from "./files.ts";
import { isDown, type Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { isOriginal, namedAfter, notOriginal } from "./origin.ts";
import { stepLookMs, usedBytes } from "./space.ts";
import { entriesOf } from "./tree.ts";

const args = z.strictObject({
  label,
  cluster: name,
  node: name,
  from: version,
  to: version,
  kind: kwdbArchiveKindSchema,
});
type Args = z.infer<typeof args>;

export function archiveVerbs(means: Means): readonly Verb[] {
  return [
    ofStopped(means, "kwdb.archive-data", archive),
    ofStopped(means, "kwdb.prove-archive", (context, { given, folder, file, dataRoot }) =>
      proveArchive(context, { node: given.node, folder, file, dataRoot }),
    ),
  ];
}

interface Place {
  readonly given: Args;
  readonly folder: string;
  readonly file: string;
  /** What is archived, as a path of the host. */
  readonly dataRoot: string;
}

function ofStopped(
  means: Means,
  verbName: "kwdb.archive-data" | "kwdb.prove-archive",
  deed: (context: StepContext, place: Place) => Promise<StepResult>,
): Verb {
  return verb({
    name: verbName,
    class: "observe",
    args,
    async run(context, given): Promise<StepResult> {
      const { archiveDir } = means.settings;
      if (archiveDir === undefined) return failed("kwdb.archive-not-configured");
      const here = await installationOn(context.host, means);
      const [state, mode] = [await here.service(), await here.mode()];
      if (!state.ok) return failedBy(state.failure);
      if (!mode.ok) return failedBy(mode.failure);
      if (!isDown(state.value))
        return failed("kwdb.archive-of-running", { mainPid: String(state.value.mainPid) });
      const { dataRoot } = mode.value;
      const file = `${archiveDir}/${namedAfter(given.label, context)}.tar`;
      try {
        return await deed(context, { given, folder: archiveDir, file, dataRoot });
      } catch (error) {
        return failed("kwdb.archive-failed", { cause: causeOf(error), exitCode: "" });
      }
    },
  });
}

/** What of a file is kept beside its content; holes in it stay holes. */
const kept = ["--numeric-owner", "--xattrs", "--acls", "--sparse"] as const;

async function archive(context: StepContext, place: Place): Promise<StepResult> {
  const { host, tool } = context;
  const { file, folder, dataRoot, given } = place;
  const before = await readRecord(host, file);
  if (before !== undefined && isOriginal(before, context) && (await sizeOf(host, file)) === before.bytes)
    return done({ ...toldOf(file, before), found: "archived before" });
  await sweepSpares(host, folder, given.node);
  const part = `${file}.part`;
  const room = await roomFor(host, { folder, part, dataRoot });
  if (!room.ok) return failedBy(room.failure);
  // made by us first: it is nobody else's to read. Not removed: a tar that an earlier life began may be writing it
  await (await open(host.path(part), "a", 0o600)).close();
  const ran = await tool({
    argv: ["tar", "--one-file-system", ...kept, "-cf", host.path(part), "-C", host.path(dataRoot), "."],
  });
  // 1 is tar's word for a file that changed while it was read: no archive of a stopped node
  if (ran.exitCode !== 0) {
    const cause = ran.tail.trim().split("\n").at(-1) ?? "";
    return failed("kwdb.archive-failed", { cause, exitCode: String(ran.exitCode ?? "none") }, ran.tail);
  }
  const manifest = await describe(context, { part, dataRoot });
  const { rollout, stage, attempt, begunBefore } = context;
  const { cluster, node, from, to, kind } = given;
  const of = { cluster, node, from, to, kind, rollout, stage, attempt, begunBefore, dataRoot, manifest };
  const bytes = await bytesOf(host, part);
  const record = newRecord({ ...of, bytes, dataBytes: room.value }, host.clock.now());
  await settle(host, { part, file, record });
  return done(toldOf(file, record));
}

function toldOf(file: string, record: ArchiveRecord): Record<string, string> {
  const { bytes, label: says, manifest, begunBefore } = record;
  return {
    file,
    bytes: String(bytes),
    label: says,
    entries: String(manifest.entries),
    ...(manifest.attributes ? {} : { attributes: "kept, not compared: getfattr is not installed here" }),
    ...notOriginal({ begunBefore }, "old-data"),
  };
}

/** For the archive, and for its unpacked copy. The bytes that the data takes on its disk. */
async function roomFor(
  host: Host,
  { folder, part, dataRoot }: { readonly folder: string; readonly part: string; readonly dataRoot: string },
): Promise<Outcome<number>> {
  const data = await usedBytes(host, dataRoot, stepLookMs);
  if (!data.ok) return data;
  const why = await whyNoRoomIn(host, folder, {
    wantedBytes: 2 * data.value,
    ownBytes: (await sizeOf(host, part)) ?? 0,
  });
  return why === undefined ? succeed(data.value) : { ok: false, failure: why };
}

/** Every file of the data folder, read once more: what tar has written is compared with this. */
async function describe(
  { host, signal, progress }: StepContext,
  { part, dataRoot }: { readonly part: string; readonly dataRoot: string },
): Promise<ArchiveRecord["manifest"]> {
  const path = host.path(manifestOf(part));
  const folder = host.path(dataRoot);
  const attributes = (await hasGetfattr(host))
    ? await attributesOf(host, folder, `${path}.attributes`)
    : undefined;
  let readBytes = 0;
  const read = (bytes: number) => {
    readBytes += bytes;
    progress({ manifestBytes: String(readBytes) });
  };
  const all = entriesOf(folder, { hashes: true, attributes, signal, read });
  const entries = await writeManifest(path, all, attributes !== undefined);
  return { sha256: await sha256Of(path), entries, attributes: attributes !== undefined };
}

/** In this order: an archive has a record beside it only if that is its own. */
async function settle(
  host: Host,
  { part, file, record }: { readonly part: string; readonly file: string; readonly record: ArchiveRecord },
): Promise<void> {
  await sync(host.path(part));
  if ((await sizeOf(host, file)) !== undefined) await setAside(host, file);
  await rm(host.path(recordOf(file)), { force: true });
  await rename(host.path(manifestOf(part)), host.path(manifestOf(file)));
  await writeRecord(host, file, record);
  await rename(host.path(part), host.path(file));
  await syncFolder(host.path(file.slice(0, file.lastIndexOf("/")) || "/"));
}

async function bytesOf(host: Host, file: string): Promise<number> {
  return (await sizeOf(host, file)) ?? 0;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
