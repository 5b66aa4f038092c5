/** What a way back has to undo, from a rollout's events alone; and what is said where no playbook plans one. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { PlanStep, Stage } from "../plan.ts";
import { programsOf } from "../stage-programs.ts";
import type { Undone, UndoneNode } from "../undone.ts";
import { programKey, type RolloutState, type StageState } from "./state.ts";

/**
 * Refused: `way-back.not-needed`, where nothing was begun that needs one; `way-back.of-way-back` for a rollout that was one
 * itself. An abort undoes the stage it meets, and none that has passed: `fromAnyStep` for an engine whose passed stages leave
 * something that has to be undone.
 */
export function undoneBy(
  state: RolloutState,
  { fromAnyStep }: { readonly fromAnyStep: boolean },
): Outcome<Undone> {
  const { id, plan } = state;
  if (plan.back !== undefined) return fail("way-back.of-way-back", { rollout: id, first: plan.back });
  const nodes = nodesOf(state);
  return nodes.some(({ isChanged, begun }) => isChanged || (fromAnyStep && begun.length > 0))
    ? succeed({ rollout: id, plan, nodes })
    : fail("way-back.not-needed", factsOf(state, nodes));
}

/** For an engine whose playbook knows no way back in place. */
export function whyNoPlanBack(state: RolloutState): Outcome<never> {
  const facts = factsOf(state, nodesOf(state));
  return fail(facts.left === "" ? "way-back.whole-cluster" : "way-back.half-way", facts);
}

/** Has anything been begun that cannot be undone? Then there are two ways to choose from. */
export function isPastReturn(state: RolloutState): boolean {
  return nodesOf(state).some(({ isChanged }) => isChanged);
}

function factsOf({ id, plan }: RolloutState, nodes: readonly UndoneNode[]) {
  const listed = (changed: boolean) =>
    nodes
      .filter(({ isChanged }) => isChanged === changed)
      .map(({ node }) => node)
      .join(", ");
  const { engine, from, to } = plan;
  return { rollout: id, engine, from, to, changed: listed(true), left: listed(false) };
}

/** Every node that a lock of the plan may touch. */
function nodesOf({ plan, stages }: RolloutState): readonly UndoneNode[] {
  const found = new Map<string, { begun: string[]; isChanged: boolean }>();
  for (const [index, spec] of plan.stages.entries()) {
    if (spec.kind !== "node" && spec.kind !== "cluster") continue;
    for (const { wireStage, program } of programsOf(spec)) {
      const { node, steps } = program;
      const begun = begunIn(spec, stages[index], { wireStage, node, steps });
      const known = found.get(node) ?? { begun: [], isChanged: false };
      known.begun.push(...begun.map(({ id }) => id).filter((id) => !known.begun.includes(id)));
      known.isChanged ||= begun.some((step) => step.class === "irreversible");
      found.set(node, known);
    }
  }
  return [...found].map(([node, { begun, isChanged }]) => ({ node, begun, isChanged }));
}

/** A stage or phase that has passed did all its steps, whatever its newest program remembers. */
function begunIn(
  spec: Stage,
  stage: StageState | undefined,
  {
    wireStage,
    node,
    steps,
  }: { readonly wireStage: string; readonly node: string; readonly steps: readonly PlanStep[] },
): readonly PlanStep[] {
  if (stage === undefined || stage.standing === "skipped") return [];
  const phase = spec.kind === "cluster" ? wireStage.slice(spec.id.length + 1) : "";
  if (stage.standing === "passed" || stage.phasesPassed.includes(phase)) return steps;
  const told = stage.programs[programKey(wireStage, node)]?.steps ?? {};
  const began = (id: string) =>
    stage.begun.some((each) => each.wireStage === wireStage && each.node === node && each.step === id);
  return steps.filter(({ id }) => id in told || began(id));
}
