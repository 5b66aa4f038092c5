/**
 * An abort: what runs stops at its next safe boundary, what is reversible is undone in reverse order, and the
 * lock stays until its nodes are proven. What is past an irreversible step is not undone: it is proven as it is.
 */
import { failure } from "#proto/common/failure.ts";
import type { ClusterStage, GateSpec, PlanProgram, Stage } from "../plan.ts";
import { stepsOf } from "../stage-programs.ts";
import { type Action, nextGate, stopAtEnd } from "./action.ts";
import { allArmed } from "./kept-watches.ts";
import { leavesStanding, wayBackOf } from "./left-standing.ts";
import { isAnyPastReturn } from "./past-return.ts";
import { wantedOf } from "./skipped.ts";
import {
  type HeldLock,
  type ProgramState,
  programKey,
  type RolloutState,
  type StageState,
  stageState,
} from "./state.ts";

export function decideAbort(state: RolloutState, spec: Stage | undefined): Action {
  const stage = spec === undefined ? undefined : stageState(state, spec.id);
  const stays = state.givenUp !== true && leavesStanding(state);
  // what is left keeps growing on its hosts: who guards them stays until it goes
  const isAsked = !stays && state.unguarded !== true;
  const watches = isAsked ? allArmed(state).filter(({ cluster }) => cluster !== state.gone) : [];
  if (stage !== undefined && watches.length > 0) return { do: "disarm-watches", stage: stage.id, watches };
  const running = Object.values(stage?.programs ?? {}).flatMap(({ node, standing }) =>
    standing === "ended" ? [] : [node],
  );
  if (stage !== undefined && running.length > 0)
    return { do: "ask-to-stop", stage: stage.id, nodes: running };
  const { lock } = state;
  if (spec === undefined || stage === undefined) return { do: "finish-abort" };
  if (lock === undefined) return stays ? standing(state, spec) : { do: "finish-abort" };
  if (lock.entered.length === 0)
    return {
      do: "withdraw",
      stage: lock.stage,
      lock,
      why: failure("rollout.aborted", { rollout: state.id }),
    };
  // a person goes back from here with another plan, which proves the nodes instead
  if (state.leftTo !== undefined) return { do: "free", stage: lock.stage, lock };
  return undoing(spec, stage, lock) ?? proving(state, spec, lock);
}

function standing(state: RolloutState, { id: stage }: Stage): Action {
  const why = failure("rollout.left-standing", { rollout: wayBackOf(state), stage });
  return { do: "stop", stage, why, hint: "hint.left-standing" };
}

function undoing(spec: Stage, stage: StageState, lock: HeldLock): Action | undefined {
  const failed = Object.values(stage.programs).find(
    ({ undoAsked, outcome }) => undoAsked !== undefined && outcome !== "stopped" && outcome !== "never-begun",
  );
  if (failed !== undefined) return stopAtEnd(stage.id, failed, "hint.undo-failed");
  const programs = nextToUndo(spec, stage, lock);
  return programs.length === 0 ? undefined : { do: "undo", stage: stage.id, programs };
}

/**
 * Last phase first; within a phase all at once, or from the last node to the first where they went one by one. Once
 * any program is past its return nothing is undone on any node: a cluster is not started mixed.
 */
function nextToUndo(spec: Stage, stage: StageState, { entered }: HeldLock): readonly ProgramState[] {
  if (isAnyPastReturn(spec, stage)) return [];
  for (const { programs, oneByOne } of inReverse(spec, stage)) {
    const left = programs.filter(
      (program) =>
        entered.includes(program.node) &&
        program.outcome !== "stopped" &&
        program.outcome !== "never-begun" &&
        changes(spec, program),
    );
    if (left.length > 0) return oneByOne ? left.slice(-1) : left;
  }
  return [];
}

/** A program that only looks leaves nothing to undo. */
function changes(spec: Stage, program: ProgramState): boolean {
  return stepsOf(spec, program).some((step) => step.class !== "observe");
}

function inReverse(
  spec: Stage,
  stage: StageState,
): readonly { readonly programs: readonly ProgramState[]; readonly oneByOne: boolean }[] {
  if (spec.kind !== "cluster") return [{ programs: Object.values(stage.programs), oneByOne: false }];
  return spec.phases.toReversed().map(({ id, order, programs }) => ({
    oneByOne: order === "one-by-one",
    programs: programs.flatMap(({ node }) => stage.programs[programKey(`${spec.id}/${id}`, node)] ?? []),
  }));
}

function proving(state: RolloutState, spec: Stage, lock: HeldLock): Action {
  const stage = stageState(state, spec.id);
  const past = isAnyPastReturn(spec, stage);
  if (past && spec.kind === "cluster" && !isThrough(state, spec, stage)) {
    const why = failure("rollout.past-return", { rollout: state.id, stage: spec.id });
    return { do: "stop", stage: spec.id, why, hint: "hint.past-return" };
  }
  return (
    nextGate(spec.id, gatesAfterAbort(spec, past), stage, "after") ?? { do: "free", stage: lock.stage, lock }
  );
}

/** Every phase has done its work; what is left is to prove it. */
function isThrough(state: RolloutState, { id, phases }: ClusterStage, stage: StageState): boolean {
  return phases.every((phase) => {
    const wireStage = `${id}/${phase.id}`;
    const wanted = wantedOf(state, stage, { wireStage, programs: phase.programs });
    const done = ({ node }: PlanProgram) => stage.programs[programKey(wireStage, node)]?.outcome === "done";
    return stage.phasesPassed.includes(phase.id) || wanted.every(done);
  });
}

/** Undone, the stage is as before it; past a point of no return it must be as after it. */
function gatesAfterAbort(spec: Stage, past: boolean): readonly GateSpec[] {
  if (spec.kind === "node") return past ? spec.after : spec.before;
  if (spec.kind !== "cluster") return [];
  return past ? lastGates(spec) : spec.before;
}

function lastGates({ phases, before }: ClusterStage): readonly GateSpec[] {
  return phases.findLast(({ after }) => after.length > 0)?.after ?? before;
}
