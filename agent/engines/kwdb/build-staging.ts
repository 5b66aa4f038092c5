/** Verbs that bring a build into the agent's own folder, prove it, and lay it beside the one that runs. */
import { lstat, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { syncFolder } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import {
  type Build,
  buildBelow,
  bytesOf,
  isBuild,
  missingLibraries,
  stagedBuild,
  whyNotForThisHost,
  whyNotWhole,
} from "./build.ts";
import { foreignEntries, kindOf, placesOf } from "./build-places.ts";
import { type Compiled, compiledOn } from "./compiled-installation.ts";
import type { Means } from "./installation.ts";
import { binaryVersion } from "./program.ts";
import { freeBytes } from "./space.ts";
import { variable } from "./start.ts";
import { stagingVerb } from "./unpacking.ts";

const copyMs = 10 * 60_000;
const spareBytes = 256 * 1024 ** 2;

const stageBuild = stagingVerb("kwdb.stage-build", async (folder) => {
  const build = await buildBelow(join(folder, "tree"));
  return build.ok ? undefined : build.failure;
});

/** All that can be known before anything is stopped. */
function proveBuild(means: Means): Verb {
  return verb({
    name: "kwdb.prove-build",
    class: "observe",
    args: z.strictObject({ digest, version }),
    async run({ host }, args): Promise<StepResult> {
      const here = await compiledOn(host, means);
      if (!here.ok) return failedBy(here.failure);
      const build = await stagedBuild(host, args.digest);
      if (!build.ok) return failedBy(build.failure);
      const why =
        (await whyNotWhole(build.value.folder, build.value.manifest)) ??
        (await whyNotForThisHost(host, build.value, args.version)) ??
        (await whyNotRunnable(here.value, build.value, args.version)) ??
        (await whyNotExchangeable(here.value, build.value));
      return why === undefined ? done({ folder: build.value.folder }) : failedBy(why);
    },
  });
}

/** In the agent's folder, with its own libraries in place of those of the build that runs. */
async function whyNotRunnable(
  { host, start, folder: inPlace }: Compiled,
  { folder }: Build,
  wanted: string,
): Promise<Failure | undefined> {
  const running = await start();
  if (!running.ok) return running.failure;
  const own = variable(running.value, "LD_LIBRARY_PATH");
  const old = host.path(inPlace);
  const others = (own ?? "").split(":").filter((each) => each !== "" && !`${each}/`.startsWith(`${old}/`));
  const libraries = [join(folder, "lib"), ...others].join(":");
  const cwd = join(folder, "bin");
  const missing = await missingLibraries(host, folder, { cwd, libraries, without: old });
  if (!missing.ok) return missing.failure;
  if (missing.value.length > 0)
    return failure("kwdb.build-libraries", { missing: missing.value.slice(0, 5).join(", ") });
  // a path of the agent's folder is none of the host's: on a demo host the two differ
  const inHost = { ...host, path: (path: string) => path };
  const found = await binaryVersion(inHost, join(cwd, "kwbase"), {
    cwd,
    env: { LD_LIBRARY_PATH: libraries },
  });
  if (!found.ok) return found.failure;
  return found.value === wanted
    ? undefined
    : failure("kwdb.build-version", { wanted, found: found.value, from: "kwbase version" });
}

/** Two renames must do: a folder of its own, with nothing else in it, and room for the new one beside it. */
async function whyNotExchangeable({ host, folder }: Compiled, build: Build): Promise<Failure | undefined> {
  const at = host.path(folder);
  const isLink = (await lstat(at)).isSymbolicLink();
  if (isLink || (await kindOf(at)) === "mount")
    return failure("kwdb.program-folder-fixed", { folder, kind: isLink ? "a link" : "a mount point" });
  const foreign = await foreignEntries(at);
  if (foreign.length > 0) return failure("kwdb.program-folder-shared", { folder, found: foreign.join(", ") });
  const place = dirname(folder);
  const free = await freeBytes(host, place);
  if (!free.ok) return free.failure;
  const wanted = (await bytesOf(build.folder)) + spareBytes;
  return free.value >= wanted
    ? undefined
    : failure("kwdb.package-no-room", { place, free: String(free.value), wanted: String(wanted) });
}

/** So that nothing is copied while the database is down. */
function layBuild(means: Means): Verb {
  return verb({
    name: "kwdb.lay-build",
    class: "observe",
    args: z.strictObject({ digest, from: version }),
    async run(context, args): Promise<StepResult> {
      const here = await compiledOn(context.host, means);
      if (!here.ok) return failedBy(here.failure);
      return lay(context, here.value, args);
    },
  });
}

export async function lay(
  context: Pick<StepContext, "host" | "rollout">,
  here: Compiled,
  args: { readonly digest: string; readonly from: string },
): Promise<StepResult> {
  const build = await stagedBuild(context.host, args.digest);
  if (!build.ok) return failedBy(build.failure);
  const { folder: source, manifest } = build.value;
  const { folder, laid, kept } = placesOf(here, args, context);
  if (await isBuild(folder, manifest)) return done({ folder, found: "in its place" });
  if (await isBuild(laid, manifest)) return done({ folder: laid, found: "laid before" });
  const beside = `${laid}.partial`;
  await rm(laid, { recursive: true, force: true });
  await rm(beside, { recursive: true, force: true });
  const script =
    'cp -a -- "$1" "$2" && chmod --reference="$3" -- "$2" && chown -R --reference="$3" -- "$2" && sync -f "$2"';
  // after an exchange that was cut short the old build is the kept one
  const model = (await lstat(folder).catch(() => undefined)) === undefined ? kept : folder;
  const copied = await context.host.look(["sh", "-c", script, "sh", source, beside, model], {
    deadlineMs: copyMs,
  });
  if (copied.exitCode !== 0)
    return failed("kwdb.build-not-laid", {
      folder: laid,
      cause: copied.spawnError ?? copied.stderr.trim().slice(-300),
    });
  const why = await whyNotWhole(beside, manifest);
  if (why !== undefined) return failedBy(why);
  await rename(beside, laid);
  await syncFolder(dirname(laid));
  return done({ folder: laid });
}

export function buildStagingVerbs(means: Means): readonly Verb[] {
  return [stageBuild, proveBuild(means), layBuild(means)];
}
