/** The event that an order becomes, or why it does not fit the rollout as it stands. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Word } from "../../domain/check.ts";
import type { Playbook } from "../../domain/playbook.ts";
import { askedOf } from "../../domain/rollout/asked.ts";
import type { RolloutFact } from "../../domain/rollout/event.ts";
import { isPastAbort } from "../../domain/rollout/left-standing.ts";
import { type RolloutState, stageState } from "../../domain/rollout/state.ts";
import { phaseOf } from "../../domain/rollout/view.ts";
import type { OrderWish } from "./application-means.ts";

export interface OrderedRollout {
  readonly state: RolloutState;
  readonly words: readonly Word[];
  readonly playbook: Playbook | undefined;
  readonly nowMs: number;
}

export function factFor(
  by: string,
  { order, node, reason }: OrderWish,
  ordered: OrderedRollout,
): Outcome<RolloutFact> {
  const { state, words, nowMs } = ordered;
  const phase = phaseOf(state);
  const wrong = () => fail<RolloutFact>("rollout.wrong-phase", { rollout: state.id, order, phase });
  switch (order) {
    case "pause":
      return phase === "running" || phase === "waiting" ? succeed({ kind: "paused", by, reason }) : wrong();
    case "resume":
      return phase === "paused" || phase === "stopped" ? succeed({ kind: "resumed", by, words }) : wrong();
    case "abort":
      if (phase === "done" || phase === "aborted") return wrong();
      return isPastAbort(state)
        ? fail("rollout.past-abort", { rollout: state.id })
        : succeed({ kind: "abort-asked", by, reason });
    case "approve": {
      const asked = askedOf(state);
      if (phase !== "waiting" || asked === undefined) return wrong();
      const until = notBefore(state, asked.stage);
      return nowMs < until
        ? fail("rollout.approved-too-early", { rollout: state.id, until: new Date(until).toISOString() })
        : succeed({ kind: "approved", stage: asked.stage, by, reason });
    }
    case "retry": {
      if (state.stop === undefined) return wrong();
      if (node !== undefined && state.stop.node !== undefined && node !== state.stop.node)
        return fail("rollout.other-node", { rollout: state.id, node, stopped: state.stop.node });
      return succeed({
        kind: "retried",
        stage: state.stop.stage,
        node: node ?? state.stop.node ?? "",
        by,
        words,
      });
    }
    case "skip":
      return skip(by, { node, reason }, ordered);
  }
}

/** From when on a stage takes its approval. */
function notBefore(state: RolloutState, stage: string): number {
  const spec = state.plan.stages.find(({ id }) => id === stage);
  const { startedAt } = stageState(state, stage);
  if (spec?.kind !== "wait" || startedAt === undefined) return 0;
  return Date.parse(startedAt) + (spec.notBeforeMs ?? 0);
}

function skip(
  by: string,
  { node, reason }: { readonly node: string | undefined; readonly reason: string },
  { state, playbook }: OrderedRollout,
): Outcome<RolloutFact> {
  const stage = state.plan.stages.find((spec) => spec.kind === "node" && spec.node === node);
  if (node === undefined || stage === undefined) return fail("node.unknown", { node: node ?? "" });
  const standing = state.stages.find(({ id }) => id === stage.id)?.standing;
  if (standing === "passed") return fail("rollout.node-done", { rollout: state.id, node });
  // of whatever stage: a phase that has begun on it leaves it half-way
  if (state.lock?.nodes.includes(node)) return fail("rollout.node-holds-lock", { rollout: state.id, node });
  if (!playbook?.mayServeMixed(state.plan))
    return fail("rollout.no-mixed-versions", { rollout: state.id, node });
  return succeed({ kind: "skipped", node, by, reason });
}
