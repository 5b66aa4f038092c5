/** Holds that a phase makes permanent before it begins. */
import type { ClusterStage, Phase } from "../plan.ts";
import type { Action } from "./action.ts";
import { wantedOf } from "./skipped.ts";
import { type HoldRef, holdKey, type RolloutState, stageState } from "./state.ts";

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
