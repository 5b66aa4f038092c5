/** What steps, and watches that measure on, have told that a person should know: by their outputs' names. */
import { type Facts, type Failure, failure } from "#proto/common/failure.ts";
import type { StageState } from "./state.ts";

/** Begins the name of a step's output that says so; the rest of the name is what was looked for. */
const prefix = "not-seen.";
/** Begins the name of an output that a person should know at the end; the rest of the name is what it is about. */
const toldPrefix = "told.";

/** Of all its runs. */
export function toldBy({ told, programs }: Pick<StageState, "told" | "programs">): readonly Failure[] {
  const now = Object.values(programs).flatMap(({ node, steps }) =>
    Object.values(steps).flatMap(({ outputs }) => toldIn(node, outputs)),
  );
  return [...told, ...now];
}

export function toldIn(node: string, outputs: Facts): readonly Failure[] {
  return Object.entries(outputs).flatMap(([name, says]) => toldOf(name, { node, says }));
}

function toldOf(name: string, facts: Facts): readonly Failure[] {
  if (name.startsWith(prefix))
    return [failure("step.not-seen", { ...facts, what: name.slice(prefix.length) })];
  if (!name.startsWith(toldPrefix)) return [];
  return [failure("step.told", { ...facts, what: name.slice(toldPrefix.length) })];
}
