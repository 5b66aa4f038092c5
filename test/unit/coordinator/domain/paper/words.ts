/** Short words to write a plan on paper with: what a playbook's own builders would say at length. */
import { createHash } from "node:crypto";
import { digestedText } from "#coordinator/domain/digest.ts";
import type {
  Call,
  ClusterStage,
  FinishStage,
  GateSpec,
  NodeStage,
  Phase,
  Plan,
  PlanProgram,
  PlanStep,
  PreflightStage,
  WatchSpec,
} from "#coordinator/domain/plan.ts";
import { planFormat } from "#coordinator/domain/plan.ts";

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

type StepOptions = Partial<
  Pick<PlanStep, "class" | "deadlineMs" | "onDeadline" | "mayStopAfter" | "holdLimitMs">
> & {
  readonly undo?: string;
  readonly args?: Call["args"];
};

/** A step of the engine, read-only unless said otherwise. */
export function stepsOf(engine: string) {
  return (id: string, shownAs: string, options: StepOptions = {}): PlanStep => {
    const { undo, args = {}, ...rest } = options;
    return {
      id,
      call: { verb: `${engine}.${id}`, args },
      class: "observe",
      deadlineMs: 5 * minute,
      onDeadline: "end",
      mayStopAfter: (options.class ?? "observe") === "observe",
      ...rest,
      ...(undo === undefined ? {} : { undo: { verb: `${engine}.${undo}`, args } }),
      shownAs,
    };
  };
}

export const program = (cluster: string, node: string, ...steps: readonly PlanStep[]): PlanProgram => ({
  cluster,
  node,
  steps,
});

export const gate = (
  name: string,
  cluster: string,
  options: Partial<Omit<GateSpec, "gate" | "cluster">> = {},
): GateSpec => ({
  gate: name,
  cluster,
  args: {},
  everyMs: 10 * second,
  dwellMs: 30 * second,
  limitMs: 30 * minute,
  ...options,
});

export const preflight = (id: string, ...programs: readonly PlanProgram[]): PreflightStage => ({
  kind: "preflight",
  id,
  programs,
});

export const nodeStage = (
  { cluster, node, steps }: PlanProgram,
  gates: Pick<NodeStage, "before" | "after">,
): NodeStage => ({
  kind: "node",
  id: `node-${node}`,
  cluster,
  node,
  program: { cluster, node, steps },
  ...gates,
});

export const phase = (
  id: string,
  order: Phase["order"],
  programs: readonly PlanProgram[],
  rest: Partial<Pick<Phase, "after" | "makesPermanent">> = {},
): Phase => ({ id, order, programs, after: [], ...rest });

export const clusterStage = (
  id: string,
  clusters: readonly string[],
  rest: Pick<ClusterStage, "phases" | "waysOnFailure"> & Partial<Pick<ClusterStage, "driver" | "before">>,
): ClusterStage => ({ kind: "cluster", id, clusters, before: [], ...rest });

export const finish = (gates: readonly GateSpec[], ...programs: readonly PlanProgram[]): FinishStage => ({
  kind: "finish",
  id: "finish",
  programs,
  gates,
});

export const watch = (
  id: string,
  at: Pick<WatchSpec, "cluster" | "node">,
  rest: Omit<WatchSpec, "id" | "cluster" | "node" | "everyMs">,
): WatchSpec => ({ id, ...at, everyMs: minute, ...rest });

type Written = Pick<Plan, "engine" | "clusters" | "from" | "to" | "strategy" | "method" | "stages"> &
  Partial<Pick<Plan, "pointOfNoReturn" | "wayBack" | "warnings" | "asks" | "artefact">>;

/** Bound to what such a plan would be bound to; on paper, names only. */
export function plan(written: Written): Plan {
  const { clusters, from, to, method } = written;
  const boundTo = { clusters: clusters.join(" "), from, target: to, method, playbook: "paper" };
  const whole: Plan = {
    format: planFormat,
    digest: "",
    boundTo,
    checks: [],
    asks: [],
    wayBack: [],
    warnings: [],
    ...written,
  };
  return { ...whole, digest: createHash("sha256").update(digestedText(whole)).digest("hex") };
}
