/** What is known of a stage's gates, folded in. */
import { inStage } from "./alter.ts";
import type { RolloutFact } from "./event.ts";
import { gateKey, type RolloutState, type StageState } from "./state.ts";

type GateWaited = Extract<RolloutFact, { kind: "gate-waited" }>;
type GateFailed = Extract<RolloutFact, { kind: "gate-failed" }>;
type GateFact = GateWaited | GateFailed | Extract<RolloutFact, { kind: "gate-passed" }>;

export function gateTold(state: RolloutState, fact: GateFact, at: string): RolloutState {
  const isWait = state.plan.stages.some(({ id, kind }) => id === fact.stage && kind === "wait");
  return inStage(state, fact.stage, (stage) => {
    const { gateWaits: _waited, ...rest } = stage;
    switch (fact.kind) {
      case "gate-waited":
        return waiting(isWait ? lapsed(stage, fact) : stage, fact, at);
      case "gate-passed":
        return { ...rest, gatesPassed: [...stage.gatesPassed, gateKey(fact.when, fact)] };
      case "gate-failed":
        return waiting(rest, fact, at);
    }
  });
}

/** The same reason with other numbers is not a new wait. */
function waiting(stage: StageState, fact: GateWaited | GateFailed, at: string): StageState {
  const { why } = fact;
  const known = stage.gateWaits;
  const since = known?.why.code === why.code ? known.since : at;
  const isForPerson = fact.kind === "gate-waited" && fact.isForPerson === true;
  return { ...stage, gateWaits: { why, since, isForPerson } };
}

/**
 * In a wait, in which weeks may pass, what was green counts no more. After a person's yes all must be green one after the
 * other: those before one that had to wait are taken again too.
 */
function lapsed(stage: StageState, { gate, when }: GateWaited): StageState {
  const own = gateKey(when, { gate });
  const isGone = (key: string) =>
    when === "again" ? key.startsWith("again:") : key === own || key.startsWith(`${own}@`);
  return { ...stage, gatesPassed: stage.gatesPassed.filter((key) => !isGone(key)) };
}
