/** Immediately before a grant: has the world moved away from the plan, and may a node be started now? */
import { failure } from "#proto/common/failure.ts";
import { blocking, listed } from "../../domain/check.ts";
import { driftOf, unmeasured } from "../../domain/digest.ts";
import type { Plan } from "../../domain/plan.ts";
import type { RolloutState } from "../../domain/rollout/state.ts";
import { changedBy } from "../../domain/rollout/touched.ts";
import { undoneBy } from "../../domain/rollout/way-back.ts";
import type { Undone } from "../../domain/undone.ts";
import { isOpen } from "../../domain/window.ts";
import type { LookResult } from "../rollout-desk.ts";
import { type PlanningMeans, prepare } from "./preparing.ts";
import { nodeOfField, targetOf } from "./target.ts";

export async function lookBeforeGrant(means: PlanningMeans, state: RolloutState): Promise<LookResult> {
  const { plan } = state;
  for (const name of plan.clusters) {
    const cluster = means.cluster(name);
    if (cluster === undefined) return { drift: [], refused: failure("cluster.unknown", { cluster: name }) };
    if (cluster.freeze !== undefined)
      return { drift: [], notNow: failure("freeze.set", { cluster: name, why: cluster.freeze }) };
    if (!isOpen(cluster.windows, means.clock.now()))
      return {
        drift: [],
        notNow: failure("window.closed", { cluster: name, windows: cluster.windows.join(", ") }),
      };
  }
  const mend = plan.mend === undefined ? {} : { mend: plan.mend };
  const given = plan.artefact === undefined ? {} : { given: plan.artefact };
  const asked = await prepare(means, {
    ...targetOf(plan),
    ...given,
    ...(await backOf(means, plan)),
    ...mend,
  });
  if (!asked.ok) return { drift: [], refused: asked.failure };
  // what a node did not say is not drift
  if (asked.value.silent !== undefined) return { drift: [], notYet: asked.value.silent };
  const { playbook, input } = asked.value;
  const changed = changedBy(state);
  const drift = driftOf(plan.boundTo, playbook.fingerprint(input)).filter(
    ({ field }) => !changed.includes(nodeOfField(field) ?? ""),
  );
  // a server that restarts does not tell, and is no other one
  const moved = drift.filter(({ found }) => found !== unmeasured);
  if (moved.length > 0) return { drift: moved };
  if (drift.length > 0)
    return {
      drift: [],
      notYet: failure("plan.unmeasured", { fields: drift.map(({ field }) => field).join(", ") }),
    };
  const blocker = playbook.blockers?.(input)[0];
  if (blocker !== undefined) return { drift: [], notNow: blocker };
  const standing = blocking(plan.checks, state.words, means.clock.now());
  return standing.length === 0
    ? { drift: [] }
    : { drift: [], refused: failure("check.lapsed", { checks: listed(standing) }) };
}

async function backOf(means: PlanningMeans, { back }: Plan): Promise<{ readonly back?: Undone }> {
  const state = back === undefined ? undefined : await means.rollout(back);
  const undone = state === undefined ? undefined : undoneBy(state, { fromAnyStep: true });
  return undone?.ok === true ? { back: undone.value } : {};
}
