/** Patroni's automatic failover, off while the fence may stand: a cluster that was paused by somebody else stays so. */
import { z } from "zod";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import { configurationNow, named, runWith } from "./patronictl.ts";
import { readConfiguration } from "./reading.ts";

/** Whether it was paused before us. */
const before = z.object({ wasPaused: z.boolean() });

export function pausingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.pause-patroni",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => pause(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () => {
          const isNoted = (await markFor(context, ownerOf(context, args)).read()) !== undefined;
          return isNoted && (await isPaused(context, means)) ? [] : ["pause"];
        }),
    }),
    verb({
      name: "postgresql.resume-patroni",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => resume(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () =>
          (await markFor(context, ownerOf(context, args)).read()) === undefined ? [] : ["pause"],
        ),
    }),
  ];
}

function markFor({ host }: StepContext, rollout: string) {
  return markOf({ host, rollout }, "patroni-pause", before);
}

async function isPaused({ host }: StepContext, means: Means): Promise<boolean> {
  return readConfiguration(await configurationNow(host, named(means))).isPaused;
}

async function pause(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  const wasPaused = await isPaused(context, means);
  if ((await mark.read()) === undefined) await mark.write({ wasPaused });
  if (wasPaused) return done({ found: "paused" });
  await runWith(context, named(means), "pause", "--wait");
  if (!(await isPaused(context, means))) stop("postgresql.patroni-not-taken", { what: "pause" });
  return done({ found: "not paused" });
}

async function resume(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  const known = await mark.read();
  if (known === undefined) return done({ found: "never paused by this rollout" });
  if (!known.wasPaused && (await isPaused(context, means))) {
    await runWith(context, named(means), "resume", "--wait");
    if (await isPaused(context, means)) stop("postgresql.patroni-not-taken", { what: "resume" });
  }
  await mark.remove();
  return done({ paused: String(known.wasPaused) });
}
