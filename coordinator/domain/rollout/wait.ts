/** What a wait stage does: watches armed before it waits, its gates looked at until a person has answered, watches disarmed before it is over. */
import { failure } from "#proto/common/failure.ts";
import type { Plan, WaitStage, WatchSpec } from "../plan.ts";
import { type Action, nextGate } from "./action.ts";
import { endingAt } from "./kept-watches.ts";
import { reopening } from "./reopening.ts";
import type { FiredWatch, RolloutState, StageState } from "./state.ts";

export function decideWait(state: RolloutState, spec: WaitStage, stage: StageState): Action {
  if (stage.waitOver) return leave(state, spec);
  const unarmed = spec.watches.filter(({ id }) => !stage.armed.includes(id));
  if (unarmed.length > 0) return { do: "arm-watches", stage: spec.id, watches: unarmed };
  const mending = reopening(state, spec, stage);
  if (mending !== undefined) return mending;
  const gate = nextGate(spec.id, spec.gates, stage, "before");
  if (gate !== undefined) return gate;
  if (spec.approval !== undefined && !stage.approved) {
    return {
      do: "await-approval",
      stage: spec.id,
      why: failure("rollout.waits-for-approval", {
        stage: spec.id,
        question: spec.approval.question,
        who: spec.approval.mayAnswer,
      }),
      gates: spec.gates,
    };
  }
  // a yes may come weeks after the gates were green, and is for what is so now
  const again = spec.approval === undefined ? undefined : nextGate(spec.id, spec.gates, stage, "again");
  if (again !== undefined) return again;
  return { do: "end-wait", stage: spec.id };
}

/** What stands no longer than this is disarmed first: no reaction of it can come into the next stage. */
function leave(state: RolloutState, spec: WaitStage): Action {
  const watches = endingAt(state, spec);
  return watches.length > 0
    ? { do: "disarm-watches", stage: spec.id, watches }
    : { do: "pass-stage", stage: spec.id };
}

/** A watch that has reacted, or that measures nothing, is a reason to begin nothing more. */
export function stopForFired(plan: Plan, stage: string, fired: FiredWatch): Action {
  const { watch, node, measured, reacted, failure: why } = fired;
  const facts = { ...why?.facts, watch, node, measured: String(measured) };
  if (reacted) {
    const spec = watchOf(plan, watch);
    const cause = failure(spec?.reactionMeans ?? "watch.reacted", {
      ...facts,
      reaction: spec?.reaction.verb ?? "",
    });
    return { do: "stop", stage, node, why: cause, hint: "hint.watch-reacted" };
  }
  const code = why?.code ?? "watch.blind";
  return { do: "stop", stage, node, why: { code, facts }, hint: "hint.watch-failed" };
}

function watchOf({ stages }: Plan, watch: string): WatchSpec | undefined {
  const specs = stages.flatMap((stage) => (stage.kind === "wait" ? stage.watches : []));
  return specs.find(({ id }) => id === watch);
}
