/** Holds: those that a phase makes permanent before it begins, and those that came down before. */
import { failure } from "#proto/common/failure.ts";
import type { ClusterStage, Phase } from "../plan.ts";
import { stepsOf } from "../stage-programs.ts";
import { type Action, whyEnded } from "./action.ts";
import { wantedOf } from "./skipped.ts";
import {
  type HoldRef,
  holdKey,
  type ProgramState,
  type RolloutState,
  type StageState,
  stageState,
} from "./state.ts";

/** A hold that is not kept yet, or the stop for one that its node would not keep. */
export function nextHold(state: RolloutState, { id: stage }: ClusterStage, phase: Phase): Action | undefined {
  for (const hold of holdsOf(state, phase)) {
    const answer = state.holds[holdKey(hold)];
    if (answer === undefined) return { do: "keep-hold", stage, hold };
    if (answer === "permanent") continue;
    const { node, step } = hold;
    const why = { code: answer.code, facts: { ...answer.facts, node, step } };
    return { do: "stop", stage, node, why, hint: "hint.hold-refused" };
  }
  return undefined;
}

/**
 * The stop for a program that has failed where a hold of an earlier phase has come down by itself meanwhile: what it has found behind
 * that hold says nothing.
 */
export function stopForLapsed(
  spec: ClusterStage,
  { begun, phasesPassed }: StageState,
  failed: ProgramState,
): Action | undefined {
  const lapsed = begun.find(
    ({ wireStage, node, step, undone }) =>
      undone &&
      phasesPassed.some((phase) => wireStage === `${spec.id}/${phase}`) &&
      stepsOf(spec, { wireStage, node }).some(
        ({ id, holdLimitMs }) => id === step && holdLimitMs !== undefined,
      ),
  );
  if (lapsed === undefined) return undefined;
  const { node, step: hold } = lapsed;
  const { node: behind, lastStep: step = "" } = failed;
  const why = failure("hold.lapsed", { node, hold, behind, step, cause: whyEnded(failed).code });
  return { do: "stop", stage: spec.id, node, why, hint: "hint.hold-refused" };
}

/** On every node whose program has made one. */
function holdsOf(state: RolloutState, { makesPermanent = [] }: Phase): readonly HoldRef[] {
  const { plan } = state;
  return makesPermanent.flatMap((name) => {
    const [stage, phase, step = ""] = name.split("/");
    const spec = plan.stages.find(({ id }) => id === stage);
    const made = spec?.kind === "cluster" ? spec.phases.find(({ id }) => id === phase) : undefined;
    if (spec === undefined || made === undefined) return [];
    const wireStage = `${stage}/${phase}`;
    const wanted = wantedOf(state, stageState(state, spec.id), { wireStage, programs: made.programs });
    return wanted.flatMap(({ node, steps }) =>
      steps.some(({ id }) => id === step) ? [{ node, stage: wireStage, step }] : [],
    );
  });
}
