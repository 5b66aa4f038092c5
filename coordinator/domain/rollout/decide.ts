/**
 * What comes next in a rollout: a pure function of its state. The engine performs the one action, appends
 * what came of it, and asks again; after a crash the same question gives the same answer.
 */
import { failure } from "#proto/common/failure.ts";
import type { Stage } from "../plan.ts";
import { decideAbort } from "./abort.ts";
import { type Action, rest } from "./action.ts";
import { decideCluster } from "./cluster-stage.ts";
import { firedAt, unarmedAt } from "./kept-watches.ts";
import { decideNode } from "./node-stage.ts";
import { waitBehind } from "./reopening.ts";
import { expectedOf } from "./skipped.ts";
import { type RolloutState, type StageState, stageState } from "./state.ts";
import { decideUnlocked } from "./unlocked-stage.ts";
import { decideWait, stopForFired } from "./wait.ts";

export function decide(state: RolloutState): Action {
  const action = nextAction(state);
  if (action.do === "take-gate") return { ...action, gate: expectedOf(action.gate, state) };
  return action.do === "await-approval"
    ? { ...action, gates: action.gates.map((gate) => expectedOf(gate, state)) }
    : action;
}

function nextAction(state: RolloutState): Action {
  if (state.end !== undefined || state.stop !== undefined) return rest;
  const spec = state.plan.stages.find((stage) => !isOver(stageState(state, stage.id)));
  if (state.aborting) return decideAbort(state, spec);
  if (spec === undefined) return { do: "finish" };
  const stage = stageState(state, spec.id);
  const watched = isInWork(state, stage) ? undefined : watching(state, spec);
  if (watched !== undefined) return watched;
  // a pause starts nothing new; what is in work goes on to its end
  if (state.paused !== undefined && !isInWork(state, stage)) return rest;
  if (stage.standing === "pending") return startStage(state, spec, stage);
  switch (spec.kind) {
    case "preflight":
    case "finish":
      return decideUnlocked(state, spec, stage);
    case "node":
      return decideNode(state, spec, stage);
    case "cluster":
      return decideCluster(state, spec, stage);
    case "wait":
      return decideWait(state, spec, stage);
  }
}

/** Before anything is begun: what watches have done, and whether those that should still stand do. */
function watching(state: RolloutState, spec: Stage): Action | undefined {
  // for a stage that runs again it is the wait further on whose watches stand
  const at = waitBehind(state, spec) ?? spec;
  const { fired: own, waitOver } = stageState(state, at.id);
  const fired = firedAt(state, at) ?? (at.kind === "wait" ? own[0] : undefined);
  if (fired !== undefined) return stopForFired(state.plan, spec.id, fired);
  // at its end a wait disarms what stood up to it
  const watches = waitOver ? [] : unarmedAt(state, at);
  return watches.length === 0 ? undefined : { do: "arm-watches", stage: spec.id, watches, anew: true };
}

export function isOver({ standing }: StageState): boolean {
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
        gates: [],
      };
    }
  }
  return { do: "start-stage", stage: spec.id, attempt: stage.attempt + 1 };
}
