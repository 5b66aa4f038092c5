/** Takes a gate: samples the cluster until it has been green for the dwell, or refuses, or the limit passes. */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import { Depth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import type { ClusterSample, Gate } from "../domain/gate.ts";
import type { GateSpec } from "../domain/plan.ts";
import type { Hint } from "../domain/rollout/hint.ts";
import type { Fleet } from "./ports.ts";

export type GateResult =
  | { readonly result: "passed"; readonly lastSampleAt: string }
  | { readonly result: "refused"; readonly why: Failure; readonly hint: Hint }
  /** Somebody wants the driver's attention; the gate is taken anew afterwards. */
  | { readonly result: "interrupted" };

export interface GateMeans {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly members: readonly string[];
  readonly gate: Gate;
  readonly before: ClusterSample | undefined;
  /** Told of every sample; the first of a stage is what later gates compare with. */
  readonly sampled: (sample: ClusterSample) => void;
  /** Told when the reason for waiting changes. */
  readonly waits: (why: Failure) => Promise<void>;
  /** Waits this long unless something else needs attention; true when it does. */
  readonly rest: (ms: number) => Promise<boolean>;
}

/** A sample that takes longer than this leaves its node UNKNOWN. */
const sampleLimitMs = 10_000;

async function takeSample(
  fleet: Fleet,
  clock: Clock,
  cluster: string,
  members: readonly string[],
): Promise<ClusterSample> {
  const reports = await Promise.all(members.map((node) => fleet.takeReport(node, Depth.GATE, sampleLimitMs)));
  const nodes = members.map((node, index) => {
    const report = reports[index];
    return [
      node,
      report?.ok === true ? report.value : { unknown: report?.failure ?? failure("node.silent", { node }) },
    ] as const;
  });
  return { cluster, atMs: clock.monotonicMs(), nodes: Object.fromEntries(nodes) };
}

export async function takeGate(spec: GateSpec, means: GateMeans): Promise<GateResult> {
  const { clock, fleet, members, gate } = means;
  const beganMs = clock.monotonicMs();
  let greenSinceMs: number | undefined;
  let told = "";
  for (;;) {
    const now = await takeSample(fleet, clock, spec.cluster, members);
    means.sampled(now);
    const verdict = gate({ spec, before: means.before, now });
    if (verdict.verdict === "fail") return { result: "refused", why: verdict.why, hint: verdict.hint };
    if (verdict.verdict === "pass") {
      greenSinceMs ??= now.atMs;
      if (now.atMs - greenSinceMs >= spec.dwellMs)
        return { result: "passed", lastSampleAt: new Date(clock.now()).toISOString() };
    } else {
      greenSinceMs = undefined;
      const text = JSON.stringify(verdict.why);
      if (text !== told) {
        told = text;
        await means.waits(verdict.why);
      }
      if (clock.monotonicMs() - beganMs >= spec.limitMs) {
        const facts = { ...verdict.why.facts, limitMs: String(spec.limitMs) };
        return { result: "refused", why: { code: verdict.why.code, facts }, hint: "hint.gate-limit" };
      }
    }
    const dwellLeftMs =
      greenSinceMs === undefined ? spec.everyMs : spec.dwellMs - (clock.monotonicMs() - greenSinceMs);
    if (await means.rest(Math.max(1, Math.min(spec.everyMs, dwellLeftMs)))) return { result: "interrupted" };
  }
}
