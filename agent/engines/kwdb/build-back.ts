/**
 * A kept build put back: two renames, as in the exchange that has put it aside. Which build it should be, file by file,
 * and how it was started, is told by the record of that rollout.
 */
import { z } from "zod";
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { rollout } from "../rollout-arg.ts";
import { version } from "./args.ts";
import { missingLibraries, whyOtherFiles } from "./build.ts";
import { noteAside } from "./build-aside.ts";
import { moved, whyNotDown } from "./build-exchange.ts";
import { keptPlace } from "./build-places.ts";
import { type BuildRecord, readBuildRecord } from "./build-record.ts";
import { type Compiled, compiledOn } from "./compiled-installation.ts";
import { isThere } from "./files.ts";
import { type Means, runningOr } from "./installation.ts";
import { variable } from "./start.ts";
import { keepStart, keptStart } from "./start-record.ts";

/** `of`: the rollout that one goes back from. `version`: what is put back; `from`: what stands there now. */
const args = z.strictObject({ of: rollout, version, from: version });
type Args = z.infer<typeof args>;

export function buildBackVerbs(means: Means): readonly Verb[] {
  const observed = (
    name: string,
    run: (context: StepContext, given: Args, found: Found) => Promise<StepResult>,
  ) =>
    verb({
      name: `kwdb.${name}`,
      class: "observe",
      args,
      async run(context, given): Promise<StepResult> {
        const found = await look(context, means, given);
        return found.ok ? run(context, given, found.value) : failedBy(found.failure);
      },
    });
  const exchanged = (name: string, back: boolean) =>
    verb({
      name: `kwdb.${name}`,
      class: "reversible",
      args,
      async run(context, given): Promise<StepResult> {
        const found = await look(context, means, given);
        if (!found.ok) return failedBy(found.failure);
        return back ? putBack(found.value) : putAside(found.value);
      },
      async probe(context, given): Promise<Probe> {
        const found = await look(context, means, given);
        if (!found.ok) return { state: "unknown", failure: found.failure };
        const stands = await standOf(found.value);
        if (!stands.ok) return { state: "unknown", failure: stands.failure };
        const isDone = back ? stands.value === "back" : ["new", "never"].includes(stands.value);
        return isDone ? { state: "done", outputs: {} } : { state: "not-done" };
      },
    });
  return [
    observed("prove-kept-build", proveKept),
    observed("prove-build-back", (_, given, found) => proveInPlace(found, given)),
    observed("prove-running-back", (_, __, found) => proveRunning(found, means)),
    exchanged("put-build-back", true),
    exchanged("put-build-aside", false),
    verb({
      name: "kwdb.restore-start",
      class: "reversible",
      args: z.strictObject({ of: z.union([rollout, z.literal("")]) }),
      run: (context, { of }) => restoreStart(context, of || context.rollout, means),
      probe: (context, { of }) => probeStart(context, of || context.rollout),
    }),
  ];
}

interface Found {
  readonly here: Compiled;
  readonly record: BuildRecord;
  /** As this process sees them. */
  readonly folder: string;
  readonly kept: string;
  /** Where the way back puts the build that it takes out. */
  readonly aside: string;
}

async function look(context: StepContext, means: Means, given: Args): Promise<Outcome<Found>> {
  const here = await compiledOn(context.host, means);
  if (!here.ok) return here;
  const record = await readBuildRecord(context.host, given.of);
  if (!record.ok) return record;
  const { folder, unit = null } = here.value;
  if (record.value.folder !== folder || record.value.unit !== unit)
    return { ok: false, failure: failure("kwdb.start-of-other", { folder: record.value.folder }) };
  return succeed({
    here: here.value,
    record: record.value,
    folder: context.host.path(folder),
    kept: keptPlace(here.value, given.version, given.of),
    aside: keptPlace(here.value, given.from, context.rollout),
  });
}

type Stand = "new" | "half" | "back" | "never";

/**
 * | folder | kept | aside | stands |
 * |---|---|---|---|
 * | any | there | absent | new |
 * | absent | there | any | half |
 * | the old build | absent | there | back |
 * | the old build | absent | absent | never: it was not put aside, or put back before |
 * | anything else | | | nobody can say |
 */
async function standOf({ record, folder, kept, aside }: Found): Promise<Outcome<Stand>> {
  const [isHere, isKept, isAside] = [await isThere(folder), await isThere(kept), await isThere(aside)];
  if (isHere && isKept && !isAside) return succeed("new");
  if (!isHere && isKept) return succeed("half");
  if (isHere && !isKept && (await whyOtherFiles(folder, record.files)) === undefined)
    return succeed(isAside ? "back" : "never");
  return { ok: false, failure: failure(isHere ? "kwdb.build-strange" : "kwdb.build-gone", { folder, kept }) };
}

