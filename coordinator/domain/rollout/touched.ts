/** What a rollout has done to each node of its plan, as far as its agents have told: from its state alone. */
import type { Stage } from "../plan.ts";
import { nodesUnderLock } from "../stage-programs.ts";
import type { TouchedView } from "../views.ts";
import { type RolloutState, type StageState, stageState } from "./state.ts";

type Mark = "untouched" | "done" | "begun" | "unknown";

/** Each node that a lock of the plan names is in one of the lists. */
export function touchedBy(state: RolloutState): TouchedView {
  const marks = new Map<string, Mark>();
  for (const spec of state.plan.stages) {
    for (const node of nodesUnderLock(spec)) {
      const mark = markOf(state, spec, node);
      if (mark !== "untouched" || !marks.has(node)) marks.set(node, mark);
    }
  }
  const reacted = state.stages.flatMap(({ fired }) =>
    fired.filter((each) => each.reacted).map(({ node, watch }) => ({ node, watch })),
  );
  const at = (wanted: Mark) => [...marks].flatMap(([node, mark]) => (mark === wanted ? [node] : []));
  return {
    untouched: at("untouched").filter((node) => reacted.every((each) => each.node !== node)),
    done: at("done"),
    begun: at("begun").map((node) => ({ node, ...stepsBegun(state, node) })),
    unknown: at("unknown"),
    reacted,
  };
}

/** Nodes that this rollout has changed or may have: what is found there differs from the plan on purpose. */
export function changedBy(state: RolloutState): readonly string[] {
  const { done, begun, unknown } = touchedBy(state);
  return [...done, ...begun.map(({ node }) => node), ...unknown];
}

function markOf(state: RolloutState, spec: Stage, node: string): Mark {
  const stage = stageState(state, spec.id);
  const isFreed = state.lock?.stage !== spec.id && state.freed.some((freed) => freed.stage === spec.id);
  const own = stage.begun.filter((step) => step.node === node);
  if (stage.standing === "passed") return "done";
  // freed by an abort, on proof that it is as before
  if (isFreed) return own.length > 0 && own.every(({ undone }) => undone) ? "begun" : "done";
  if (own.length > 0) return "begun";
  return isLost(stage, node) || isIn(state, stage, node) || isReached(spec, stage, node)
    ? "unknown"
    : "untouched";
}

function isLost({ lost }: StageState, node: string): boolean {
  return lost.includes(node);
}

/** It holds the lock and has not said how its program ended. */
function isIn({ lock }: RolloutState, { id, programs }: StageState, node: string): boolean {
  if (lock?.stage !== id || !lock.entered.includes(node)) return false;
  const told = Object.values(programs).filter((program) => program.node === node);
  return told.length === 0 || told.some(({ standing }) => standing !== "ended");
}

/** The driver's tool changes the others from its own node. */
function isReached(spec: Stage, { begun }: StageState, node: string): boolean {
  if (spec.kind !== "cluster" || spec.driver === undefined) return false;
  return (spec.touches ?? []).includes(node) && begun.some((step) => step.node === spec.driver);
}

function stepsBegun(state: RolloutState, node: string) {
  const { stages } = state;
  const begun = stages
    .filter(({ standing }) => standing !== "passed")
    .flatMap((stage) => stage.begun.filter((step) => step.node === node));
  return {
    steps: begun.map(({ step }) => step),
    undone: begun.filter(({ undone }) => undone).map(({ step }) => step),
    told: !stages.some((stage) => isLost(stage, node) || isIn(state, stage, node)),
  };
}
