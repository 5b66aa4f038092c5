/** Steps for the old server when it is of no use any more. */
import type { PlanStep } from "../../../domain/plan.ts";
import { call, hour, minute, step } from "../step.ts";

export function putAway(unit: string): PlanStep {
  return step("put-away", {}, `systemctl stop ${unit}; systemctl mask ${unit}`, {
    class: "reversible",
    deadlineMs: 10 * minute,
    undo: call("take-back"),
  });
}

export function removePutAway(systemId: string, data: string): PlanStep {
  return step("remove-put-away", { systemId }, `rm -r ${data}/*`, {
    class: "irreversible",
    deadlineMs: 6 * hour,
  });
}
