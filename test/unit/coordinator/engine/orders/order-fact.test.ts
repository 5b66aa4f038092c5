/** An order is taken only where it fits the rollout as it stands. */
import { expect, it } from "vitest";
import { factFor } from "#coordinator/engine/orders/order-fact.ts";
import { told, toldAt } from "#test/unit/coordinator/domain/rollout/telling.ts";

const notBeforeMs = 60_000;

/** In a wait for a person that takes no answer within its first minute. */
function waiting() {
  const state = told(
    "watched",
    { kind: "stage-started", stage: "copy", attempt: 1 },
    { kind: "watch-answered", watch: "lag", node: "db1", agentSequence: 1, armed: true },
    {
      kind: "gate-passed",
      stage: "copy",
      gate: "tiny.all-up",
      cluster: "c",
      when: "before",
      dwellMs: 1,
      lastSampleAt: toldAt(4),
    },
  );
  const stages = state.plan.stages.map((stage) =>
    stage.kind === "wait" ? { ...stage, notBeforeMs } : stage,
  );
  return { ...state, plan: { ...state.plan, stages } };
}

it("an approval is not taken before its time, and told from when on", () => {
  const startedMs = Date.parse(toldAt(2));
  const approved = (nowMs: number) =>
    factFor(
      "ann",
      { rollout: "r", order: "approve", reason: "", words: [] },
      { state: waiting(), words: [], playbook: undefined, nowMs },
    );
  expect(approved(startedMs + notBeforeMs - 1)).toMatchObject({
    failure: {
      code: "rollout.approved-too-early",
      facts: { until: new Date(startedMs + notBeforeMs).toISOString() },
    },
  });
  expect(approved(startedMs + notBeforeMs)).toMatchObject({ ok: true, value: { kind: "approved" } });
});
