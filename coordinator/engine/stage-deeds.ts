/** What a stage needs around its programs: a first sample, snapshots, gates, and the look before a grant. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { acknowledgedIn } from "../domain/check.ts";
import type { WaitVerdict } from "../domain/gate.ts";
import type { GateSpec } from "../domain/plan.ts";
import type { Action } from "../domain/rollout/action.ts";
import { decide } from "../domain/rollout/decide.ts";
import type { RolloutFact } from "../domain/rollout/event.ts";
import type { Hint } from "../domain/rollout/hint.ts";
import { mendsFor } from "../domain/rollout/reopening.ts";
import { gateKey } from "../domain/rollout/state.ts";
import { type LookMeans, takeGate } from "./gate-watch.ts";
import { notYet } from "./lock/granting.ts";
import type { RolloutDesk } from "./rollout-desk.ts";

type TakenGate = Omit<Extract<Action, { do: "take-gate" }>, "do">;

export async function startStage(desk: RolloutDesk, stage: string, attempt: number): Promise<void> {
  desk.before.delete(stage);
  await desk.append({ kind: "stage-started", stage, attempt });
}

export async function snapshot(desk: RolloutDesk, stage: string, when: "before" | "after"): Promise<void> {
  const { id, plan } = desk.state;
  const taken = await desk.means.takeSnapshot(`${when} ${stage} of ${id}`, plan.clusters);
  if (taken.ok) await desk.appendWithNext({ kind: "snapshot-taken", stage, snapshot: taken.value, when });
  else await desk.stop(stage, taken.failure, "hint.mend-and-resume");
}

export async function takeStageGate(
  desk: RolloutDesk,
  { stage, gate: spec, when }: Extract<Action, { do: "take-gate" }>,
): Promise<void> {
  const look = lookMeansOf(desk, stage, spec);
  if (look === undefined)
    return desk.stop(stage, failure("gate.unknown", { gate: spec.gate }), "hint.report-defect");
  const taken = await takeGate(spec, {
    ...look,
    stood: when === "again",
    waits: (verdict) => desk.append(gateWaited({ stage, gate: spec, when }, verdict)),
    // what it waits for may be something that another stage mends
    rest: async (ms) => decide(desk.state).do !== "take-gate" || desk.restUnlessOrdered(ms),
  });
  if (taken.result === "passed") {
    desk.looks.set(lookKey(stage, spec), { atMs: desk.means.clock.monotonicMs() });
    const dwellMs = when === "again" ? 0 : spec.dwellMs;
    return desk.append({
      kind: "gate-passed",
      stage,
      gate: spec.gate,
      cluster: spec.cluster,
      when,
      dwellMs,
      lastSampleAt: taken.lastSampleAt,
    });
  }
  if (taken.result === "refused") return gateRefused(desk, { stage, gate: spec, when }, taken);
}

export function gateWaited(
  { stage, gate: { gate }, when }: TakenGate,
  { why, isForPerson }: WaitVerdict,
): RolloutFact {
  const forPerson = isForPerson === undefined ? {} : { isForPerson };
  return { kind: "gate-waited", stage, gate, when, why, ...forPerson };
}

export async function gateRefused(
  desk: RolloutDesk,
  { stage, gate: { gate }, when }: TakenGate,
  { why, hint }: { readonly why: Failure; readonly hint: Hint },
): Promise<void> {
  await desk.append({ kind: "gate-failed", stage, gate, when, why, hint });
  if (mendsFor(desk.state, stage, why)) return;
  await desk.stop(stage, why, hint, nodeOf(desk, stage));
}

/** Undefined where its playbook knows no gate of this name. */
export function lookMeansOf(desk: RolloutDesk, stage: string, spec: GateSpec): LookMeans | undefined {
  const { fleet, clock, gates } = desk.means;
  const gate = gates[spec.gate];
  if (gate === undefined) return undefined;
  return {
    fleet,
    clock,
    gate,
    members: desk.means.members(spec.cluster),
    before: desk.before.get(stage),
    acknowledged: acknowledgedIn(desk.state.words),
    sampled: (sample) => {
      if (!desk.before.has(stage)) desk.before.set(stage, sample);
    },
  };
}

export function lookKey(stage: string, gate: GateSpec): string {
  return `${stage} ${gateKey("before", gate)}`;
}

export async function lookBeforeGrant(desk: RolloutDesk, stage: string): Promise<void> {
  const { drift, notNow, notYet: missing, refused } = await desk.means.lookBeforeGrant(desk.state);
  if (drift.length > 0) {
    await desk.append({ kind: "drift-found", stage, fields: drift });
    const fields = drift
      .map(({ field, planned, found }) => `${field}: planned ${planned}, found ${found}`)
      .join("; ");
    return desk.stop(stage, failure("plan.drift", { fields }), "hint.plan-anew");
  }
  if (refused !== undefined) return desk.stop(stage, refused, "hint.mend-and-resume");
  if (notNow !== undefined) return desk.rest(stage, notNow, 30_000);
  if (missing !== undefined) return notYet(desk, stage, missing);
  desk.refusedSinceMs = undefined;
  await desk.appendWithNext({ kind: "checks-judged", stage, blocking: [] });
}

function nodeOf(desk: RolloutDesk, stage: string): string | undefined {
  const spec = desk.state.plan.stages.find(({ id }) => id === stage);
  return spec?.kind === "node" ? spec.node : undefined;
}
