/** Logs of rollouts of the tiny engine, written by hand: nodes db1 and db2 of cluster c, one attempt. */
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import type { RolloutFact, StepPhase } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { failure } from "#proto/common/failure.ts";
import { tiny } from "#test/flow/engine/tiny.ts";

export type Told = Exclude<RolloutFact, { kind: "rollout-started" }>;

const cluster: ClusterEntry = {
  name: "c",
  engine: "tiny",
  topology: "ring",
  deployment: "script",
  nodes: ["db1", "db2"].map((name) => ({ name, address: name })),
  gates: { everyMs: 1, dwellMs: 1, limitMs: 1 },
  settings: {},
  windows: [],
};

/** A second between two events. */
export function toldAt(sequence: number): string {
  return new Date(Date.UTC(2026, 0, 1) + sequence * 1_000).toISOString();
}

export function told(method: string, ...facts: readonly Told[]): RolloutState {
  const plan = tiny.plan({ cluster, wish: { to: "2", method }, reports: {}, nowMs: 0, clockOffsets: {} });
  if (!plan.ok) throw new Error(plan.failure.code);
  const start: RolloutFact = {
    kind: "rollout-started",
    plan: plan.value,
    by: "ann",
    options: { approveEach: false },
    words: [],
  };
  const state = fold(
    [start, ...facts].map((fact, index) => {
      return { format: 1, rollout: "r", sequence: index + 1, at: toldAt(index + 1), fact };
    }),
  );
  if (state === undefined) throw new Error("no state");
  return state;
}

/** Granted, sent and entered on each of the nodes. */
export function inside(stage: string, ...nodes: readonly string[]): readonly Told[] {
  const [wire = "", phase] = stage.split("/");
  return [
    { kind: "stage-started", stage: wire, attempt: 1 },
    {
      kind: "granted",
      stage: wire,
      clusters: ["c"],
      nodes,
      scope: phase === undefined ? "node" : "cluster",
      epochs: { c: 1 },
      nonce: "n",
    },
    ...nodes.flatMap((node): readonly Told[] => [
      {
        kind: "program-sent",
        stage: wire,
        node,
        attempt: 1,
        epoch: 1,
        ...(phase === undefined ? {} : { phase }),
      },
      { kind: "entered", stage: wire, node, epoch: 1 },
    ]),
  ];
}

export function step(stage: string, node: string, id: string, phase: StepPhase): Told {
  const about = { measuredAt: "", elapsedMs: 1, outputs: {}, tail: "", runner: "" };
  return { kind: "step", node, stage, attempt: 1, agentSequence: 1, step: id, phase, ...about };
}

export function ended(stage: string, node: string, at: string): Told {
  return {
    kind: "program-ended",
    node,
    stage,
    attempt: 1,
    agentSequence: 1,
    epoch: 1,
    outcome: "failed",
    step: at,
    failure: failure("tiny.failed", {}),
  };
}

export function stopped(stage: string, node?: string): Told {
  const why = failure("program.ended", { node: node ?? "?", outcome: "failed" });
  return {
    kind: "stopped",
    stage,
    why,
    hint: "hint.program-failed",
    ...(node === undefined ? {} : { node }),
  };
}
