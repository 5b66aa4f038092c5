/** The moments between two things that a rollout does: where the tests kill. */
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";

export interface Boundary {
  /** Without the node's name: the same moment of all nodes that go through it. */
  readonly name: string;
  readonly node?: string;
  /** One of many alike, of a program that runs under the lock; the others come once in a rollout. */
  readonly isOfEachNode: boolean;
}

/**
 * What the event says has just happened; undefined for what is no boundary. Of a node's stage just what it was
 * (`stop started`), of every other with the stage's name (`all-nodes/stop/stop started`).
 */
export function boundaryOf({ fact }: RolloutEvent): Boundary | undefined {
  const what = whatOf(fact);
  if (what === undefined || !("stage" in fact)) return undefined;
  const { stage } = fact;
  const [, ofNode] = /^(?:node|back)-(db\d)$/.exec(stage) ?? [];
  if (ofNode !== undefined) return { name: what, node: ofNode, isOfEachNode: true };
  const place = fact.kind === "program-sent" && fact.phase !== undefined ? `${stage}/${fact.phase}` : stage;
  const node = "node" in fact ? fact.node : undefined;
  return {
    name: `${place}/${what}`,
    ...(node === undefined ? {} : { node }),
    isOfEachNode: node !== undefined && /^all-/.test(stage),
  };
}

function whatOf(fact: RolloutEvent["fact"]): string | undefined {
  if (fact.kind === "step") {
    if (fact.phase === "started") return `${fact.step} started`;
    return fact.phase === "done" || fact.phase === "found-done" ? `${fact.step} done` : undefined;
  }
  if (fact.kind === "phase-passed") return `${fact.phase} passed`;
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
