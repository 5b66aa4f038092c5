/** What a way back would have to undo. No playbook plans one yet; what stands in its place is said by how far it went. */
import { fail, type Outcome } from "#proto/common/failure.ts";
import type { PlanStep } from "../plan.ts";
import { programsOf } from "../stage-programs.ts";
import type { RolloutState, StageState } from "./state.ts";

export function whyNoPlanBack(state: RolloutState): Outcome<never> {
  const { id, plan } = state;
  const nodes = plan.stages.flatMap((spec, index) =>
    programsOf(spec)
      .filter(({ program }) => program.steps.some(isFinal))
      .map(({ program: { node, steps } }) => ({ node, begun: hasBegun(state.stages[index], node, steps) })),
  );
  const listed = (begun: boolean) => nodes.filter((each) => each.begun === begun).map(({ node }) => node);
  const facts = {
    rollout: id,
    engine: plan.engine,
    from: plan.from,
    to: plan.to,
    changed: listed(true).join(", "),
    left: listed(false).join(", "),
  };
  if (facts.changed === "") return fail("way-back.not-needed", facts);
  return fail(facts.left === "" ? "way-back.whole-cluster" : "way-back.half-way", facts);
}

function isFinal(step: PlanStep): boolean {
  return step.class === "irreversible";
}

/** A stage that has passed did all its steps, whatever its newest program remembers. */
function hasBegun(stage: StageState | undefined, node: string, steps: readonly PlanStep[]): boolean {
  if (stage?.standing === "passed") return true;
  const told = Object.values(stage?.programs ?? {}).filter((program) => program.node === node);
  return told.some((program) => steps.some((step) => isFinal(step) && step.id in program.steps));
}
