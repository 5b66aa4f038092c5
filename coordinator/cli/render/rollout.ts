/** Where a rollout stands, in one screen. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { RolloutPhase, RolloutView, StageStanding, StageView } from "../../domain/views.ts";
import { followingLines } from "./following.ts";
import { gateWords } from "./gate.ts";
import { named } from "./named.ts";
import { otherwiseLines, stopLines } from "./stop.ts";
import type { Paint } from "./style.ts";
import { nothing, renderTable } from "./table.ts";

const marks: Readonly<Record<StageStanding, string>> = {
  pending: "·",
  gating: "…",
  granted: "▸",
  running: "▸",
  judging: "…",
  waiting: "⏸",
  passed: "✔",
  failed: "✘",
  skipped: "–",
};

const tones: Readonly<Record<RolloutPhase, Parameters<Paint>[0]>> = {
  running: "strong",
  waiting: "warn",
  paused: "warn",
  aborting: "warn",
  aborted: "warn",
  stopped: "bad",
  done: "good",
};

export function renderRollout(rollout: RolloutView, nowMs: number, paint: Paint): string {
  const { id, clusters, engine, from, to, phase, by, startedAt } = rollout;
  const age = renderDuration(Math.max(0, nowMs - Date.parse(startedAt)));
  const lines = [
    `${paint("strong", id)}  ${clusters.join(", ")} (${engine}) ${from} → ${to}  ${paint(tones[phase], phase)}  by ${by}, ${age} ago`,
    ...rollout.stages.map((stage) => renderStage(stage, paint)),
    ...(rollout.following === undefined ? [] : followingLines(rollout.following, paint)),
    ...renderEnd(rollout, paint),
  ];
  return named(lines.join("\n"), id);
}

function renderStage(stage: StageView, paint: Paint): string {
  const steps = stage.steps
    .map(({ node, step, phase, number, of }) => `${node} ${number}/${of} ${step} ${phase}`)
    .join(", ");
  const tone =
    stage.standing === "failed"
      ? "bad"
      : stage.standing === "passed"
        ? "good"
        : stage.standing === "pending"
          ? "dim"
          : "strong";
  const took =
    stage.startedAt !== undefined && stage.endedAt !== undefined
      ? `  ${renderDuration(Math.max(0, Date.parse(stage.endedAt) - Date.parse(stage.startedAt)))}`
      : "";
  const live = stage.standing === "passed" || steps === "" ? "" : `  ${steps}`;
  return `  ${marks[stage.standing]} ${paint(tone, stage.id)}  ${stage.standing}${took}${live}`;
}

function renderEnd(rollout: RolloutView, paint: Paint): readonly string[] {
  const lines: string[] = [];
  if (rollout.stop !== undefined) {
    const { stage, node, why, command } = rollout.stop;
    const on = node === undefined ? "" : ` on ${node}`;
    lines.push(
      paint("bad", `stopped at ${stage}${on}: ${render(why).says}`),
      ...stopLines(rollout.stop),
      `  next:    ${command}`,
      ...otherwiseLines(rollout.stop),
      `  why:     lockkeeper why ${rollout.id}`,
    );
  }
  if (rollout.leftStanding !== undefined) {
    const { why, command } = rollout.leftStanding;
    lines.push(paint("warn", render(why).says), `  next:    ${command}`);
  }
  if (rollout.waitingFor !== undefined)
    lines.push(
      paint("warn", `waits: ${render(rollout.waitingFor.why).says} (since ${rollout.waitingFor.since})`),
    );
  if (rollout.gate !== undefined)
    lines.push(`gate of ${rollout.gate.stage}, measured now: ${gateWords(rollout.gate)}`);
  if (rollout.gateWaits !== undefined)
    lines.push(
      paint("warn", `gate waits: ${render(rollout.gateWaits.why).says} (since ${rollout.gateWaits.since})`),
    );
  for (const { kind, check, by, reason } of rollout.words)
    lines.push(`${kind}: ${check} by ${by}: ${reason}`);
  for (const each of rollout.mended ?? []) lines.push(`mended: ${render(each).says}`);
  for (const each of rollout.notSeen) {
    const label = each.code === "step.told" ? "to know" : "not seen yet";
    lines.push(paint("warn", `${label}: ${render(each).says}`));
  }
  return lines;
}

export function renderRolloutList(rollouts: readonly RolloutView[]): string {
  if (rollouts.length === 0) return nothing("history.none");
  const rows = rollouts.map(({ id, clusters, from, to, phase, startedAt, by }) => [
    id,
    clusters.join(", "),
    `${from} → ${to}`,
    phase,
    startedAt,
    by,
  ]);
  return renderTable(["ROLLOUT", "CLUSTERS", "VERSIONS", "PHASE", "STARTED", "BY"], rows);
}
