/**
 * The saved configuration put back: file by file beside its place and renamed, so that at no moment one is missing,
 * and doing it twice does no harm. What stands there now was saved before by the way back itself.
 */
import { chmod, chown, copyFile, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { makeFolders } from "#proto/common/make-folders.ts";
import { syncFolder } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { rollout } from "../rollout-arg.ts";
import { label } from "./args.ts";
import { causeOf } from "./files.ts";
import { isDown, type Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { markNeeded } from "./needed.ts";
import { differences, placeOf, readSaved, type Saved } from "./saved.ts";

const args = z.strictObject({ label, rollout });
type Args = z.infer<typeof args>;

export function restoringConfigurationVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.prove-saved",
      class: "observe",
      args,
      async run({ host, rollout: own }, given): Promise<StepResult> {
        const saved = await readSaved(host, given);
        if (!saved.ok) return failedBy(saved.failure);
        await markNeeded(saved.value.folder, own);
        const { changed, added } = await differences(await installationOn(host, means), saved.value);
        return done({ folder: saved.value.folder, differs: [...changed, ...added].join(", ") });
      },
    }),
    verb({
      name: "kwdb.restore-configuration",
      class: "irreversible",
      args,
      run: (context, given) => restore(context, given, means),
      probe: (context, given) => probe(context, given, means),
    }),
  ];
}

async function probe({ host }: StepContext, given: Args, means: Means): Promise<Probe> {
  const saved = await readSaved(host, given);
  if (!saved.ok) return { state: "unknown", failure: saved.failure };
  const { changed, added } = await differences(await installationOn(host, means), saved.value);
  return changed.length + added.length === 0 ? { state: "done", outputs: {} } : { state: "not-done" };
}

async function restore({ host }: StepContext, given: Args, means: Means): Promise<StepResult> {
  const here = await installationOn(host, means);
  const service = await here.service();
  if (!service.ok) return failedBy(service.failure);
  if (!isDown(service.value))
    return failed("kwdb.restore-of-running", { mainPid: String(service.value.mainPid) });
  const saved = await readSaved(host, given);
  if (!saved.ok) return failedBy(saved.failure);
  const { changed, added } = await differences(here, saved.value);
  try {
    for (const place of changed) await putBack(sourceOf(saved.value, place), host.path(place));
    for (const place of added) await rm(host.path(place), { force: true });
  } catch (error) {
    return failed("kwdb.configuration-not-restored", { cause: causeOf(error) });
  }
  return done({ restored: changed.join(", "), removed: added.join(", ") });

  function sourceOf({ folder, files }: Saved, place: string): string {
    const file = Object.keys(files).find((each) => placeOf(here, each) === place) ?? "";
    return join(folder, file);
  }
}

async function putBack(source: string, target: string): Promise<void> {
  const beside = `${target}.lockkeeper-new`;
  const { mode, uid, gid } = await stat(source);
  await makeFolders(dirname(target), 0o755);
  await rm(beside, { force: true });
  await copyFile(source, beside);
  await chown(beside, uid, gid);
  await chmod(beside, mode & 0o7777);
  const file = await open(beside, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, target);
  await syncFolder(dirname(target));
}
