/**
 * What comes next in a rollout: a pure function of its state. The engine performs the one action, appends
 * what came of it, and asks again; after a crash the same question gives the same answer.
 */
import { failure } from "#proto/common/failure.ts";
import type {
  ClusterStage,
  FinishStage,
  GateSpec,
  NodeStage,
  Phase,
  PlanProgram,
  PreflightStage,
  Stage,
} from "../plan.ts";
import { decideAbort } from "./abort.ts";
import { type Action, nextGate, rest } from "./action.ts";
import { hintOfEnd } from "./hint.ts";
import { nextHold } from "./hold.ts";
import { expectedOf, wantedOf } from "./skipped.ts";
import {
  type HeldLock,
  type ProgramState,
  programKey,
  type RolloutState,
  type StageState,
  stageState,
} from "./state.ts";
import { decideWait, stopForFired } from "./wait.ts";

export function decide(state: RolloutState): Action {
  const action = nextAction(state);
  return action.do === "take-gate" ? { ...action, gate: expectedOf(action.gate, state) } : action;
}

function nextAction(state: RolloutState): Action {
  if (state.end !== undefined || state.stop !== undefined) return rest;
  const spec = state.plan.stages.find((stage) => !isOver(stageState(state, stage.id)));
  if (state.aborting) return decideAbort(state, spec);
  if (spec === undefined) return { do: "finish" };
  const stage = stageState(state, spec.id);
  const fired = spec.kind === "wait" ? stopForFired(spec, stage) : undefined;
  if (fired !== undefined) return fired;
  // a pause starts nothing new; what is in work goes on to its end
  if (state.paused !== undefined && !isInWork(state, stage)) return rest;
  if (stage.standing === "pending") return startStage(state, spec, stage);
  switch (spec.kind) {
    case "preflight":
      return decideParallel(state, spec, stage, spec.programs, []);
    case "node":
      return decideNode(state, spec, stage);
    case "cluster":
      return decideCluster(state, spec, stage);
    case "wait":
      return decideWait(spec, stage);
    case "finish":
      return decideParallel(state, spec, stage, spec.programs, spec.gates);
  }
}

/** Grants of one stage that may go back (an election of NATS, a busy agent) before a person is asked. */
const maxWithdrawals = 5;

function isOver({ standing }: StageState): boolean {
  return standing === "passed" || standing === "skipped";
}

function isInWork(state: RolloutState, stage: StageState): boolean {
  return (
    state.lock !== undefined || Object.values(stage.programs).some(({ standing }) => standing !== "ended")
  );
}

function startStage(state: RolloutState, spec: Stage, stage: StageState): Action {
  const { stopAfterNodes, approveEach } = state.options;
  if (spec.kind === "node" && state.lock === undefined) {
    if (stopAfterNodes !== undefined && state.nodesSinceResume >= stopAfterNodes)
      return { do: "pause", reason: `--stop-after ${stopAfterNodes}` };
    if (approveEach && !stage.approved) {
      return {
        do: "await-approval",
        stage: spec.id,
        why: failure("rollout.waits-for-approval", { rollout: state.id, stage: spec.id, node: spec.node }),
      };
    }
  }
  return { do: "start-stage", stage: spec.id, attempt: stage.attempt + 1 };
}

function decideNode(state: RolloutState, spec: NodeStage, stage: StageState): Action {
  const lock = lockOf(state, spec.id);
  const program = stage.programs[programKey(spec.id, spec.node)];
  if (lock === undefined) {
    const before = beforeGrant(state, spec, stage) ?? {
      do: "grant",
      stage: spec.id,
      clusters: [spec.cluster],
      nodes: [spec.node],
      scope: "node",
    };
    return afterFreed(state, spec.id, stage, program) ?? afterWithdrawn(spec.id, stage) ?? before;
  }
  if (!lock.announced) return { do: "announce", stage: spec.id };
  if (program === undefined)
    return { do: "send", stage: spec.id, programs: [spec.program], attempt: stage.attempt, lock };
  if (program.standing !== "ended") return { do: "await-programs", stage: spec.id, nodes: [spec.node] };
  if (program.outcome !== "done") return programFailed(spec.id, lock, program);
  return nextGate(spec.id, spec.after, stage, "after") ?? { do: "free", stage: spec.id, lock };
}

