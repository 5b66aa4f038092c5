/**
 * `pg_upgrade`, as a unit of its own: it outlives this agent. First with --check while the old server serves; then for good, on a new
 * data folder that is fresh. That it is through is told by what it leaves when it is: its script, and a control file shut down.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { failure } from "#proto/common/failure.ts";
import { done, failedBy } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { must, probeOf, resultOf, stop } from "../desk.ts";
import { postmasterIn, readControl } from "../on-host/control.ts";
import { programVersion } from "../on-host/programs.ts";
import type { Means } from "../settings.ts";
import { alterNote, mode, mustRead, readNote } from "./note.ts";
import { type Place, placeOf } from "./place.ts";
import { type Refusal, refusalIn, type UpgradeWords, upgradeArgv } from "./upgrade-words.ts";

const args = z.strictObject({
  mode,
  jobs: z
    .string()
    .regex(/^[1-9]\d?$/)
    .transform(Number),
  /** The new major version. */
  version: z.string().regex(/^\d{1,2}$/),
});
type Args = z.infer<typeof args>;

export function upgradingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.try-upgrade",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => tryOut(context, means, given)),
    }),
    verb({
      name: "postgresql.run-upgrade",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => upgrade(context, means, given)),
      probe: (context) => probeOf(() => whyNotUpgraded(context, placeOf(means))),
    }),
    verb({
      name: "postgresql.prove-upgraded",
      class: "observe",
      args: z.strictObject({ version: z.string() }),
      run: (context, given) => resultOf(() => proveUpgraded(context, placeOf(means), given.version)),
    }),
  ];
}

async function run(context: StepContext, place: Place, words: UpgradeWords): Promise<Refusal | undefined> {
  const ran = await context.tool({
    argv: upgradeArgv(place, words),
    cwd: place.work,
    user: place.account,
    env: { LC_ALL: "C" },
  });
  return ran.exitCode === 0 ? undefined : refusalIn(ran.tail);
}

async function wordsOf(
  context: StepContext,
  place: Place,
  given: Args,
): Promise<Omit<UpgradeWords, "check">> {
  const { birth, isFresh } = await mustRead(context);
  if (!isFresh) stop("postgresql.new-data-not-fresh", { data: place.new.data });
  const { version, major } = must(await programVersion(context.host, place.new.bin));
  if (String(major) !== given.version) stop("postgresql.version-differs", { version, wanted: given.version });
  return { mode: given.mode, jobs: given.jobs, owner: birth.owner, newMajor: major };
}

async function tryOut(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const place = placeOf(means);
  const words = await wordsOf(context, place, given);
  const check = { livePort: means.settings.port };
  const refusal = await run(context, place, { ...words, check });
  return refusal === undefined
    ? done({ check: "Clusters are compatible" })
    : failedBy(failure("postgresql.upgrade-check-refused", await toldOf(context, refusal)));
}

async function upgrade(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const place = placeOf(means);
  const note = await mustRead(context);
  // the first time; when an agent that was killed comes here again, it runs already
  const words =
    note.mode === given.mode
      ? { mode: given.mode, jobs: given.jobs, owner: note.birth.owner, newMajor: Number(given.version) }
      : await wordsOf(context, place, given);
  const running = await postmasterIn(context.host, place.old.data);
  if (note.mode === null && running !== 0)
    stop("postgresql.server-still-runs", { data: place.old.data, cause: `process ${running}` });
  await alterNote(context, { isFresh: false, mode: given.mode });
  const refusal = await run(context, place, words);
  if (refusal !== undefined)
    return failedBy(failure("postgresql.upgrade-failed", await toldOf(context, refusal)));
  const why = await whyNotUpgraded(context, place);
  if (why.length > 0) stop("postgresql.upgrade-not-through", { found: why.join("; ") });
  return done({ mode: given.mode });
}

async function toldOf({ host }: StepContext, { words, files }: Refusal) {
  const found: string[] = [];
  for (const file of files.slice(0, 3)) {
    const text = await readFile(host.path(file), "utf8").catch(() => "");
    found.push(...text.split("\n").filter((line) => line.trim() !== ""));
  }
  const listed = found.slice(0, 12).join("; ").slice(0, 800);
  return { words, ...(listed === "" ? {} : { listed }) };
}

async function whyNotUpgraded(context: StepContext, place: Place): Promise<readonly string[]> {
  const { host } = context;
  const note = await readNote(context);
  if (note === undefined || note.mode === null) return ["pg_upgrade was not begun"];
  const script = await stat(host.path(join(place.work, "delete_old_cluster.sh"))).catch(() => undefined);
  const control = must(await readControl(host, place.new));
  const running = await Promise.all([place.old, place.new].map(({ data }) => postmasterIn(host, data)));
  return [
    ...(script === undefined ? ["it has not written its last script"] : []),
    ...(control.state === "shut down" ? [] : [`the new control file says ${control.state}`]),
    ...(running.some((pid) => pid !== 0) ? ["a server of it still runs"] : []),
    ...(control.systemId === note.newSystemId ? [] : [`another system identifier: ${control.systemId}`]),
  ];
}

/** What is started next, by its own files and not by an exit code. */
async function proveUpgraded(context: StepContext, place: Place, version: string): Promise<StepResult> {
  const why = await whyNotUpgraded(context, place);
  if (why.length > 0) stop("postgresql.upgrade-not-through", { found: why.join("; ") });
  const found = (await readFile(context.host.path(join(place.new.data, "PG_VERSION")), "utf8")).trim();
  if (found !== version) stop("postgresql.version-differs", { version: found, wanted: version });
  const { newSystemId } = await mustRead(context);
  return done({ "told.system identifier": `${newSystemId}, a new one: pg_upgrade keeps that of initdb` });
}
