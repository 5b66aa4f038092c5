/** What only a build from source has to say: its folder, and how it is started. */
import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbBuild, KwdbFull, KwdbStart } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import type { Take } from "../measure.ts";
import { bytesOf, missingLibraries } from "./build.ts";
import { foreignEntries, keptBuilds, kindOf } from "./build-places.ts";
import { recordedRollouts } from "./build-record.ts";
import { type Compiled, compiledOn } from "./compiled-installation.ts";
import { executableOf } from "./compiled-processes.ts";
import type { Means } from "./installation.ts";
import { freeBytes } from "./space.ts";
import { namesOf, variable } from "./start.ts";

/** Nothing where the agent's file names no program. */
export async function compiledFacts(
  host: Host,
  means: Means,
  take: Take,
): Promise<Pick<KwdbFull, "build" | "start">> {
  const here = await compiledOn(host, means);
  if (!here.ok) return {};
  const [build, start] = await Promise.all([
    take(() => readBuild(here.value)),
    take(() => readStarted(here.value)),
  ]);
  return { build, start };
}

async function readBuild({ host, folder, start }: Compiled): Promise<Outcome<KwdbBuild>> {
  const at = host.path(folder);
  const [free, running] = [await freeBytes(host, dirname(folder)), await start()];
  if (!free.ok) return free;
  if (!running.ok) return running;
  const { cwd } = running.value;
  const libraries = variable(running.value, "LD_LIBRARY_PATH");
  const missing = await missingLibraries(host, at, { cwd, libraries });
  if (!missing.ok) return missing;
  return succeed({
    folder,
    kind: (await lstat(at)).isSymbolicLink() ? "link" : await kindOf(at),
    foreign: await foreignEntries(at),
    bytes: await bytesOf(at),
    availableBytes: free.value,
    missingLibraries: missing.value,
    kept: [...(await keptBuilds(at))],
    recorded: await recordedRollouts(host),
  });
}

async function readStarted(here: Compiled): Promise<Outcome<KwdbStart>> {
  const [state, start, mode] = [await here.service(), await here.start(), await here.mode()];
  if (!state.ok) return state;
  if (!start.ok) return start;
  if (!mode.ok) return mode;
  const { mainPid } = state.value;
  return succeed({
    unit: here.unit ?? null,
    executable: mainPid === 0 ? null : ((await executableOf(mainPid)) ?? null),
    binary: here.host.path(here.binary),
    argv: start.value.argv,
    cwd: start.value.cwd,
    user: mode.value.user,
    environmentNames: [...namesOf(start.value)],
  });
}
