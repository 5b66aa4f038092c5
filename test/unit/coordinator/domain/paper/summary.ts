/** The row of a plan in docs/architecture.md, made from the plan: the page cannot say what the types do not. */
import type { Plan, PlanStep, Stage } from "#coordinator/domain/plan.ts";

const columns = [
  "plan",
  "claim",
  "stages and lock scope",
  "driver",
  "phases",
  "holds",
  "watches",
  "point of no return",
  "who is asked",
] as const;

function rowOf(name: string, plan: Plan): readonly string[] {
  const { stages } = plan;
  return [
    name,
    plan.clusters.join(" + "),
    stages.map(stageText).join(" → "),
    list(
      stages.flatMap((stage) =>
        stage.kind === "cluster" && stage.driver !== undefined ? [stage.driver] : [],
      ),
    ),
    list(stages.flatMap((stage) => (stage.kind === "cluster" ? [`${stage.id}: ${phasesText(stage)}`] : []))),
    list(everyStep(plan).flatMap(holdText)),
    list(stages.flatMap((stage) => (stage.kind === "wait" ? stage.watches.map(({ id }) => id) : []))),
    plan.pointOfNoReturn ?? "none",
    list([
      ...plan.asks.map((check) => `\`${check}\``),
      ...stages.flatMap((stage) =>
        stage.kind === "wait" && stage.approval !== undefined
          ? [`${stage.id}: ${stage.approval.mayAnswer}`]
          : [],
      ),
    ]),
  ];
}

/** The whole table, as the formatter of the documents writes it. */
export function tableOf(plans: Readonly<Record<string, Plan>>): readonly (readonly string[])[] {
  return [columns, ...Object.entries(plans).map(([name, plan]) => rowOf(name, plan))];
}

export function programsOf(stage: Stage) {
  switch (stage.kind) {
    case "preflight":
    case "finish":
      return stage.programs;
    case "node":
      return [stage.program];
    case "cluster":
      return stage.phases.flatMap(({ programs }) => programs);
    case "wait":
      return [];
  }
}

export function everyStep({ stages }: Plan): readonly PlanStep[] {
  return stages.flatMap(programsOf).flatMap(({ steps }) => steps);
}

function stageText(stage: Stage): string {
  switch (stage.kind) {
    case "node":
      return `${stage.id} (node)`;
    case "cluster":
      return `${stage.id} (cluster: ${stage.clusters.join(" + ")})`;
    case "wait":
      return `${stage.id} (wait, no lock)`;
    case "preflight":
    case "finish":
      return stage.id;
  }
}

function phasesText({ phases }: Extract<Stage, { kind: "cluster" }>): string {
  return phases
    .map(({ id, makesPermanent = [] }) =>
      makesPermanent.length === 0 ? id : `${id} (hold made permanent first)`,
    )
    .join(", ");
}

function holdText({ id, holdLimitMs }: PlanStep): readonly string[] {
  return holdLimitMs === undefined ? [] : [`${id} ${holdLimitMs / 60_000} min`];
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "none" : [...new Set(items)].join("; ");
}
