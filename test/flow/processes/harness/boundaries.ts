/** The moments between two things that a rollout does for one node: where the tests kill. */
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";

/** What the event of a node's stage says has just happened; undefined for what is no boundary. */
export function boundaryOf({ fact }: RolloutEvent, node: string): string | undefined {
  if (!("stage" in fact) || fact.stage !== `node-${node}`) return undefined;
  if (fact.kind === "step") {
    if (fact.phase === "started") return `${fact.step} started`;
    return fact.phase === "done" || fact.phase === "found-done" ? `${fact.step} done` : undefined;
  }
  return lockside.has(fact.kind) ? fact.kind : undefined;
}

const lockside: ReadonlySet<string> = new Set([
  "stage-started",
  "gate-passed",
  "granted",
  "announced",
  "program-sent",
  "entered",
  "program-ended",
  "freed",
  "stage-passed",
]);
