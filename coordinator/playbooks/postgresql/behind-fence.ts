/**
 * Rows that a superuser writes behind the fence, which does not hold him: looked for before the other server is opened, and once more
 * before the slots go that tell of them. Where the mover's slots cannot be read, of what replication does not carry alone.
 */
import type { Phase, PlanStep } from "../../domain/plan.ts";
import { type Endpoint, type Move, on, phase } from "./move.ts";
import type { Of, Way } from "./steps/of.ts";
import * as steps from "./steps.ts";

/**
 * While the fence is still a hold: where somebody has written, it comes down by itself, and the rows go over. `beside`: what is done
 * on the other server meanwhile.
 */
export function unwritten(
  { databases, mover, settings: { fenceLimitMs } }: Move,
  { left, way, of = {} }: { readonly left: Endpoint; readonly way: Way; readonly of?: Of },
  ...beside: Phase["programs"]
): Phase {
  const looking = mover.tellsChanges ? [steps.proveUnwritten(way, databases, { fenceLimitMs, of })] : [];
  const programs = [on(left, ...looking, steps.proveUnreplicated(databases, fenceLimitMs)), ...beside];
  return phase("unwritten", programs);
}

export function rowsLeft({ databases, mover }: Move, way: Way, of: Of = {}): readonly PlanStep[] {
  return mover.tellsChanges ? [steps.findRowsLeft(way, databases, of)] : [];
}
