/**
 * A rollout that has stopped half-way is left to the plan that goes back from it: its lock is freed without the proof
 * of its nodes, because the way back finds them as they are and proves them at the old version. Only at a person's
 * word, which is the `apply` of that plan, and only while nothing of it runs.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Plan } from "../../domain/plan.ts";
import type { RolloutState } from "../../domain/rollout/state.ts";
import { phaseOf } from "../../domain/rollout/view.ts";
import type { ApplicationMeans } from "../orders/application-means.ts";

type LeavingMeans = Pick<ApplicationMeans, "drivers" | "audit" | "claims" | "clock">;

const limitMs = 20_000;
const pollMs = 100;

/** The rollout itself, or an earlier way back from it that has stopped too. */
export function isGoneBackFrom({ drivers }: LeavingMeans, { back }: Plan, rollout: string): boolean {
  if (back === undefined) return false;
  return rollout === back || drivers.state(rollout)?.plan.back === back;
}

/** Refused: `way-back.still-running`, `way-back.not-let-go`. */
export async function leaveToWayBack(means: LeavingMeans, by: string, plan: Plan): Promise<Outcome<void>> {
  // one rollout holds all its clusters, and gives them back one after the other: it is told once
  const told = new Set<string>();
  for (const cluster of plan.clusters) {
    const holder = (await means.claims.holder(cluster))?.rollout ?? "";
    if (holder === "" || !isGoneBackFrom(means, plan, holder)) continue;
    const left = told.has(holder) ? succeed(undefined) : await leave(means, by, { plan, rollout: holder });
    if (!left.ok) return left;
    told.add(holder);
    const gone = await letGo(means, holder, cluster);
    if (!gone.ok) return gone;
  }
  return succeed(undefined);
}

async function leave(
  means: LeavingMeans,
  by: string,
  { plan, rollout }: { readonly plan: Plan; readonly rollout: string },
): Promise<Outcome<void>> {
  const { drivers, audit } = means;
  const state = drivers.state(rollout);
  if (state === undefined || !isAtRest(state)) {
    const phase = state === undefined ? "unknown" : phaseOf(state);
    return fail("way-back.still-running", { rollout, phase });
  }
  const reason = `left to the way back, plan ${plan.digest.slice(0, 12)}`;
  await audit.record({ who: by, deed: "abort", subject: rollout, reason, facts: { plan: plan.digest } });
  const gone = state.plan.clusters.find((name) => !plan.clusters.includes(name));
  const left = { leftTo: plan.digest, ...(gone === undefined ? {} : { gone }) };
  await drivers.order(rollout, { kind: "abort-asked", by, reason, ...left });
  return succeed(undefined);
}

async function letGo(
  { claims, clock }: LeavingMeans,
  rollout: string,
  cluster: string,
): Promise<Outcome<void>> {
  for (const endMs = clock.monotonicMs() + limitMs; ; await clock.sleep(pollMs)) {
    if ((await claims.holder(cluster))?.rollout !== rollout) return succeed(undefined);
    if (clock.monotonicMs() >= endMs) return fail("way-back.not-let-go", { rollout, cluster });
  }
}

/** Stopped, paused, or waiting for a person; and every program at its end. */
function isAtRest(state: RolloutState): boolean {
  const phase = phaseOf(state);
  const isQuiet = state.stages.every(({ programs }) =>
    Object.values(programs).every(({ standing }) => standing === "ended"),
  );
  return isQuiet && (phase === "stopped" || phase === "paused" || phase === "waiting");
}
