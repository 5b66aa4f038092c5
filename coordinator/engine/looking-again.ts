/** The gates of a wait, for as long as a person's answer is waited for: what was green on the first day may fall on the second. */
import { failure } from "#proto/common/failure.ts";
import type { GateSpec } from "../domain/plan.ts";
import { mendsFor } from "../domain/rollout/reopening.ts";
import { lookOnce } from "./gate-watch.ts";
import type { RolloutDesk } from "./rollout-desk.ts";
import { gateRefused, gateWaited, lookKey, lookMeansOf } from "./stage-deeds.ts";

/** Not more often than this while it is green: a wait lasts for weeks, and a look opens connections on its hosts. */
const lookEveryMs = 30_000;
/** An agent that restarts, or a subscriber that catches up, is no news to anybody: it is not stored before this. */
const lapsedAfterMs = 60_000;

/** Milliseconds until the next look is due; undefined where one has changed what comes next. */
export async function lookAgain(
  desk: RolloutDesk,
  stage: string,
  gates: readonly GateSpec[],
): Promise<number | undefined> {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const gate of gates) {
    const leftMs = dueIn(desk, stage, gate);
    if (leftMs <= 0 && (await hasMoved(desk, stage, gate))) return undefined;
    // whoever answers is not kept waiting for the other gates
    if (desk.inbox.waiting || desk.stopped.aborted) return 0;
    nextMs = Math.min(nextMs, Math.max(1, dueIn(desk, stage, gate)));
  }
  return nextMs;
}

function dueIn(desk: RolloutDesk, stage: string, gate: GateSpec): number {
  const last = desk.looks.get(lookKey(stage, gate));
  if (last === undefined) return 0;
  const everyMs = last.notGreenSinceMs === undefined ? Math.max(lookEveryMs, gate.everyMs) : gate.everyMs;
  return last.atMs + everyMs - desk.means.clock.monotonicMs();
}

async function hasMoved(desk: RolloutDesk, stage: string, gate: GateSpec): Promise<boolean> {
  const means = lookMeansOf(desk, stage, gate);
  if (means === undefined) {
    await desk.stop(stage, failure("gate.unknown", { gate: gate.gate }), "hint.report-defect");
    return true;
  }
  const key = lookKey(stage, gate);
  const { verdict } = await lookOnce(gate, means);
  const atMs = desk.means.clock.monotonicMs();
  switch (verdict.verdict) {
    case "pass":
      desk.looks.set(key, { atMs });
      return false;
    case "fail":
      await gateRefused(desk, { stage, gate, when: "before" }, verdict);
      return true;
    case "wait": {
      const since = desk.looks.get(key)?.notGreenSinceMs ?? atMs;
      desk.looks.set(key, { atMs, notGreenSinceMs: since });
      if (atMs - since < lapsedAfterMs && !mendsFor(desk.state, stage, verdict.why)) return false;
      await desk.append(gateWaited({ stage, gate, when: "before" }, verdict));
      return true;
    }
  }
}
