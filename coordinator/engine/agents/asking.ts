/** Questions that agents answer through their journals: asked until the rollout's state has moved, or a node is silent. */
import { failure } from "#proto/common/failure.ts";
import { decide } from "../../domain/rollout/decide.ts";
import { type RolloutDesk, tickMs } from "../rollout-desk.ts";
import { stopsForSilence } from "./silence.ts";

export interface Question {
  readonly stage: string;
  readonly nodes: readonly string[];
  /** Sends the question; called again for a new stream, and when no answer came in time. */
  readonly ask: () => void;
  /** How long an attached node may go without an answer; absent where the answer may take as long as a step. */
  readonly limitMs?: number;
}

/** Returns when another action is due, an order came, or the rollout was stopped for the silence. */
export async function askUntilMoved(
  desk: RolloutDesk,
  { stage, nodes, ask, limitMs }: Question,
): Promise<void> {
  const { clock, timing } = desk.means;
  const due = JSON.stringify(decide(desk.state));
  const beganMs = clock.monotonicMs();
  let againAtMs = beganMs;
  while (!desk.stopped.aborted) {
    const nowMs = clock.monotonicMs();
    if (nowMs >= againAtMs) {
      againAtMs = nowMs + timing.answerLimitMs;
      ask();
    }
    const mail = await desk.takeMail(tickMs);
    if (mail?.kind === "order" || JSON.stringify(decide(desk.state)) !== due) return;
    if (mail?.kind === "attached") againAtMs = clock.monotonicMs();
    if (await stopsForSilence(desk, stage, nodes)) return;
    const [node] = nodes;
    if (node !== undefined && limitMs !== undefined && clock.monotonicMs() - beganMs >= limitMs)
      return desk.stop(stage, failure("node.silent", { node }), "hint.node-silent", node);
  }
}
