/** Takes a gate: samples the cluster until it has been green for the dwell, or refuses, or the limit passes. */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import { Depth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import type { ClusterSample, Gate, GateVerdict, WaitVerdict } from "../domain/gate.ts";
import type { GateSpec } from "../domain/plan.ts";
import type { Hint } from "../domain/rollout/hint.ts";
import type { Fleet } from "./ports.ts";

export type GateResult =
  | { readonly result: "passed"; readonly lastSampleAt: string }
  | { readonly result: "refused"; readonly why: Failure; readonly hint: Hint }
  /** Somebody wants the driver's attention; the gate is taken anew afterwards. */
  | { readonly result: "interrupted" };

export interface LookMeans {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly members: readonly string[];
  readonly gate: Gate;
  readonly before: ClusterSample | undefined;
  readonly acknowledged: readonly string[];
  /** Told of every sample; the first of a stage is what later gates compare with. */
  readonly sampled: (sample: ClusterSample) => void;
}

export interface GateMeans extends LookMeans {
  /** It was green until now: no dwell, unless it has to wait. */
  readonly stood: boolean;
  /** Told when the reason for waiting changes. */
  readonly waits: (verdict: WaitVerdict) => Promise<void>;
  /** Waits this long unless something else needs attention; true when it does. */
  readonly rest: (ms: number) => Promise<boolean>;
}

/** A sample that takes longer than this leaves its node UNKNOWN. */
const sampleLimitMs = 10_000;
const quietAtMostMs = 60_000;

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

/** One sample, and what the gate makes of it. */
export async function lookOnce(
  spec: GateSpec,
  { clock, fleet, members, gate, before, acknowledged, sampled }: LookMeans,
): Promise<{ readonly atMs: number; readonly verdict: GateVerdict }> {
  const now = await takeSample(fleet, clock, spec.cluster, members);
  sampled(now);
  return { atMs: now.atMs, verdict: gate({ spec, before, now, acknowledged }) };
}

export async function takeGate(spec: GateSpec, means: GateMeans): Promise<GateResult> {
  const { clock } = means;
  const beganMs = clock.monotonicMs();
  let dwellMs = means.stood ? 0 : spec.dwellMs;
  let greenSinceMs: number | undefined;
  let told: { readonly why: Failure; readonly atMs: number } | undefined;
  for (;;) {
    const { atMs, verdict } = await lookOnce(spec, means);
    if (verdict.verdict === "fail") return { result: "refused", why: verdict.why, hint: verdict.hint };
    if (verdict.verdict === "pass") {
      greenSinceMs ??= atMs;
      if (atMs - greenSinceMs >= dwellMs)
        return { result: "passed", lastSampleAt: new Date(clock.now()).toISOString() };
    } else {
      greenSinceMs = undefined;
      dwellMs = spec.dwellMs;
      if (isNews(verdict.why, told, { beganMs, atMs })) {
        told = { why: verdict.why, atMs };
        await means.waits(verdict);
      }
      if (clock.monotonicMs() - beganMs >= spec.limitMs) {
        const facts = { ...verdict.why.facts, limitMs: String(spec.limitMs) };
        return { result: "refused", why: { code: verdict.why.code, facts }, hint: "hint.gate-limit" };
      }
    }
    const dwellLeftMs =
      greenSinceMs === undefined ? spec.everyMs : dwellMs - (clock.monotonicMs() - greenSinceMs);
    if (await means.rest(Math.max(1, Math.min(spec.everyMs, dwellLeftMs)))) return { result: "interrupted" };
  }
}

/** A copy of days has other numbers in each sample: the longer it waits, the rarer they are stored. */
function isNews(
  why: Failure,
  told: { readonly why: Failure; readonly atMs: number } | undefined,
  { beganMs, atMs }: { readonly beganMs: number; readonly atMs: number },
): boolean {
  if (told === undefined || told.why.code !== why.code) return true;
  const quietMs = Math.min(quietAtMostMs, (atMs - beganMs) / 20);
  return JSON.stringify(told.why) !== JSON.stringify(why) && atMs - told.atMs >= quietMs;
}
