/**
 * What was installed for a rollout goes, and nothing that was there before. What something else has come to need meanwhile stays, and
 * is told. dpkg does it, which never takes away more than it was named.
 */
import type { z } from "zod";
import { FailureError } from "#proto/common/failure.ts";
import { type Installed, readInstalled, unsettledOn } from "../../../host/packages/installed.ts";
import { untilUnlocked } from "../../../host/packages/locks.ts";
import { type Simulation, simulate } from "../../../host/packages/simulation.ts";
import { causeIn, changeEnv, dpkgWords } from "../../../host/packages/words.ts";
import { done } from "../../../outcome.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { must, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import { lockMs, whose } from "./adding.ts";
import { clustersOn, majorOfServer } from "./clusters.ts";
import { type Addition, keyOfAddition, type Note, noteOf } from "./note.ts";
import { beQuiet, speakAgain } from "./quiet.ts";
import { usedBy } from "./used.ts";

const args = of.extend({ for: whose });

export function removingVerb(means: Means): Verb {
  return verb({
    name: "postgresql.remove-packages",
    class: "reversible",
    args,
    run: (context, given) =>
      resultOf(() => remove(context, means, { rollout: ownerOf(context, given), for: given.for })),
    probe: (context, given) =>
      probeOf(async () => {
        const rollout = ownerOf(context, given);
        return (await noteOf({ ...context, rollout }, given.for).read()) === undefined ? [] : ["packages"];
      }),
  });
}

/** By name: why it stays. */
type Kept = ReadonlyMap<string, string>;

async function remove(
  context: StepContext,
  means: Means,
  given: { readonly rollout: string; readonly for: z.infer<typeof whose> },
): Promise<StepResult> {
  const { host, signal } = context;
  const mark = noteOf({ host, rollout: given.rollout }, given.for);
  const note = await mark.read();
  if (note === undefined) return done({ found: "nothing was installed by this rollout" });
  must(await untilUnlocked(host, { limitMs: lockMs, signal }));
  await beQuiet(host);
  let kept: Kept;
  try {
    // of a run of ours that was cut: what was there before was whole when it began
    await dpkg(context, ["--force-confold", "--configure", "-a"]).catch(onlyFailure);
    kept = await keptOf(context, means, { note, for: given.for });
    await purge(context, note, kept);
  } finally {
    await speakAgain(host);
  }
  await mustBeGone(host, note, kept);
  await mark.remove();
  const removed = note.adds.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
  const stays = [...kept].map(([name, why]) => `${name}: ${why}`).join("; ");
  return done({
    removed: removed.join(", ") || "none",
    ...(stays === "" ? {} : { "told.packages": `stay on this host: ${stays}` }),
  });
}

/** A package that cannot be configured can still be taken away. */
function onlyFailure(error: unknown): undefined {
  if (error instanceof FailureError) return undefined;
  throw error;
}

function ownOf(note: Note, found: Installed): readonly Addition[] {
  return note.adds.filter((each) => {
    const key = keyOfAddition(each);
    const was = note.before[key];
    // one of which only its configuration was there is ours to remove as far as that
    return found.has(key) && (was === undefined || was.endsWith(" config-files"));
  });
}

async function keptOf(
  context: StepContext,
  means: Means,
  { note, for: whom }: { readonly note: Note; readonly for: z.infer<typeof whose> },
): Promise<Kept> {
  const { host } = context;
  const ours = ownOf(note, await readInstalled(host));
  const own = ours.map(({ name }) => name);
  const kept = new Map([
    ...(await servedBy(host, note, own)),
    // a server that was made is gone by then
    ...(whom === "move" ? await usedBy(context, means, ours) : []),
  ]);
  if (own.length === 0) return kept;
  const all = must(await simulate(host, "purge", own));
  if (kept.size === 0 && othersIn(all, own).length === 0) return kept;
  for (const name of own.filter((each) => !kept.has(each))) {
    const alone = must(await simulate(host, "purge", [name]));
    const needs = othersIn(
      alone,
      own.filter((each) => !kept.has(each)),
    );
    if (needs.length > 0) kept.set(name, `${needs.join(", ")} needs it`);
  }
  return kept;
}

/** What would go or change beside those that may. */
function othersIn({ adds, changes, removes }: Simulation, own: readonly string[]): readonly string[] {
  return [...removes.filter((name) => !own.includes(name)), ...changes, ...adds.map(({ name }) => name)];
}

/** A purged server takes every cluster of its version with it: one that came meanwhile is somebody's. */
async function servedBy(host: Host, note: Note, own: readonly string[]): Promise<Kept> {
  const come = (await clustersOn(host)).filter((each) => !note.clusters.includes(each));
  return new Map(
    own.flatMap((name) => {
      const major = /^postgresql-(?:client-)?(\d+)/.exec(name)?.[1];
      // the server's own package would drop those that were there before, too
      const all = majorOfServer(name) === undefined ? come : [...come, ...note.clusters];
      const found = all.filter((each) => major !== undefined && each.startsWith(`${major}/`));
      return found.length === 0 ? [] : [[name, `the cluster ${found.join(", ")} is there`] as const];
    }),
  );
}

async function purge(context: StepContext, note: Note, kept: Kept): Promise<void> {
  const found = await readInstalled(context.host);
  const own = ownOf(note, found).filter(({ name }) => !kept.has(name));
  const wasThere = (each: Addition) => note.before[keyOfAddition(each)] !== undefined;
  const [back, away] = [own.filter(wasThere), own.filter((each) => !wasThere(each))];
  const installed = back.filter((each) => found.get(keyOfAddition(each))?.state !== "config-files");
  if (installed.length > 0) await dpkg(context, ["--remove", ...installed.map(({ name }) => name)]);
  if (away.length > 0) await dpkg(context, ["--purge", ...away.map(({ name }) => name)]);
}

async function dpkg(context: StepContext, words: readonly string[]): Promise<void> {
  const argv = ["dpkg", ...dpkgWords(context.host), ...words];
  const ran = await context.tool({ argv: argv as [string, ...string[]], env: changeEnv });
  if (ran.exitCode !== 0)
    stop("postgresql.packages-not-removed", { command: `dpkg ${words[0]}`, cause: causeIn(ran.tail) });
}

async function mustBeGone(host: Host, note: Note, kept: Kept): Promise<void> {
  const now = await readInstalled(host);
  const left = ownOf(note, now).filter((each) => {
    const key = keyOfAddition(each);
    return !kept.has(each.name) && (note.before[key] === undefined || now.get(key)?.state !== "config-files");
  });
  if (left.length > 0)
    stop("postgresql.packages-not-removed", {
      command: "dpkg",
      cause: `still there: ${left.map(({ name }) => name).join(", ")}`,
    });
  const unsettled = await unsettledOn(host);
  if (unsettled.length > 0) stop("postgresql.packages-not-whole", { found: unsettled.join(", ") });
}
