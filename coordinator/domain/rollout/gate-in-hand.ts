/** The gate that is measured now, and to whom it falls that it is not green. */
import type { Failure } from "#proto/common/failure.ts";
import type { GateView, WhyView } from "../views.ts";
import { askedOf } from "./asked.ts";
import { decide } from "./decide.ts";
import type { RolloutState } from "./state.ts";

/** Undefined also where a person's answer is waited for, whatever is looked at meanwhile. */
export function gateInHand(state: RolloutState): GateView | undefined {
  const action = decide(state);
  if (action.do !== "take-gate" || askedOf(state) !== undefined) return undefined;
  const { stage, gate } = action;
  const { everyMs, dwellMs, limitMs } = gate;
  const code: Failure["code"] = `gate.${gate.gate}`;
  const what = { code, facts: { ...gate.args, cluster: gate.cluster } };
  return { stage, what, everyMs, dwellMs, limitMs };
}

/** Of these nothing goes on by itself: somebody starts an agent, or lets it into its server. */
const ofHost: ReadonlySet<string> = new Set([
  "node.unreachable",
  "node.not-reported",
  "node.no-report",
  "postgresql.not-reached",
  "postgresql.no-server",
]);

/** Who moves what is waited for, where no person's word is asked. */
export function whoMoves({ code }: Failure): WhyView["answers"][number]["who"] {
  return ofHost.has(code) ? "who.host-owner" : "who.nobody-needed";
}
