/** Steps that look for what is left, and let the agent forget. */
import type { PlanStep } from "../../../domain/plan.ts";
import type { Endpoint } from "../move.ts";
import { step } from "../step.ts";
import { type Of, systemOf } from "./of.ts";

export function scan(subscriber: Endpoint, of: Of = {}): PlanStep {
  return step(
    "scan-left-overs",
    { ...of, ...systemOf(subscriber) },
    "slots, publications, subscriptions, roles, pg_hba.conf, files: nothing of this rollout",
  );
}

export function forget(of: Of = {}, id: "forget" | "forget-own" = "forget"): PlanStep {
  return step(id, { ...of }, "the agent's own notes of what was before", {
    verb: "forget",
    class: "reversible",
  });
}
