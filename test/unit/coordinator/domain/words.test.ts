import { describe, expect, it } from "vitest";
import type { Word } from "#coordinator/domain/check.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import { eventFormat, type RolloutEvent, type RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { failure } from "#proto/common/failure.ts";

const plan: Plan = {
  format: 1,
  digest: "",
  engine: "tiny",
  clusters: ["c"],
  from: "1",
  to: "2",
  strategy: "rolling",
  method: "tiny",
  boundTo: {},
  stages: [],
  checks: [],
  asks: [],
  wayBack: [],
  warnings: [],
};

const word: Word = { kind: "acknowledgement", check: "node.unproven", reason: "looked", by: "op", at: "t" };
const why = failure("node.unproven", { cluster: "c", node: "db1", stateId: "new" });

function wordsAfter(...facts: readonly RolloutFact[]): readonly Word[] | undefined {
  const start: RolloutFact = {
    kind: "rollout-started",
    plan,
    by: "op",
    options: { approveEach: false },
    words: [word],
  };
  const events = [start, ...facts].map(
    (fact, index): RolloutEvent => ({
      format: eventFormat,
      rollout: "r",
      sequence: index + 1,
      at: "t",
      fact,
    }),
  );
  return fold(events)?.words;
}

describe("a person's word", () => {
  it("answers the stop that it was given to, with the facts that it told", () => {
    const stopped: RolloutFact = { kind: "stopped", stage: "s", why, hint: "h" };
    const words = wordsAfter(stopped, { kind: "resumed", by: "op", words: [word] });
    expect(words?.map(({ about }) => about)).toEqual([undefined, why.facts]);
  });

  it("says nothing of a stop that it was not given to", () => {
    const other: RolloutFact = {
      kind: "stopped",
      stage: "s",
      why: failure("node.silent", { node: "db1" }),
      hint: "h",
    };
    expect(wordsAfter(other, { kind: "resumed", by: "op", words: [word] })?.[1]?.about).toBeUndefined();
  });
});
