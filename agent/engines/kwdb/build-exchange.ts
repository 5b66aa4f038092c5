/**
 * The programs exchanged: the old folder gets another name and stays, the new one gets its name. A crash between the
 * two renames leaves a state that is known by what is there.
 */
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { syncFolder } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import { missingLibraries, stagedBuild, whyNotWhole } from "./build.ts";
import { noteAside, notedAside, removeAside } from "./build-aside.ts";
import { keptBuilds, type Places, placesOf, type Stand, standOf } from "./build-places.ts";
import { lay } from "./build-staging.ts";
import { type Compiled, compiledOn } from "./compiled-installation.ts";
import { isDown, type Means, runningOr } from "./installation.ts";
import { variable } from "./start.ts";

const args = z.strictObject({ digest, from: version });
type Args = z.infer<typeof args>;

const keepCount = 2;

interface Found {
  readonly here: Compiled;
  readonly places: Places;
  readonly stands: Stand;
}

async function look(
  context: StepContext,
  means: Means,
  given: Args,
): Promise<Found | { readonly failure: Failure }> {
  const here = await compiledOn(context.host, means);
  if (!here.ok) return here;
  const build = await stagedBuild(context.host, given.digest);
  if (!build.ok) return build;
  const places = placesOf(here.value, given, context);
  const found = await standOf(places, build.value.manifest);
  return "failure" in found ? found : { here: here.value, places, stands: found.stands };
}

function probeFor(means: Means, wanted: Stand) {
  return async (context: StepContext, given: Args): Promise<Probe> => {
    const found = await look(context, means, given);
    if ("failure" in found) return { state: "unknown", failure: found.failure };
    if (found.stands !== wanted) return { state: "not-done" };
    return { state: "done", outputs: { kept: found.places.kept } };
  };
}

export async function whyNotDown(here: Compiled): Promise<Failure | undefined> {
  const state = await here.service();
  if (!state.ok) return state.failure;
  const left = await here.leftOvers();
  if (isDown(state.value) && left.length === 0) return undefined;
  return failure("kwdb.exchange-of-running", { pids: left.join(", ") || String(state.value.mainPid) });
}

async function exchange(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const found = await look(context, means, given);
  if ("failure" in found) return failedBy(found.failure);
  const { here, places, stands } = found;
  if (stands === "new") return done({ kept: places.kept });
  const why = await whyNotDown(here);
  if (why !== undefined) return failedBy(why);
  const laid = await lay(context, here, given);
  if (laid.result !== "done") return laid;
  if (stands === "old") {
    await noteAside(context.host, places.kept);
    await moved(places.folder, places.kept);
  }
  await moved(places.laid, places.folder);
  return done({ kept: places.kept });
}

async function exchangeBack(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const found = await look(context, means, given);
  if ("failure" in found) return failedBy(found.failure);
  const { here, places, stands } = found;
  if (stands === "old") return done();
  const why = await whyNotDown(here);
  if (why !== undefined) return failedBy(why);
  if (stands === "new") {
    await rm(places.laid, { recursive: true, force: true });
    await moved(places.folder, places.laid);
  }
  await moved(places.kept, places.folder);
  return done();
}

/** Durable before the next one. */
export async function moved(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Before the start: the place, the exact environment and folder that it will be started with. */
async function proveFiles(
  context: StepContext,
  means: Means,
  wanted: { digest: string; version: string },
): Promise<StepResult> {
  const here = await compiledOn(context.host, means);
  if (!here.ok) return failedBy(here.failure);
  const { host, folder, start, program } = here.value;
  const build = await stagedBuild(host, wanted.digest);
  if (!build.ok) return failedBy(build.failure);
  const kept = await start();
  if (!kept.ok) return failedBy(kept.failure);
  const whole = await whyNotWhole(host.path(folder), build.value.manifest);
  if (whole !== undefined) return failedBy(whole);
  const { cwd } = kept.value;
  const libraries = variable(kept.value, "LD_LIBRARY_PATH");
  const missing = await missingLibraries(host, host.path(folder), { cwd, libraries });
  if (!missing.ok) return failedBy(missing.failure);
  if (missing.value.length > 0)
    return failed("kwdb.build-libraries", { missing: missing.value.slice(0, 5).join(", ") });
  const found = await program();
  if (!found.ok) return failedBy(found.failure);
  return found.value.version === wanted.version
    ? done({ ...found.value })
    : failed("kwdb.build-version", {
        wanted: wanted.version,
        found: found.value.version,
        from: "kwbase version",
      });
}

async function proveRunning(
  { host }: StepContext,
  means: Means,
  given: { digest: string },
): Promise<StepResult> {
  const here = await compiledOn(host, means);
  if (!here.ok) return failedBy(here.failure);
  const build = await stagedBuild(host, given.digest);
  if (!build.ok) return failedBy(build.failure);
  const state = await here.value.service();
  if (!state.ok) return failedBy(state.failure);
  const pid = runningOr(state.value.mainPid);
  if (!pid.ok) return failedBy(pid.failure);
  const found = await means.programs.read(host, pid.value);
  if (!found.ok) return failedBy(found.failure);
  const wanted = build.value.manifest.files["bin/kwbase"] ?? "";
  const { executableSha256 } = found.value;
  return executableSha256 === wanted
    ? done({ executableSha256 })
    : failed("kwdb.running-build-differs", { pid: String(pid.value), found: executableSha256, wanted });
}

/** The newest of our own stay, and what this rollout has put aside is the newest; others are told, and not ours to touch. */
async function forgetOld({ host }: StepContext, means: Means): Promise<StepResult> {
  const here = await compiledOn(host, means);
  if (!here.ok) return failedBy(here.failure);
  const [all, noted] = [await keptBuilds(host.path(here.value.folder)), await notedAside(host)];
  const kept = all.filter((folder) => noted.has(folder));
  const others = all.filter((folder) => !noted.has(folder));
  const old = kept.slice(keepCount);
  for (const folder of old) await removeAside(host, folder);
  return done({
    kept: kept.slice(0, keepCount).join(", "),
    removed: old.join(", "),
    ...(others.length === 0
      ? {}
      : { "not-seen.old-builds": `not put aside by this agent, and left: ${others.join(", ")}` }),
  });
}

export function buildExchangeVerbs(means: Means): readonly Verb[] {
  const proven = z.strictObject({ digest, version });
  return [
    verb({
      name: "kwdb.exchange-build",
      class: "reversible",
      args,
      run: (context, given) => exchange(context, means, given),
      probe: probeFor(means, "new"),
    }),
    verb({
      name: "kwdb.exchange-build-back",
      class: "reversible",
      args,
      run: (context, given) => exchangeBack(context, means, given),
      probe: probeFor(means, "old"),
    }),
    verb({
      name: "kwdb.prove-build-files",
      class: "observe",
      args: proven,
      run: (context, given) => proveFiles(context, means, given),
    }),
    verb({
      name: "kwdb.prove-running-build",
      class: "observe",
      args: z.strictObject({ digest }),
      run: (context, given) => proveRunning(context, means, given),
    }),
    verb({
      name: "kwdb.forget-old-builds",
      class: "observe",
      args: z.strictObject({}),
      run: (context) => forgetOld(context, means),
    }),
  ];
}
