/** `server.time_until_store_dead` raised while a node is away, put back, and looked at in the end. */
import type { PlanStep } from "../../domain/plan.ts";
import { minute, step } from "./step.ts";
import type { Journey } from "./steps.ts";
import { type Raise, storeDead } from "./store-dead.ts";

export function raiseSteps({ raise }: Journey): readonly PlanStep[] {
  if (raise === undefined) return [];
  return [
    step("raise-store-dead", { ...raise }, `SET CLUSTER SETTING ${storeDead} = '${raise.to}'`, {
      class: "reversible",
      deadlineMs: 5 * minute,
      undo: { verb: "kwdb.put-back-store-dead", args: {} },
    }),
  ];
}

/** The value that was kept, to the letter; where it was never set, it is not set afterwards. */
export const putBackStep = step(
  "put-back-store-dead",
  {},
  `SET CLUSTER SETTING ${storeDead} as it was, or RESET where it was not set`,
  { class: "reversible", deadlineMs: 5 * minute, mayStopAfter: true },
);

/** Asked of one node at the end: a node that was skipped has not put it back. */
export function storeDeadStep({ to, was }: Raise): PlanStep {
  return step("report-store-dead", { to, was }, `SHOW CLUSTER SETTING ${storeDead}`, {
    deadlineMs: 2 * minute,
  });
}
