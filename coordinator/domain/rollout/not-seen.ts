/**
 * What a rollout has not seen at its end: nodes at the new version that were skipped, and what its steps have looked
 * for in vain without being asked to wait longer. Told, stops nothing.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import { leftBehind } from "./skipped.ts";
import type { RolloutState } from "./state.ts";

/** Begins the name of a step's output that says so; the rest of the name is what was looked for. */
const prefix = "not-seen.";

export function notSeenIn(state: Pick<RolloutState, "stages" | "plan" | "skipped">): readonly Failure[] {
  return [...leftBehind(state), ...notSeenBySteps(state)];
}

function notSeenBySteps({ stages }: Pick<RolloutState, "stages">): readonly Failure[] {
  return stages
    .flatMap(({ programs }) => Object.values(programs))
    .flatMap(({ node, steps }) =>
      Object.values(steps).flatMap(({ outputs }) =>
        Object.entries(outputs)
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, says]) => failure("step.not-seen", { node, what: name.slice(prefix.length), says })),
      ),
    );
}
