/** Questions that agents answer through their journals: asked until the rollout's state has moved, or a node is silent. */
import { failure } from "#proto/common/failure.ts";
import { decide } from "../domain/rollout/decide.ts";
import { type RolloutDesk, tickMs } from "./rollout-desk.ts";

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
  const { clock, fleet, timing } = desk.means;
  const due = JSON.stringify(decide(desk.state));
  const silentSince = new Map<string, number>();
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
    for (const node of nodes) {
      if (fleet.presence(node) !== undefined) silentSince.delete(node);
      else if (!silentSince.has(node)) silentSince.set(node, clock.monotonicMs());
      const silentMs = clock.monotonicMs() - (silentSince.get(node) ?? clock.monotonicMs());
      const unansweredMs = limitMs === undefined ? 0 : clock.monotonicMs() - beganMs;
      if (silentMs >= timing.silenceLimitMs || unansweredMs >= (limitMs ?? 1))
        return desk.stop(stage, failure("node.silent", { node }), "hint.node-silent", node);
    }
  }
}