function beforeGrant(
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
function afterFreed(
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
function afterWithdrawn(id: string, stage: StageState): Action | undefined {
  const refused = Object.values(stage.programs).find(
    ({ standing, outcome }) => standing === "ended" && outcome !== "done",
  );
  if (refused !== undefined) {
    const why = refused.failure ?? failure("program.ended", { outcome: refused.outcome ?? "unknown" });
    const facts = { ...why.facts, node: refused.node, step: refused.lastStep ?? "" };
    return {
      do: "stop",
      stage: id,
      node: refused.node,
      why: { code: why.code, facts },
      hint: "hint.mend-and-resume",
    };
  }
  if (stage.withdrawals < maxWithdrawals) return undefined;
  const why = failure("lock.given-up", { stage: id, tries: String(stage.withdrawals) });
  return { do: "stop", stage: id, why, hint: "hint.mend-and-resume" };
}

/** Before anything was touched the lock goes back; afterwards it stays until the node is proven. */
function programFailed(id: string, lock: HeldLock, program: ProgramState): Action {
  const why =
    program.failure ??
    failure("program.ended", { outcome: program.outcome ?? "unknown", node: program.node });
  const untouched = program.outcome === "never-begun" || !lock.entered.includes(program.node);
  const others = lock.entered.filter((node) => node !== program.node);
  if (untouched && others.length === 0) return { do: "withdraw", stage: id, lock, why };
  const facts = { ...why.facts, node: program.node, step: program.lastStep ?? "" };
  return {
    do: "stop",
    stage: id,
    node: program.node,
    why: { code: why.code, facts },
    hint: hintOfEnd(program.outcome),
  };
}

function decideCluster(state: RolloutState, spec: ClusterStage, stage: StageState): Action {
  const lock = lockOf(state, spec.id);
  if (lock === undefined) {
    if (spec.phases.every(({ id }) => stage.phasesPassed.includes(id))) {
      return stage.snapshots.includes("after")
        ? { do: "pass-stage", stage: spec.id }
        : { do: "snapshot", stage: spec.id, when: "after" };
    }
    const nodes = nodesOf(state, spec, stage);
    if (nodes.length === 0) return { do: "pass-stage", stage: spec.id };
    return (
      afterWithdrawn(spec.id, stage) ??
      beforeGrant(state, spec, stage) ?? {
        do: "grant",
        stage: spec.id,
        clusters: spec.clusters,
        nodes,
        scope: "cluster",
      }
    );
  }
  if (!lock.announced) return { do: "announce", stage: spec.id };
  const phase = spec.phases.find(({ id }) => !stage.phasesPassed.includes(id));
  return phase === undefined
    ? { do: "free", stage: spec.id, lock }
    : decidePhase(state, spec, stage, { phase, lock });
}

function nodesOf(
  state: RolloutState,
  { id, touches = [], phases }: ClusterStage,
  stage: StageState,
): readonly string[] {
  const wanted = phases.flatMap((phase) =>
    wantedOf(state, stage, { wireStage: `${id}/${phase.id}`, programs: phase.programs }),
  );
  return [...new Set([...touches, ...wanted.map(({ node }) => node)])].sort();
}

function decidePhase(
  state: RolloutState,
  spec: ClusterStage,
  stage: StageState,
  { phase, lock }: { readonly phase: Phase; readonly lock: HeldLock },
): Action {
  const wireStage = `${spec.id}/${phase.id}`;
  const wanted = wantedOf(state, stage, { wireStage, programs: phase.programs });
  const states = wanted.map(({ node }) => stage.programs[programKey(wireStage, node)]);
  const failed = states.find((program) => program?.standing === "ended" && program.outcome !== "done");
  const running = states.flatMap((program) =>
    program !== undefined && program.standing !== "ended" ? [program.node] : [],
  );
  if (failed !== undefined && running.length === 0)
    return enterAgain(spec, stage, { phase, lock, failed }) ?? programFailed(spec.id, lock, failed);
  const unsent = failed === undefined ? wanted.filter((_, index) => states[index] === undefined) : [];
  const next = phase.order === "parallel" ? unsent : running.length > 0 ? [] : unsent.slice(0, 1);
  const { attempt } = stage;
  if (next.length > 0)
    return (
      nextHold(state, spec, phase) ?? {
        do: "send",
        stage: spec.id,
        phase: phase.id,
        programs: next,
        attempt,
        lock,
      }
    );
  if (running.length > 0) return { do: "await-programs", stage: spec.id, nodes: running };
  return (
    nextGate(spec.id, phase.after, stage, "after") ?? { do: "pass-phase", stage: spec.id, phase: phase.id }
  );
}

/** The store was without a leader while the node asked, as it is now and then: others are in, so it asks again. */
function enterAgain(
  { id }: ClusterStage,
  stage: StageState,
  { phase, lock, failed }: { readonly phase: Phase; readonly lock: HeldLock; readonly failed: ProgramState },
): Action | undefined {
  const othersAreIn = lock.entered.some((node) => node !== failed.node);
  if (failed.outcome !== "never-begun" || !othersAreIn || stage.withdrawals >= maxWithdrawals)
    return undefined;
  const programs = phase.programs.filter(({ node }) => node === failed.node);
  return { do: "send", stage: id, phase: phase.id, programs, attempt: failed.attempt + 1, lock };
}

function decideParallel(
  state: RolloutState,
  spec: PreflightStage | FinishStage,
  stage: StageState,
  programs: readonly PlanProgram[],
  gates: readonly GateSpec[],
): Action {
  if (spec.kind === "preflight" && !stage.snapshots.includes("before"))
    return { do: "snapshot", stage: spec.id, when: "before" };
  const wanted = programs.filter(({ node }) => !state.skipped.includes(node));
  const states = wanted.map(({ node }) => stage.programs[programKey(spec.id, node)]);
  const unsent = wanted.filter((_, index) => states[index] === undefined);
  if (unsent.length > 0) return { do: "send", stage: spec.id, programs: unsent, attempt: stage.attempt };
  const running = states.flatMap((program) =>
    program !== undefined && program.standing !== "ended" ? [program.node] : [],
  );
  if (running.length > 0) return { do: "await-programs", stage: spec.id, nodes: running };
  const failed = states.find((program) => program?.outcome !== "done");
  if (failed !== undefined) {
    const why = failed.failure ?? failure("program.ended", { outcome: failed.outcome ?? "unknown" });
    const facts = { ...why.facts, node: failed.node, step: failed.lastStep ?? "" };
    return {
      do: "stop",
      stage: spec.id,
      node: failed.node,
      why: { code: why.code, facts },
      hint: "hint.mend-and-resume",
    };
  }
  const gate = nextGate(spec.id, gates, stage, "after");
  if (gate !== undefined) return gate;
  if (spec.kind === "finish" && !stage.snapshots.includes("after"))
    return { do: "snapshot", stage: spec.id, when: "after" };
  return { do: "pass-stage", stage: spec.id };
}

function lockOf(state: RolloutState, stage: string): HeldLock | undefined {
  return state.lock?.stage === stage ? state.lock : undefined;
}
