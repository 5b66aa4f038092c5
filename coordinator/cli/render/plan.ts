/** A plan for reading before it runs: stages in order, every command, gate, undo, the point of no return. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { FailureCode } from "#proto/common/failure.ts";
import type { GateSpec, Plan, PlanProgram, PlanStep, Stage } from "../../domain/plan.ts";
import { countChecks } from "./checks.ts";
import { deedWords } from "./deed.ts";
import { gateWords } from "./gate.ts";
import { named } from "./named.ts";
import type { Paint } from "./style.ts";

export function renderPlan(plan: Plan, paint: Paint): string {
  const title = `Plan ${plan.digest.slice(0, 12)}: ${plan.clusters.join(", ")} (${plan.engine}) ${plan.from} → ${plan.to}, ${plan.strategy}, by ${plan.method}`;
  const lines = [
    paint("strong", title),
    ...(plan.artefact === undefined ? [] : [`package ${plan.artefact.name} sha256:${plan.artefact.digest}`]),
    `checks when it was made: ${countChecks(plan.checks)}`,
    ...(plan.findings ?? []).map((finding) => `found: ${render(finding).says}`),
    ...plan.warnings.map((code) => paint("warn", `warning: ${text(code)}`)),
    ...plan.stages.flatMap((stage, index) => ["", ...renderStage(stage, index, plan, paint)]),
    "",
    plan.pointOfNoReturn === undefined
      ? "No step of this plan is a point of no return."
      : paint("warn", `Point of no return: ${plan.pointOfNoReturn}`),
    ...plan.wayBack.map((code) => `way back: ${text(code)}`),
    // a plan has hundreds of lines: what a person must do stands where the eye ends
    ...plan.asks.map((check) =>
      paint("warn", `needs your word: --ack ${check} --reason "…"   (${whatIsFound(check, plan)})`),
    ),
  ];
  const [cluster = ""] = plan.clusters;
  return named(lines.join("\n"), cluster, plan.back ?? cluster);
}

/** The check's own name says how it should be: what was found is what a word is given for. */
function whatIsFound(check: string, { checks }: Plan): string {
  const found = checks.find(({ id, status }) => id === check && (status === "ko" || status === "unknown"));
  if (found === undefined) return text(`check.${check}`, checks.find(({ id }) => id === check)?.facts);
  return text(`check.${check}.${found.status}`, found.facts).replace(/:?\s*\n\s*/g, ": ");
}

function renderStage(stage: Stage, index: number, plan: Plan, paint: Paint): readonly string[] {
  const head = paint("strong", `${index + 1}. ${stage.id} (${describe(stage)})`);
  switch (stage.kind) {
    case "preflight":
      return [head, ...renderAlike(stage.programs, stage.id, plan)];
    case "node":
      return [
        head,
        ...stage.before.map((gate) => `   gate before: ${renderGate(gate)}`),
        ...renderSteps(stage.program.steps, stage.id, plan),
        ...stage.after.map((gate) => `   gate after: ${renderGate(gate)}`),
      ];
    case "cluster":
      return [
        head,
        ...stage.before.map((gate) => `   gate before: ${renderGate(gate)}`),
        ...stage.phases.flatMap((phase) => [
          `   phase ${phase.id}, ${phase.order}:`,
          ...phase.programs.flatMap((program) => [
            `   on ${program.node}:`,
            ...renderSteps(program.steps, stage.id, plan),
          ]),
          ...phase.after.map((gate) => `   gate after: ${renderGate(gate)}`),
        ]),
        ...stage.waysOnFailure.map((way) => `   if it fails: ${text(way)}`),
      ];
    case "wait":
      return [
        head,
        ...stage.gates.map((gate) => `   until: ${renderGate(gate)}`),
        ...stage.watches.map(
          (watch) =>
            `   watch ${watch.id} on ${watch.node}: ${deedWords("probe", watch.probe)}; ${watch.warnAt === watch.reactAt ? "" : `warns at ${watch.warnAt}, `}at ${watch.reactAt}: ${deedWords("reaction", watch.reaction)}${watch.goesOn === true ? ", each time" : ""}${watch.until === undefined ? "" : `; until the end of ${watch.until}`}`,
        ),
        ...(stage.mendedBy === undefined
          ? []
          : [
              `   mended by ${stage.mendedBy.stage}, which runs again, at most ${stage.mendedBy.most} times in a row: ${stage.mendedBy.codes.map((code) => text(`mended.${code}`)).join("; ")}`,
            ]),
        ...(stage.approval === undefined
          ? []
          : [`   asks: ${text(stage.approval.question)} (${stage.approval.mayAnswer})`]),
      ];
    case "finish":
      return [
        head,
        ...renderAlike(stage.programs, stage.id, plan),
        ...stage.gates.map((gate) => `   gate: ${renderGate(gate)}`),
      ];
  }
}

function describe(stage: Stage): string {
  switch (stage.kind) {
    case "preflight":
      return "all nodes in parallel, read-only, no lock";
    case "node":
      return `only ${stage.node}, under the lock of ${stage.cluster}`;
    case "cluster":
      return `one lock over ${stage.clusters.join(", ")}${stage.driver === undefined ? "" : `, driven from ${stage.driver}`}`;
    case "wait":
      return `waits up to ${renderDuration(stage.limitMs)}, no lock`;
    case "finish":
      return "last look, read-only";
  }
}

/** Programs that differ in nothing but the node are printed once. */
function renderAlike(programs: readonly PlanProgram[], stage: string, plan: Plan): readonly string[] {
  const groups = new Map<string, { nodes: string[]; steps: readonly PlanStep[] }>();
  for (const { node, steps } of programs) {
    const key = JSON.stringify(steps.map(({ id, shownAs }) => [id, shownAs]));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { nodes: [node], steps });
    else group.nodes.push(node);
  }
  return [...groups.values()].flatMap(({ nodes, steps }) => [
    `   on ${nodes.join(", ")}:`,
    ...renderSteps(steps, stage, plan),
  ]);
}

function renderSteps(steps: readonly PlanStep[], stage: string, plan: Plan): readonly string[] {
  return steps.map((step, index) => {
    const marks = [
      step.class,
      `at most ${renderDuration(step.deadlineMs)}${step.onDeadline === "observe" ? ", then watched, never ended" : ""}`,
      ...(step.undo === undefined ? [] : [`undo: ${deedWords("undo", step.undo)}`]),
      ...(step.holdLimitMs === undefined ? [] : [`held at most ${renderDuration(step.holdLimitMs)}`]),
      ...(step.answeredBy === undefined ? [] : [`a find goes on by your word: --ack ${step.answeredBy}`]),
      ...(step.mayStopAfter ? ["may stop here"] : []),
      ...(plan.pointOfNoReturn === `${stage}/${step.id}` ? ["point of no return"] : []),
    ];
    return `     ${String(index + 1).padStart(2)} ${step.id}: ${step.shownAs}\n        ${marks.join(" · ")}`;
  });
}

function renderGate(gate: GateSpec): string {
  const { gate: name, cluster, args, everyMs, dwellMs, limitMs } = gate;
  const what = { code: `gate.${name}` as FailureCode, facts: { ...args, cluster } };
  return gateWords({ what, everyMs, dwellMs, limitMs });
}

function text(code: string, facts: Readonly<Record<string, string>> = {}): string {
  return render({ code: code as FailureCode, facts }).says;
}
