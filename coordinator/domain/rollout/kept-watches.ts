/** Watches that stand longer than their own wait: through every stage up to the end of the one that they name. */
import type { Plan, Stage, WaitStage, WatchSpec } from "../plan.ts";
import { isAnyPastReturn } from "./past-return.ts";
import { type FiredWatch, type RolloutState, type StageState, stageState } from "./state.ts";

interface Kept {
  /** The wait that has armed it. */
  readonly stage: StageState;
  readonly watch: WatchSpec;
}

/** Of earlier waits, and due while `spec` is the present stage. */
function keptAt(state: RolloutState, spec: Stage): readonly Kept[] {
  const { stages } = state.plan;
  const now = stages.indexOf(spec);
  return stages.slice(0, now).flatMap((earlier) => {
    if (earlier.kind !== "wait") return [];
    const stage = stageState(state, earlier.id);
    return earlier.watches
      .filter(({ until }) => endOf(stages, until) >= now)
      .map((watch) => ({ stage, watch }));
  });
}

function endOf(stages: Plan["stages"], until: string | undefined): number {
  return until === undefined ? -1 : stages.findIndex(({ id }) => id === until);
}

/** One that has measured nothing is armed anew by a retry; one that has reacted stays what it is. */
export function unarmedAt(state: RolloutState, spec: Stage): readonly WatchSpec[] {
  return keptAt(state, spec).flatMap(({ stage, watch }) => (stage.armed.includes(watch.id) ? [] : [watch]));
}

/** What it has done is no reason to stop any more behind a hold that was made permanent, or past an irreversible step. */
export function firedAt(state: RolloutState, spec: Stage): FiredWatch | undefined {
  const isBehind = Object.entries(state.holds).some(
    ([key, answer]) => answer === "permanent" && key.startsWith(`${spec.id}/`),
  );
  if (isBehind) return undefined;
  return keptAt(state, spec)
    .filter(({ stage }) => !isPastSince(state, stage.id, spec))
    .flatMap(({ stage, watch }) => stage.fired.filter((each) => each.watch === watch.id))
    .at(0);
}

function isPastSince(state: RolloutState, armedIn: string, spec: Stage): boolean {
  const { stages } = state.plan;
  const from = stages.findIndex(({ id }) => id === armedIn);
  const since = stages.slice(from + 1, stages.indexOf(spec) + 1);
  return since.some((each) => isAnyPastReturn(each, stageState(state, each.id)));
}

/** What is disarmed at the end of this wait: its own that go no further, and those that have come up to here. */
export function endingAt(state: RolloutState, spec: WaitStage): readonly WatchSpec[] {
  const { armed } = stageState(state, spec.id);
  const own = spec.watches.filter(({ id, until = spec.id }) => until === spec.id && armed.includes(id));
  const kept = keptAt(state, spec).flatMap(({ stage, watch }) =>
    watch.until === spec.id && stage.armed.includes(watch.id) ? [watch] : [],
  );
  return [...own, ...kept];
}

export function allArmed(state: RolloutState): readonly WatchSpec[] {
  return state.plan.stages.flatMap((spec) => {
    if (spec.kind !== "wait") return [];
    const { armed } = stageState(state, spec.id);
    return spec.watches.filter(({ id }) => armed.includes(id));
  });
}

/** After a person's retry: whatever has only gone blind may look again. */
export function seeingAgain(stage: StageState): StageState {
  const blind = stage.fired.filter(({ reacted }) => !reacted).map(({ watch }) => watch);
  if (blind.length === 0) return stage;
  return {
    ...stage,
    armed: stage.armed.filter((id) => !blind.includes(id)),
    fired: stage.fired.filter(({ reacted }) => reacted),
  };
}
