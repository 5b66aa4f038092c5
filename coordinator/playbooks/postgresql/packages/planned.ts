/** Where a plan installs packages: by the plan itself, since the agent's file may say something else by now. */
import type { Plan } from "../../../domain/plan.ts";
import { programsOf } from "../../../domain/stage-programs.ts";

/** Names of its nodes. */
export function addsOn(plan: Plan): readonly string[] {
  const programs = plan.stages.flatMap((stage) => programsOf(stage).map(({ program }) => program));
  return programs.flatMap(({ node, steps }) => (steps.some(({ id }) => id === "add-packages") ? [node] : []));
}
