/**
 * What a rollout has not seen at its end: nodes at the new version that were skipped, and what its steps have looked
 * for in vain without being asked to wait longer. Told, stops nothing.
 */
import { type Facts, type Failure, failure } from "#proto/common/failure.ts";
import { leftBehind } from "./skipped.ts";
import type { RolloutState } from "./state.ts";

/** Begins the name of a step's output that says so; the rest of the name is what was looked for. */
const prefix = "not-seen.";
/** Begins the name of an output that a person should know at the end; the rest of the name is what it is about. */
const toldPrefix = "told.";

export function notSeenIn(state: Pick<RolloutState, "stages" | "plan" | "skipped">): readonly Failure[] {
  return [...leftBehind(state), ...notSeenBySteps(state)];
}

function notSeenBySteps({ stages }: Pick<RolloutState, "stages">): readonly Failure[] {
  return stages
    .flatMap(({ programs }) => Object.values(programs))
    .flatMap(({ node, steps }) =>
      Object.values(steps).flatMap(({ outputs }) =>
        Object.entries(outputs).flatMap(([name, says]) => toldOf(name, { node, says })),
      ),
    );
}

function toldOf(name: string, facts: Facts): readonly Failure[] {
  if (name.startsWith(prefix))
    return [failure("step.not-seen", { ...facts, what: name.slice(prefix.length) })];
  if (!name.startsWith(toldPrefix)) return [];
  return [failure("step.told", { ...facts, what: name.slice(toldPrefix.length) })];
}
