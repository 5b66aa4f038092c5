/** The programs of a stage, whatever its kind, and the nodes that it may touch. */
import type { PlanProgram, PlanStep, Stage } from "./plan.ts";

export interface StageProgram {
  /** Stage name on the wire: the stage's id, or `stage/phase` in a cluster stage. */
  readonly wireStage: string;
  readonly program: PlanProgram;
}

export function programsOf(spec: Stage): readonly StageProgram[] {
  const { id } = spec;
  switch (spec.kind) {
    case "node":
      return [{ wireStage: id, program: spec.program }];
    case "preflight":
    case "finish":
      return spec.programs.map((program) => ({ wireStage: id, program }));
    case "cluster":
      return spec.phases.flatMap((phase) =>
        phase.programs.map((program) => ({ wireStage: `${id}/${phase.id}`, program })),
      );
    case "wait":
      return [];
  }
}

/** Steps of the node's program of that name on the wire; none where the stage has no such program. */
export function stepsOf(
  spec: Stage,
  { wireStage, node }: { readonly wireStage: string; readonly node: string },
): readonly PlanStep[] {
  const found = programsOf(spec).find((each) => each.wireStage === wireStage && each.program.node === node);
  return found?.program.steps ?? [];
}

/** Nodes that the stage may change under its lock, those that a driver's tool reaches included; sorted. */
export function nodesUnderLock(spec: Stage): readonly string[] {
  if (spec.kind !== "node" && spec.kind !== "cluster") return [];
  const touched = spec.kind === "cluster" ? (spec.touches ?? []) : [];
  return [...new Set([...touched, ...programsOf(spec).map(({ program }) => program.node)])].sort();
}
