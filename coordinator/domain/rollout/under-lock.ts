/** What all stages with a lock share: the way to its grant, its end with the work done, and its end without. */
import { failure } from "#proto/common/failure.ts";
import type { ClusterStage, NodeStage, PlanProgram, Stage } from "../plan.ts";
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
  const isPictured = stage.reopened === 0 && isJustPictured(state, spec);
  if (!stage.snapshots.includes("before") && !isPictured)
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
export function programFailed(stage: StageState, lock: HeldLock, program: ProgramState): Action {
  const { id } = stage;
  const { node, outcome } = program;
  const neverBegan = outcome === "never-begun" && !mayBeHalfWay(stage, lock, node);
  const untouched = neverBegan || !lock.entered.includes(node);
  const others = lock.entered.filter((each) => each !== node);
  return untouched && others.length === 0
    ? { do: "withdraw", stage: id, lock, why: whyEnded(program) }
    : stopAtEnd(id, program, hintOfEnd(outcome));
}

/**
 * That a try never began says nothing of its node where an earlier one was in under this lock, or has begun
 * something: only gates can say that the node is well.
 */
export function mayBeHalfWay(stage: StageState, { entered }: HeldLock, node: string): boolean {
  if (!entered.includes(node)) return false;
  const told = Object.values(stage.programs).filter((program) => program.node === node);
  const wasInBefore = told.length === 0 || told.some(({ nodeWasIn }) => nodeWasIn === true);
  return wasInBefore || stage.lost.includes(node) || stage.begun.some((step) => step.node === node);
}

/**
 * The store was without a leader while the node asked, as it is now and then: where the lock cannot go back,
 * because others are in or the node is half-way, it asks again.
 */
export function enterAgain(
  { id }: Stage,
  stage: StageState,
  {
    phase,
    programs,
    lock,
    failed,
  }: {
    readonly phase?: string;
    readonly programs: readonly PlanProgram[];
    readonly lock: HeldLock;
    readonly failed: ProgramState;
  },
): Action | undefined {
  const { node, outcome, attempt } = failed;
  if (outcome !== "never-begun" || stage.withdrawals >= maxWithdrawals) return undefined;
  const othersAreIn = lock.entered.some((each) => each !== node);
  if (!othersAreIn && !mayBeHalfWay(stage, lock, node)) return undefined;
  return {
    do: "send",
    stage: id,
    programs: programs.filter((program) => program.node === node),
    attempt: attempt + 1,
    lock,
    ...(phase === undefined ? {} : { phase }),
  };
}
