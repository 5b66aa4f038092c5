/** The person's yes that a rollout waits for. */
import type { Failure } from "#proto/common/failure.ts";
import { decide } from "./decide.ts";
import type { RolloutState } from "./state.ts";

export interface Asked {
  readonly stage: string;
  readonly why: Failure;
}

/** Also while a gate of that wait has lapsed: the yes is taken, and counts when the gate is green again. */
export function askedOf(state: RolloutState): Asked | undefined {
  const action = decide(state);
  if (action.do === "await-approval") return action;
  const why = state.waiting?.why;
  if (why?.code !== "rollout.waits-for-approval") return undefined;
  return action.do === "take-gate" && why.facts["stage"] === action.stage
    ? { stage: action.stage, why }
    : undefined;
}
