/**
 * A wait that cannot go on for something that an earlier stage mends: that stage is run again under its locks, and the wait goes on as
 * it stood, with its watches, its approval and its limit.
 */
import type { Failure } from "#proto/common/failure.ts";
import type { Stage, WaitStage } from "../plan.ts";
import type { Action } from "./action.ts";
import { freshStage, inStage, withoutWaiting } from "./alter.ts";
import type { RolloutFact } from "./event.ts";
import { type RolloutState, type StageState, stageState } from "./state.ts";
import { toldBy } from "./told.ts";

/** An earlier stage mends what a gate of this wait has said, or has done so as often as it may. */
export function mendsFor({ plan }: Pick<RolloutState, "plan">, wait: string, { code }: Failure): boolean {
  return plan.stages.some(
    (spec) => spec.id === wait && spec.kind === "wait" && spec.mendedBy?.codes.includes(code) === true,
  );
}

/** What was mended so long before it is said again was not mended in vain: tables may come every night, for weeks. */
export const mendedForMs = 10 * 60_000;

/** How often in a row, up to now, without an end of what the wait's gates have said. */
function timesInVain(state: RolloutState, mender: string, { gateWaits }: StageState): number {
  const { reopened: times, endedAt } = stageState(state, mender);
  if (gateWaits === undefined || endedAt === undefined) return times;
  return Date.parse(gateWaits.since) - Date.parse(endedAt) >= mendedForMs ? 0 : times;
}

/** By what the wait's gates have said last; undefined where that is nothing that can be mended. */
export function reopening(
  state: RolloutState,
  { id: by, mendedBy }: WaitStage,
  wait: StageState,
): Action | undefined {
  const { gateWaits } = wait;
  if (mendedBy === undefined || gateWaits === undefined) return undefined;
  const { why } = gateWaits;
  if (!mendsFor(state, by, why)) return undefined;
  const { stage, most } = mendedBy;
  return timesInVain(state, stage, wait) < most
    ? { do: "reopen-stage", stage, by, why }
    : { do: "stop", stage: by, why, hint: "hint.mended-in-vain" };
}

/** The wait that stands further on while this stage runs again for it. */
export function waitBehind({ plan, stages }: RolloutState, spec: Stage): WaitStage | undefined {
  const later = plan.stages.slice(plan.stages.indexOf(spec) + 1);
  for (const each of later) {
    const isStanding = stages.some(({ id, standing }) => id === each.id && standing === "started");
    if (each.kind === "wait" && isStanding) return each;
  }
  return undefined;
}

/** Some wait may have it run again: what its first phases have looked at is looked at anew each time. */
export function isMender({ plan }: Pick<RolloutState, "plan">, id: string): boolean {
  return plan.stages.some((spec) => spec.kind === "wait" && spec.mendedBy?.stage === id);
}

export function reopened(
  state: RolloutState,
  { stage: id, by, why }: Extract<RolloutFact, { kind: "stage-reopened" }>,
): RolloutState {
  const times = timesInVain(state, id, stageState(state, by));
  const anew = inStage(withoutWaiting(state), id, (stage) =>
    freshStage(id, stage.attempt, {
      ...stage,
      told: toldBy(stage),
      reopened: times + 1,
      reopenedFor: why,
    }),
  );
  // what was green before it is looked at again after it
  return inStage(anew, by, ({ gateWaits: _mended, ...wait }) => ({ ...wait, gatesPassed: [] }));
}
