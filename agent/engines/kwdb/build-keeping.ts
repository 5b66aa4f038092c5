/** Before anything stops: how the database was started, and which files its build has, for this start and for a way back. */
import { z } from "zod";
import { done, failed, failedBy } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { filesOf } from "./build.ts";
import { readBuildRecord, writeBuildRecord } from "./build-record.ts";
import { type Compiled, compiledOn } from "./compiled-installation.ts";
import { executableOf } from "./compiled-processes.ts";
import type { Means } from "./installation.ts";
import { keepStart, keptStart, type StartRecord } from "./start-record.ts";

export function buildKeepingVerb(means: Means): Verb {
  return verb({
    name: "kwdb.keep-start",
    class: "observe",
    args: z.strictObject({}),
    run: (context) => keep(context, means),
  });
}

/** The start that is to be made again. Where nothing runs, what was kept before the stop stands. */
async function keep(context: StepContext, means: Means): Promise<StepResult> {
  const { host } = context;
  const here = await compiledOn(host, means);
  if (!here.ok) return failedBy(here.failure);
  const { folder, binary, unit = null, service, start } = here.value;
  const state = await service();
  if (!state.ok) return failedBy(state.failure);
  if (state.value.mainPid === 0) {
    const kept = await keptStart(host);
    if (!kept.ok) return failedBy(kept.failure);
    if (kept.value.folder !== folder || kept.value.unit !== unit)
      return failed("kwdb.start-of-other", { folder: kept.value.folder });
    await recordBuild(context, here.value, kept.value);
    return done({ keptAt: kept.value.keptAt });
  }
  const executable = (await executableOf(state.value.mainPid)) ?? "?";
  if (executable !== host.path(binary)) return failed("kwdb.program-elsewhere", { executable, binary });
  const [found, words] = [await start(), await here.value.mode()];
  if (!found.ok) return failedBy(found.failure);
  if (!words.ok) return failedBy(words.failure);
  const keptAt = new Date(host.clock.now()).toISOString();
  const kept = { unit, folder, keptAt, start: found.value };
  await keepStart(host, kept);
  await recordBuild(context, here.value, kept);
  return done({ keptAt });
}

/** Once a rollout: after its first change what stands in the folder is not the old build any more. */
async function recordBuild(
  { host, rollout, begunBefore }: StepContext,
  here: Compiled,
  { unit, folder, keptAt, start }: Omit<StartRecord, "format">,
): Promise<void> {
  if (begunBefore !== "nothing" && (await readBuildRecord(host, rollout)).ok) return;
  const program = await here.program();
  const files = await filesOf(host.path(folder));
  const version = program.ok ? program.value.version : "";
  await writeBuildRecord(host, { rollout, unit, folder, keptAt, start, version, files });
}