/** Nothing stopped yet: the build to go back to is there, file by file as it was. */
async function proveKept(_: StepContext, given: Args, found: Found): Promise<StepResult> {
  const { record, folder, kept } = found;
  if (record.version !== given.version)
    return failed("kwdb.build-version", {
      wanted: given.version,
      found: record.version || "unknown",
      from: `the record of ${given.of}`,
    });
  const stands = await standOf(found);
  if (!stands.ok) return failedBy(stands.failure);
  const place = stands.value === "new" || stands.value === "half" ? kept : folder;
  const differs = await whyOtherFiles(place, record.files);
  return differs === undefined ? done({ folder: place }) : failedBy(differs);
}

async function putBack(found: Found): Promise<StepResult> {
  const { here, record, folder, kept, aside } = found;
  const stands = await standOf(found);
  if (!stands.ok) return failedBy(stands.failure);
  if (stands.value === "back" || stands.value === "never") return done({ folder });
  const why = (await whyNotDown(here)) ?? (await whyOtherFiles(kept, record.files));
  if (why !== undefined) return failedBy(why);
  if (stands.value === "new") {
    await noteAside(here.host, aside);
    await moved(folder, aside);
  }
  await moved(kept, folder);
  return done({ folder, aside });
}

async function putAside(found: Found): Promise<StepResult> {
  const { here, folder, kept, aside } = found;
  const stands = await standOf(found);
  if (!stands.ok) return failedBy(stands.failure);
  if (stands.value === "new" || stands.value === "never") return done({ folder });
  const why = await whyNotDown(here);
  if (why !== undefined) return failedBy(why);
  if (stands.value === "back") await moved(folder, kept);
  // half-way before this way back began: there is nothing of its own to undo
  if (await isThere(aside)) await moved(aside, folder);
  return done({ folder });
}

/** In its place, with the environment that it will be started with. */
async function proveInPlace({ here, record, folder }: Found, wanted: Args): Promise<StepResult> {
  const differs = await whyOtherFiles(folder, record.files);
  if (differs !== undefined) return failedBy(differs);
  const { cwd } = record.start;
  const libraries = variable(record.start, "LD_LIBRARY_PATH");
  const missing = await missingLibraries(here.host, folder, { cwd, libraries });
  if (!missing.ok) return failedBy(missing.failure);
  if (missing.value.length > 0)
    return failed("kwdb.build-libraries", { missing: missing.value.slice(0, 5).join(", ") });
  const told = await here.program();
  if (!told.ok) return failedBy(told.failure);
  return told.value.version === wanted.version
    ? done({ ...told.value })
    : failed("kwdb.build-version", {
        wanted: wanted.version,
        found: told.value.version,
        from: "kwbase version",
      });
}

async function proveRunning({ here, record }: Found, means: Means): Promise<StepResult> {
  const state = await here.service();
  if (!state.ok) return failedBy(state.failure);
  const pid = runningOr(state.value.mainPid);
  if (!pid.ok) return failedBy(pid.failure);
  const found = await means.programs.read(here.host, pid.value);
  if (!found.ok) return failedBy(found.failure);
  const wanted = record.files["bin/kwbase"] ?? "";
  const { executableSha256 } = found.value;
  return executableSha256 === wanted
    ? done({ executableSha256 })
    : failed("kwdb.running-build-differs", { pid: String(pid.value), found: executableSha256, wanted });
}

/** The start that is made next is the one that this rollout has found. */
async function restoreStart({ host }: StepContext, of: string, means: Means): Promise<StepResult> {
  const [here, record] = [await compiledOn(host, means), await readBuildRecord(host, of)];
  if (!here.ok) return failedBy(here.failure);
  if (!record.ok) return failedBy(record.failure);
  const { unit, folder, keptAt, start } = record.value;
  const why: Failure | undefined =
    folder !== here.value.folder || unit !== (here.value.unit ?? null)
      ? failure("kwdb.start-of-other", { folder })
      : await whyNotDown(here.value);
  if (why !== undefined) return failedBy(why);
  await keepStart(host, { unit, folder, keptAt, start });
  return done({ keptAt });
}

async function probeStart({ host }: StepContext, of: string): Promise<Probe> {
  const [kept, record] = [await keptStart(host), await readBuildRecord(host, of)];
  if (!record.ok) return { state: "unknown", failure: record.failure };
  const isSame = kept.ok && JSON.stringify(kept.value.start) === JSON.stringify(record.value.start);
  return isSame ? { state: "done", outputs: {} } : { state: "not-done" };
}
