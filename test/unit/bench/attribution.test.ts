import { describe, expect, it } from "vitest";
import type { RolloutEvent, RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { handOversOf, timesOf } from "#test/bench/attribution.ts";

const base = Date.parse("2026-02-01T00:00:00.000Z");
const instant = (ms: number) => new Date(base + ms).toISOString();

function events(...facts: readonly (readonly [number, object])[]): RolloutEvent[] {
  return facts.map(([ms, fact], index) => ({
    format: 1,
    rollout: "r",
    sequence: index + 1,
    at: instant(ms),
    fact: fact as RolloutFact,
  }));
}

const step = (node: string, phase: string, elapsedMs: number) => ({
  kind: "step",
  node,
  stage: `node-${node}`,
  step: "s",
  phase,
  elapsedMs,
});
const gate = (node: string, when: string, dwellMs: number, sampledMs: number) => ({
  kind: "gate-passed",
  stage: `node-${node}`,
  gate: "g",
  when,
  dwellMs,
  lastSampleAt: instant(sampledMs),
});

const log = events(
  [
    0,
    {
      kind: "rollout-started",
      plan: {
        stages: [
          { kind: "node", id: "node-a", node: "a" },
          { kind: "node", id: "node-b", node: "b" },
        ],
      },
    },
  ],
  [10, { kind: "stage-started", stage: "node-a" }],
  [110, { kind: "snapshot-taken", stage: "node-a" }],
  [1_210, gate("a", "before", 1_000, 1_205)],
  [1_310, { kind: "checks-judged", stage: "node-a" }],
  [1_313, { kind: "granted", stage: "node-a" }],
  [1_320, { kind: "program-sent", stage: "node-a", node: "a" }],
  [1_325, step("a", "started", 0)],
  [2_320, step("a", "done", 990)],
  [2_330, { kind: "program-ended", stage: "node-a", node: "a" }],
  [3_430, gate("a", "after", 1_000, 3_428)],
  [3_433, { kind: "freed", stage: "node-a" }],
  [3_500, { kind: "snapshot-taken", stage: "node-a" }],
  [3_501, { kind: "stage-passed", stage: "node-a" }],
  [3_502, { kind: "stage-started", stage: "node-b" }],
  [3_560, gate("b", "before", 0, 3_560)],
  [3_600, { kind: "checks-judged", stage: "node-b" }],
  [3_604, { kind: "granted", stage: "node-b" }],
  [3_606, { kind: "program-sent", stage: "node-b", node: "b" }],
  [3_700, { kind: "stage-passed", stage: "node-b" }],
);

describe("where a rollout's time went", () => {
  it("every millisecond of a node's stage is told once", () => {
    const [first] = timesOf(log);
    expect(first).toEqual({
      node: "a",
      totalMs: 3_491,
      snapshotsMs: 100 + 67,
      dwellMs: 2_000,
      samplingMs: 95 + 100 + 98,
      toolsMs: 990,
      ownMs: 5 + 3 + 7 + 10 + 10 + 2 + 3 + 1,
      steps: 1,
    });
  });

  it("the hand-over counts from the last green sample to the next program, policy apart", () => {
    expect(handOversOf(log)).toEqual([{ from: "a", to: "b", ownMs: 2 + 3 + 1 + 1 + 4 + 2, wholeMs: 178 }]);
  });

  it("a log that is no rollout's gives nothing", () => {
    expect(timesOf([])).toEqual([]);
    expect(handOversOf([])).toEqual([]);
  });
});
