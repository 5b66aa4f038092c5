/** Wait stages and holds: watches armed and disarmed, a person awaited, a hold made permanent. */
import { failure } from "#proto/common/failure.ts";
import type { WatchSpec } from "../domain/plan.ts";
import type { Action } from "../domain/rollout/action.ts";
import { stageState } from "../domain/rollout/state.ts";
import { askUntilMoved } from "./agents/asking.ts";
import { toWatch } from "./agents/wire.ts";
import { lookAgain } from "./looking-again.ts";
import { forEverMs, type RolloutDesk } from "./rollout-desk.ts";

/** One after the other: each answer makes another action due, and whoever was asked already would be asked, and answer, again. */
export async function armWatches(
  desk: RolloutDesk,
  { stage, watches: [watch], anew = false }: Extract<Action, { do: "arm-watches" }>,
): Promise<void> {
  if (watch === undefined) return;
  const rollout = desk.state.id;
  const { attempt } = stageState(desk.state, stage);
  const ask = () => {
    // one that has reacted never does again: another attempt of the stage begins with a new one
    if (anew || attempt > 1) disarm(desk, watch);
    const value = { watch: toWatch(watch, { rollout, stage }) };
    desk.means.fleet.send(watch.node, { $case: "armWatch", value });
  };
  return askUntilMoved(desk, { stage, nodes: [watch.node], ask, limitMs: limitMs(desk) });
}

/** One after the other, as they are armed. */
export async function disarmWatches(
  desk: RolloutDesk,
  { stage, watches: [watch] }: Extract<Action, { do: "disarm-watches" }>,
): Promise<void> {
  if (watch === undefined) return;
  const ask = () => disarm(desk, watch);
  return askUntilMoved(desk, { stage, nodes: [watch.node], ask, limitMs: limitMs(desk) });
}

export function keepHold(
  desk: RolloutDesk,
  { stage, hold }: Extract<Action, { do: "keep-hold" }>,
): Promise<void> {
  const value = { rollout: desk.state.id, stage: hold.stage, step: hold.step };
  const ask = () => void desk.means.fleet.send(hold.node, { $case: "makeHoldPermanent", value });
  return askUntilMoved(desk, { stage, nodes: [hold.node], ask, limitMs: limitMs(desk) });
}

/** A wait stage waits for its person until its limit, and looks at its gates meanwhile; an approval between nodes is waited for as long as it takes. */
export async function awaitApproval(
  desk: RolloutDesk,
  { stage, why, gates }: Extract<Action, { do: "await-approval" }>,
): Promise<void> {
  const { clock } = desk.means;
  const spec = desk.state.plan.stages.find(({ id }) => id === stage);
  const { startedAt } = stageState(desk.state, stage);
  const endMs =
    spec?.kind === "wait" && startedAt !== undefined
      ? Date.parse(startedAt) + spec.limitMs
      : Number.POSITIVE_INFINITY;
  const leftMs = endMs - clock.now();
  if (leftMs <= 0) return desk.stop(stage, failure("wait.limit-passed", { stage }), "hint.wait-limit");
  await desk.noteWait(stage, why);
  const nextLookMs = await lookAgain(desk, stage, gates);
  if (nextLookMs !== undefined) await desk.takeMail(Math.min(forEverMs, leftMs, nextLookMs));
}

function disarm(desk: RolloutDesk, { node, id }: WatchSpec): void {
  desk.means.fleet.send(node, { $case: "disarmWatch", value: { rollout: desk.state.id, id } });
}

function limitMs(desk: RolloutDesk): number {
  return desk.means.timing.silenceLimitMs;
}
