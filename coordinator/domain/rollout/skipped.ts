/** What a skip takes out of a plan: the node's programs, and the expectation that it comes to the new version. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { GateSpec, PlanProgram } from "../plan.ts";
import { programKey, type RolloutState, type StageState } from "./state.ts";

/** A skipped node is expected to be as the plan says that a skip leaves it, and no other node is. */
export function expectedOf(gate: GateSpec, { skipped }: Pick<RolloutState, "skipped">): GateSpec {
  const over = skipped.map((node) => gate.ofSkipped?.[node] ?? {});
  return over.length === 0
    ? gate
    : { ...gate, args: Object.assign({}, gate.args, ...over) as GateSpec["args"] };
}

/** Programs of a phase without those of skipped nodes; one that was sent before the skip is waited for all the same. */
export function wantedOf(
  { skipped }: Pick<RolloutState, "skipped">,
  { programs: states }: Pick<StageState, "programs">,
  { wireStage, programs }: { readonly wireStage: string; readonly programs: readonly PlanProgram[] },
): readonly PlanProgram[] {
  return programs.filter(
    ({ node }) => !skipped.includes(node) || states[programKey(wireStage, node)] !== undefined,
  );
}

/** For the end: which nodes it has left behind, and what was not looked at there. */
export function leftBehind({ plan, skipped }: Pick<RolloutState, "plan" | "skipped">): readonly Failure[] {
  const last = plan.stages.flatMap((stage) => (stage.kind === "finish" ? stage.programs : []));
  return [...new Set(skipped)].map((node) => {
    const steps = last.flatMap((program) => (program.node === node ? program.steps.map(({ id }) => id) : []));
    const own = plan.stages.find((stage) => stage.kind === "node" && stage.node === node);
    const from = own?.kind === "node" ? (own.from ?? plan.from) : plan.from;
    const facts = { node, from, to: plan.to, steps: steps.join(", ") || "nothing" };
    return failure("rollout.node-left-behind", facts);
  });
}
