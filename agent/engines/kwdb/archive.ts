/**
 * The data folder of a stopped node as one archive, into the folder that the agent's own file names. Only where the
 * cluster's entry asks for it: the node is down meanwhile.
 */
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { writeFileDurably } from "../../host/file-runner.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { label } from "./args.ts";
import { causeOf } from "./files.ts";
import type { Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { keptOriginal, namedAfter, notOriginal, originText } from "./origin.ts";
import { done, failed, failedBy } from "./outcome.ts";
import { freeBytes, usedBytes } from "./space.ts";

export function archiveVerbs(means: Means): readonly Verb[] {
  return [ofStopped(means, "kwdb.archive-data", archive), ofStopped(means, "kwdb.prove-archive", compare)];
}

interface Place {
  readonly folder: string;
  readonly file: string;
  /** What is archived, as a path of the host. */
  readonly dataRoot: string;
}

function ofStopped(
  means: Means,
  name: "kwdb.archive-data" | "kwdb.prove-archive",
  deed: (context: StepContext, place: Place) => Promise<StepResult>,
): Verb {
  return verb({
    name,
    class: "observe",
    args: z.strictObject({ label }),
    async run(context, args): Promise<StepResult> {
      const { archiveDir } = means.settings;
      if (archiveDir === undefined) return failed("kwdb.archive-not-configured");
      const here = await installationOn(context.host, means);
      const [state, mode] = [await here.service(), await here.mode()];
      if (!state.ok) return failedBy(state.failure);
      if (!mode.ok) return failedBy(mode.failure);
      const { mainPid } = state.value;
      const { dataRoot } = mode.value;
      if (mainPid !== 0) return failed("kwdb.archive-of-running", { mainPid: String(mainPid) });
      try {
        const file = `${archiveDir}/${namedAfter(args.label, context)}.tar`;
        return await deed(context, { folder: archiveDir, file, dataRoot });
      } catch (error) {
        return failed("kwdb.archive-failed", { cause: causeOf(error), exitCode: "" });
      }
    },
  });
}

/**
 * Every file in the archive against the one on disk: content, size, owner, mode, time. An original that was kept from
 * before the upgrade began was compared then, and differs now on purpose.
 */
async function compare(context: StepContext, { file, dataRoot }: Place): Promise<StepResult> {
  const { host, tool, begunBefore } = context;
  const size = await sizeOf(host, file);
  const origin = await keptOriginal(host.path(originOf(file)), context);
  if (size === undefined || origin === undefined) return failed("kwdb.archive-missing", { file });
  if (begunBefore === "irreversible")
    return done({ file, found: "proven before", ...notOriginal(origin, "old-data") });
  const ran = await tool({
    argv: ["tar", "--compare", ...kept, "-f", host.path(file), "-C", host.path(dataRoot)],
  });
  if (ran.exitCode === 0) return done({ file, bytes: String(size) });
  const cause = ran.tail.trim().split("\n").at(-1) ?? "";
  return failed("kwdb.archive-differs", { file, cause }, ran.tail);
}

/** What of a file is kept beside its content; holes in it stay holes. */
const kept = ["--numeric-owner", "--xattrs", "--acls", "--sparse"] as const;

async function archive(context: StepContext, { folder, file, dataRoot }: Place): Promise<StepResult> {
  const { host, tool } = context;
  const before = await sizeOf(host, file);
  const origin = before === undefined ? undefined : await keptOriginal(host.path(originOf(file)), context);
  if (origin !== undefined)
    return done({
      file,
      bytes: String(before),
      found: "archived before",
      ...notOriginal(origin, "old-data"),
    });
  const part = `${file}.part`;
  const room = await whyNoRoom(host, { folder, part, dataRoot });
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
  await settle(context, part, file);
  return done({ file, bytes: String((await sizeOf(host, file)) ?? 0), ...notOriginal(context, "old-data") });
}

function originOf(file: string): string {
  return `${file}.json`;
}

async function whyNoRoom(
  host: Host,
  { folder, part, dataRoot }: { readonly folder: string; readonly part: string; readonly dataRoot: string },
): Promise<Outcome<undefined>> {
  const [free, data] = await Promise.all([freeBytes(host, folder), usedBytes(host, dataRoot)]);
  if (!free.ok) return free;
  if (!data.ok) return data;
  const room = free.value + ((await sizeOf(host, part)) ?? 0);
  return room > data.value
    ? succeed(undefined)
    : {
        ok: false,
        failure: failure("kwdb.archive-no-room", {
          folder,
          free: String(free.value),
          data: String(data.value),
        }),
      };
}

/** In this order: an archive has an origin beside it only if that is its own. */
async function settle(context: StepContext, part: string, file: string): Promise<void> {
  const { host } = context;
  await sync(host.path(part));
  await rm(host.path(originOf(file)), { force: true });
  if ((await sizeOf(host, file)) !== undefined) await rename(host.path(file), host.path(`${file}.before`));
  await writeFileDurably(host.path(originOf(file)), originText(context));
  await rename(host.path(part), host.path(file));
  await sync(dirname(host.path(file)));
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function sizeOf(host: Host, hostPath: string): Promise<number | undefined> {
  return stat(host.path(hostPath)).then(
    ({ size }) => size,
    () => undefined,
  );
}
