/** What a wait stage does: watches armed before it waits, disarmed before it is over. */
import { failure } from "#proto/common/failure.ts";
import type { WaitStage } from "../plan.ts";
import { type Action, nextGate } from "./action.ts";
import type { StageState } from "./state.ts";

export function decideWait(spec: WaitStage, stage: StageState): Action {
  if (stage.waitOver) return leave(spec, stage);
  const unarmed = spec.watches.filter(({ id }) => !stage.armed.includes(id));
  if (unarmed.length > 0) return { do: "arm-watches", stage: spec.id, watches: unarmed };
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
    };
  }
  return { do: "end-wait", stage: spec.id };
}

/** The next stage begins when no reaction can come into it any more. */
function leave(spec: WaitStage, { armed }: StageState): Action {
  const watches = spec.watches.filter(({ id }) => armed.includes(id));
  return watches.length > 0
    ? { do: "disarm-watches", stage: spec.id, watches }
    : { do: "pass-stage", stage: spec.id };
}

/** A watch that has reacted, or that measures nothing, ends the wait. */
export function stopForFired({ id: stage }: WaitStage, { fired: [fired] }: StageState): Action | undefined {
  if (fired === undefined) return undefined;
  const { watch, node, measured, reacted, failure: why } = fired;
  const facts = { ...why?.facts, watch, node, measured: String(measured) };
  if (reacted) {
    const cause = failure("watch.reacted", facts);
    return { do: "stop", stage, node, why: cause, hint: "hint.watch-reacted" };
  }
  const code = why?.code ?? "watch.blind";
  return { do: "stop", stage, node, why: { code, facts }, hint: "hint.watch-failed" };
}
