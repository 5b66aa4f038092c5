/**
 * The old server, when nothing hangs on it any more: stopped and its unit masked, so that nobody starts it by accident, a boot
 * included; and, if that is wanted, its data removed. Both by what the agent's own file names, and by nothing else.
 */
import { open, readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FailureError } from "#proto/common/failure.ts";
import { syncFolder } from "../../host/file-runner.ts";
import { markOf } from "../../host/marks.ts";
import { namesIn } from "../../host/names-in.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { must, probeOf, resultOf, stop } from "./desk.ts";
import { postmasterIn } from "./on-host/control.ts";
import { isDown, order, readUnit, type UnitStanding } from "./on-host/unit.ts";
import { mustBeUnitOf } from "./on-host/unit-of-server.ts";
import { dataDirectory } from "./server-files.ts";
import type { Means } from "./settings.ts";

const nothing = z.strictObject({});
const ofServer = z.strictObject({ systemId: z.string().regex(/^\d{1,20}$/) });
const downMs = 120_000;
const pollMs = 250;

export function oldServerVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.put-away",
      class: "reversible",
      args: nothing,
      run: (context) => resultOf(() => putAway(context, means)),
      probe: (context) =>
        probeOf(async () => [...(await notAway(context, means)), ...(await answering(context, means))]),
    }),
    verb({
      name: "postgresql.take-back",
      class: "reversible",
      args: nothing,
      run: (context) => resultOf(() => takeBack(context, means)),
      probe: (context) =>
        probeOf(async () => {
          const { active } = must(await readUnit(context.host, unitOf(means)));
          return active === "active" ? [] : [active];
        }),
    }),
    verb({
      name: "postgresql.remove-put-away",
      class: "irreversible",
      args: ofServer,
      run: (context, { systemId }) => resultOf(() => remove(context, means, systemId)),
      probe: (context) =>
        probeOf(async () =>
          (await namesThere(context, dataOf(means))).map((name) => `${dataOf(means)}/${name}`),
        ),
    }),
  ];
}

/** What the agent's file lets be done; Patroni would start again what we stop. */
export function oldServerOf({
  settings,
}: Means): { readonly unit: string; readonly data: string | null } | null {
  const { unit, data, patroni } = settings;
  return unit === undefined || patroni !== undefined ? null : { unit, data: data ?? null };
}

function unitOf({ settings }: Means): string {
  return settings.unit ?? stop("postgresql.unit-not-named");
}

function dataOf({ settings }: Means): string {
  return settings.data ?? stop("postgresql.data-not-named");
}

function isMasked({ load, file }: UnitStanding): boolean {
  return load === "masked" || file.startsWith("masked");
}

/** What is told to stop: kept until it is away, since a server that is down does not tell its folder any more. */
const going = z.object({ data: z.string() });

function markFor({ host, rollout }: StepContext) {
  return markOf({ host, rollout }, "put-away", going);
}

async function notAway(context: StepContext, means: Means): Promise<readonly string[]> {
  const standing = must(await readUnit(context.host, unitOf(means)));
  const folders = [(await markFor(context).read())?.data, means.settings.data];
  return [...(await whatRuns(context, means, folders)), ...(isMasked(standing) ? [] : ["it is not masked"])];
}

/** It lives where its unit is down, if somebody has started it by hand. */
async function answering(context: StepContext, means: Means): Promise<readonly string[]> {
  try {
    return [`a server in ${await dataDirectory(context, means)} answers`];
  } catch (error) {
    const why = error instanceof FailureError ? error.failure : undefined;
    // one that does not let us in is there
    if (why?.code !== "postgresql.no-server") throw error;
    return [];
  }
}

/** The unit, and in each folder a server that has come there without it. */
async function whatRuns(
  { host }: StepContext,
  means: Means,
  folders: readonly (string | undefined)[],
): Promise<readonly string[]> {
  const standing = must(await readUnit(host, unitOf(means)));
  const found = isDown(standing) ? [] : [`it is ${standing.active}`];
  for (const data of new Set(folders)) {
    const pid = data === undefined ? 0 : await postmasterIn(host, data);
    if (pid !== 0) found.push(`process ${pid} lives in ${data}`);
  }
  return found;
}

