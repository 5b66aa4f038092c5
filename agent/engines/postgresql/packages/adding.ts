/**
 * The packages that the agent's file names, with all that comes along, as the plan has shown them: nothing else is installed, nothing
 * is upgraded or removed, no service is started. A run that was cut is gone on from, by what dpkg says stands there.
 */
import { z } from "zod";
import { type Installed, readInstalled, unsettledOn } from "../../../host/packages/installed.ts";
import { untilUnlocked } from "../../../host/packages/locks.ts";
import { aptWords, causeIn, changeEnv, dpkgWords } from "../../../host/packages/words.ts";
import { done } from "../../../outcome.ts";
import type { Host, StepContext, StepResult, Verb } from "../../../verb.ts";
import { verb } from "../../../verb.ts";
import { jsonArg } from "../../json-arg.ts";
import { must, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import { clustersOn } from "./clusters.ts";
import { foresee } from "./foreseen.ts";
import { type Addition, bare, keyOfAddition, noteOf } from "./note.ts";
import { beQuiet, isQuiet, speakAgain } from "./quiet.ts";
import { namedIn } from "./settings.ts";

const additions = jsonArg(
  "a JSON list of packages",
  z.array(z.strictObject({ name: z.string(), version: z.string(), architecture: z.string() })).min(1),
);
export const whose = z.enum(["move", "server"]).default("move");
const args = z.strictObject({ packages: additions, for: whose });
type Args = z.infer<typeof args>;

/** How long others may go on changing packages. */
export const lockMs = 10 * 60_000;
const progressMs = 3_000;

export function addingVerb(means: Means): Verb {
  return verb({
    name: "postgresql.add-packages",
    class: "reversible",
    args,
    run: (context, given) => resultOf(() => add(context, means, given)),
    probe: ({ host }, { packages }) =>
      probeOf(async () => [
        ...absentFrom(await readInstalled(host), packages),
        ...(await unsettledOn(host)),
        ...((await isQuiet(host)) ? ["quiet"] : []),
      ]),
  });
}

async function add(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const { host, signal } = context;
  const note = noteOf(context, given.for);
  const known = await note.read();
  // an earlier life of this agent may have begun it, and apt be at work for as long as it takes
  const limitMs = known === undefined ? lockMs : context.deadlineMs;
  must(await untilUnlocked(host, { limitMs, signal }));
  if (known === undefined) {
    await mustBeForeseen(context, means, given.packages);
    const before = await readInstalled(host);
    await note.write({ before: told(before), clusters: [...(await clustersOn(host))], adds: given.packages });
  }
  const [before, clusters] = [await readInstalled(host), await clustersOn(host)];
  await beQuiet(host);
  try {
    await install(context, means, given.packages);
  } finally {
    await speakAgain(host);
  }
  await mustBeAdded(host, given.packages, { before, clusters });
  return done({ added: given.packages.map(({ name, version }) => `${name} ${version}`).join(", ") });
}

/** What a message names is no more than what this host's own file and package lists come to. */
async function mustBeForeseen(
  { host, signal }: StepContext,
  { settings: { packages } }: Means,
  planned: readonly Addition[],
): Promise<void> {
  if (packages === undefined) stop("postgresql.packages-not-allowed");
  const found = must(await foresee(host, packages, { limitMs: lockMs, signal }));
  const harm = [...found.changes, ...found.removes.map((name) => `${name} removed`)];
  if (harm.length > 0) stop("postgresql.packages-would-change", { found: harm.join(", ") });
  if (found.whyMainCluster !== null) stop("postgresql.packages-main-cluster", { file: found.whyMainCluster });
  const [now, then] = [found.adds, planned].map((all) => shown(all));
  if (now !== then || found.notFound.length > 0)
    stop("postgresql.packages-otherwise", {
      planned: then ?? "",
      found: now || "nothing",
      missing: found.notFound.join(", ") || "none",
    });
}

function shown(all: readonly Addition[]): string {
  return all
    .map(({ name, version, architecture }) => `${name}=${version} ${architecture}`)
    .sort()
    .join(", ");
}

function told(all: Installed): Record<string, string> {
  return Object.fromEntries(
    [...all].map(([key, { version, state }]) => [
      key,
      state === "installed" ? version : `${version} ${state}`,
    ]),
  );
}

/** Always the same tools in the same order: by their number they are met again after a restart of the agent. */
async function install(
  context: StepContext,
  { settings }: Means,
  packages: readonly Addition[],
): Promise<void> {
  const { host } = context;
  const dpkg = ["dpkg", ...dpkgWords(host), "--force-confold", "--configure", "-a"];
  await toolOf(context, dpkg, packages);
  const words = [
    "-q",
    "-y",
    "--no-install-recommends",
    "--no-remove",
    "-o",
    "Dpkg::Options::=--force-confold",
  ];
  const quiet = ["-o", `DPkg::Lock::Timeout=${lockMs / 1_000}`, "-o", "Dpkg::Use-Pty=0"];
  // all of them, with their versions: nothing is left for apt to choose
  const exact = packages.map(({ name, version }) => `${name}=${version}`);
  await toolOf(context, ["apt-get", ...aptWords(host), ...words, ...quiet, "install", ...exact], packages);
  const named = (settings.packages ?? []).map((text) => namedIn(text).name);
  const along = packages.map(({ name }) => name).filter((name) => !named.includes(bare(name)));
  // as apt itself would have it: they go with the last one that needs them
  if (along.length > 0) await toolOf(context, ["apt-mark", ...aptWords(host), "auto", ...along], packages);
}

async function toolOf(
  context: StepContext,
  argv: readonly string[],
  packages: readonly Addition[],
): Promise<void> {
  const over = new AbortController();
  void tellOn(context, packages, over.signal);
  try {
    const ran = await context.tool({ argv: argv as [string, ...string[]], env: changeEnv });
    if (ran.exitCode !== 0)
      stop("postgresql.packages-not-added", { command: argv[0] ?? "", cause: causeIn(ran.tail) });
  } finally {
    over.abort();
  }
}

async function tellOn(
  { host, progress }: StepContext,
  packages: readonly Addition[],
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const left = await readInstalled(host).then(
      (found) => absentFrom(found, packages).length,
      () => undefined,
    );
    if (left !== undefined && !over.aborted)
      progress({ done: String(packages.length - left), of: String(packages.length) });
    await host.clock.sleep(progressMs, over).catch(() => undefined);
  }
}

/** By dpkg's own word, whatever apt has said. */
async function mustBeAdded(
  host: Host,
  packages: readonly Addition[],
  was: { readonly before: Installed; readonly clusters: readonly string[] },
): Promise<void> {
  const now = await readInstalled(host);
  const absent = [...absentFrom(now, packages), ...(await unsettledOn(host))];
  if (absent.length > 0) stop("postgresql.packages-not-whole", { found: absent.join(", ") });
  const changed = [...was.before].flatMap(([key, { version, state }]) => {
    const found = now.get(key);
    const isSame = state !== "installed" || (found?.version === version && found.state === state);
    return isSame ? [] : [`${key} ${version}, now ${found?.version ?? "gone"}`];
  });
  if (changed.length > 0) stop("postgresql.packages-changed", { found: changed.join(", ") });
  const made = (await clustersOn(host)).filter((each) => !was.clusters.includes(each));
  if (made.length > 0) stop("postgresql.packages-made-cluster", { found: made.join(", ") });
}

function absentFrom(found: Installed, packages: readonly Addition[]): readonly string[] {
  return packages.flatMap((each) => {
    const there = found.get(keyOfAddition(each));
    return there?.state === "installed" && there.version === each.version ? [] : [each.name];
  });
}
