/** What agents tell of their watches, folded in. */
import type { Failure } from "#proto/common/failure.ts";
import { inStage } from "./alter.ts";
import type { RolloutFact } from "./event.ts";
import type { RolloutState } from "./state.ts";
import { toldIn } from "./told.ts";

function stageOfWatch(state: RolloutState, watch: string): string {
  const found = state.plan.stages.find(
    (stage) => stage.kind === "wait" && stage.watches.some(({ id }) => id === watch),
  );
  return found?.id ?? "";
}

export function watchAnswered(
  state: RolloutState,
  { watch, armed }: Extract<RolloutFact, { kind: "watch-answered" }>,
): RolloutState {
  return inStage(state, stageOfWatch(state, watch), (stage) => {
    const others = stage.armed.filter((id) => id !== watch);
    return { ...stage, armed: armed ? [...others, watch] : others };
  });
}

/** A warning is news, and so is what a watch has done that measures on; any other reaction, and a watch that is blind, is a reason to stop. */
export function watchFired(
  state: RolloutState,
  fact: Extract<RolloutFact, { kind: "watch-fired" }>,
): RolloutState {
  const { watch, node, measured, reacted, failure: why, goesOn, outputs = {} } = fact;
  if (goesOn === true)
    return inStage(state, stageOfWatch(state, watch), (stage) => ({
      ...stage,
      told: withNew(stage.told, toldIn(node, outputs)),
    }));
  if (!reacted && why === undefined) return state;
  const fired = { watch, node, measured, reacted, ...(why === undefined ? {} : { failure: why }) };
  return inStage(state, stageOfWatch(state, watch), (stage) => ({
    ...stage,
    fired: [...stage.fired, fired],
  }));
}

/** A watch may do the same again and again for weeks: each is told once, and no more than a person reads. */
const mostTold = 100;

function withNew(known: readonly Failure[], more: readonly Failure[]): readonly Failure[] {
  const texts = new Set(known.map((each) => JSON.stringify(each)));
  return [...known, ...more.filter((each) => !texts.has(JSON.stringify(each)))].slice(0, mostTold);
}