async function putAway(context: StepContext, means: Means): Promise<StepResult> {
  const unit = unitOf(means);
  const { clock } = context.host;
  const mark = markFor(context);
  const known = (await mark.read())?.data;
  const data = known ?? (await dataDirectory(context, means));
  if (known === undefined || (await postmasterIn(context.host, data)) !== 0)
    await mustBeUnitOf(context, { unit, data });
  await mark.write({ data });
  await order(context, "stop", unit);
  for (const endMs = clock.monotonicMs() + downMs; ; ) {
    const running = await whatRuns(context, means, [data]);
    if (running.length === 0) break;
    if (clock.monotonicMs() > endMs || context.signal.aborted)
      stop("postgresql.server-still-runs", { data, cause: running.join("; ") });
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
  await order(context, "mask", unit);
  const left = await notAway(context, means);
  if (left.length > 0) stop("postgresql.not-put-away", { unit, cause: left.join("; ") });
  await mark.remove();
  return done({
    "told.old server": `${unit} is stopped and masked; systemctl unmask ${unit} lets it be started again`,
  });
}

async function takeBack(context: StepContext, means: Means): Promise<StepResult> {
  const unit = unitOf(means);
  const mark = markFor(context);
  if ((await mark.read()) === undefined && !isMasked(must(await readUnit(context.host, unit))))
    return done({ found: "not put away by this rollout" });
  await order(context, "unmask", unit);
  await order(context, "start", unit);
  const { active } = must(await readUnit(context.host, unit));
  if (active !== "active") stop("postgresql.not-taken-back", { unit, active });
  await mark.remove();
  return done({ unit });
}

/** What tells whose data it is goes last: a try that was cut short is known again. */
async function remove(context: StepContext, means: Means, systemId: string): Promise<StepResult> {
  const [unit, data] = [unitOf(means), dataOf(means)];
  const left = await notAway(context, means);
  if (left.length > 0) stop("postgresql.not-put-away", { unit, cause: left.join("; ") });
  const pid = await postmasterIn(context.host, data);
  if (pid !== 0) stop("postgresql.server-still-runs", { data, cause: `process ${pid}` });
  const names = await namesThere(context, data);
  const found = await systemIdIn(context, data);
  const isCutShort = found === undefined && context.begunBefore === "irreversible" && names.every(isLast);
  if (found !== systemId && !isCutShort)
    stop("postgresql.another-server", { systemId: found ?? "none", wanted: systemId });
  const elsewhere = await tablespacesOf(context, data);
  for (const name of [...names.filter((each) => !isLast(each)), ...names.filter(isLast)])
    await rm(context.host.path(join(data, name)), { recursive: true, force: true });
  await syncFolder(context.host.path(data));
  return done({
    "told.old data": `${data} is empty`,
    ...(elsewhere.length === 0 ? {} : { "not-seen.tablespaces": elsewhere.join(", ") }),
  });
}

const isLast = (name: string) => name === "global";

/** A folder that is not there was not emptied by us: nobody knows what became of it. */
async function namesThere({ host }: StepContext, folder: string): Promise<readonly string[]> {
  try {
    return await readdir(host.path(folder));
  } catch (error) {
    return stop("postgresql.data-unreadable", { data: folder, cause: (error as Error).message });
  }
}

/** The control file begins with it: eight bytes, in the order of the machine that runs the server, which is little endian here. */
async function systemIdIn({ host }: StepContext, data: string): Promise<string | undefined> {
  const file = await open(host.path(join(data, "global", "pg_control"))).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 ? String(buffer.readBigUInt64LE()) : undefined;
  } finally {
    await file.close();
  }
}

/** Their folders are outside: what lies there is told, and left. */
async function tablespacesOf(context: StepContext, data: string): Promise<readonly string[]> {
  const folder = join(data, "pg_tblspc");
  const links = (await namesIn(context.host.path(folder))).map((name) =>
    readlink(context.host.path(join(folder, name))).catch(() => name),
  );
  return Promise.all(links);
}
