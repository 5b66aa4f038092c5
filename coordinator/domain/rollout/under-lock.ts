/** What all stages with a lock share: the way to its grant, its end with the work done, and its end without. */
import { failure } from "#proto/common/failure.ts";
import type { ClusterStage, NodeStage, Stage } from "../plan.ts";
import { type Action, nextGate, stopAtEnd, whyEnded } from "./action.ts";
import { hintOfEnd } from "./hint.ts";
import type { HeldLock, ProgramState, RolloutState, StageState } from "./state.ts";

/** Grants of one stage that may go back (an election of NATS, a busy agent) before a person is asked. */
export const maxWithdrawals = 5;

export function lockOf(state: RolloutState, stage: string): HeldLock | undefined {
  return state.lock?.stage === stage ? state.lock : undefined;
}

export function beforeGrant(
  state: RolloutState,
  spec: NodeStage | ClusterStage,
  stage: StageState,
): Action | undefined {
  if (!stage.snapshots.includes("before") && !isJustPictured(state, spec))
    return { do: "snapshot", stage: spec.id, when: "before" };
  const gate = nextGate(spec.id, spec.before, stage, "before");
  if (gate !== undefined) return gate;
  return stage.checked ? undefined : { do: "look-before-grant", stage: spec.id };
}

/** The snapshot after the stage before is the one before this: nothing has happened between them. */
function isJustPictured(state: RolloutState, spec: Stage): boolean {
  const before = state.stages[state.plan.stages.indexOf(spec) - 1];
  return before !== undefined && before.standing === "passed" && before.snapshots.includes("after");
}

/** The stage's own lock was freed with its work done: what is left is to tell. */
export function afterFreed(
  state: RolloutState,
  id: string,
  stage: StageState,
  program: ProgramState | undefined,
): Action | undefined {
  const done = program?.outcome === "done" && state.freed.some((freed) => freed.stage === id);
  if (!done) return undefined;
  return stage.snapshots.includes("after")
    ? { do: "pass-stage", stage: id }
    : { do: "snapshot", stage: id, when: "after" };
}

/** The lock went back with nothing touched: stop where a program has said why, or where it went back too often. */
export function afterWithdrawn(id: string, stage: StageState): Action | undefined {
  const refused = Object.values(stage.programs).find(
    ({ standing, outcome }) => standing === "ended" && outcome !== "done",
  );
  if (refused !== undefined) return stopAtEnd(id, refused, "hint.mend-and-resume");
  if (stage.withdrawals < maxWithdrawals) return undefined;
  const why = failure("lock.given-up", { stage: id, tries: String(stage.withdrawals) });
  return { do: "stop", stage: id, why, hint: "hint.mend-and-resume" };
}

/** Before anything was touched the lock goes back; afterwards it stays until the node is proven. */
export function programFailed(id: string, lock: HeldLock, program: ProgramState): Action {
  const untouched = program.outcome === "never-begun" || !lock.entered.includes(program.node);
  const others = lock.entered.filter((node) => node !== program.node);
  return untouched && others.length === 0
    ? { do: "withdraw", stage: id, lock, why: whyEnded(program) }
    : stopAtEnd(id, program, hintOfEnd(program.outcome));
}
