/**
 * What a rollout has not seen at its end: nodes at the new version that were skipped, and what its steps have looked
 * for in vain without being asked to wait longer. Told, stops nothing.
 */
import type { Failure } from "#proto/common/failure.ts";
import { leftBehind } from "./skipped.ts";
import type { RolloutState } from "./state.ts";
import { toldBy } from "./told.ts";

export function notSeenIn(state: Pick<RolloutState, "stages" | "plan" | "skipped">): readonly Failure[] {
  return [...leftBehind(state), ...state.stages.flatMap(toldBy)];
}
