import { describe, expect, it } from "vitest";
import { notSeenIn } from "#coordinator/domain/rollout/not-seen.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";

const none = { plan: { from: "1", to: "2", stages: [] }, skipped: [] } as unknown as RolloutState;

function stateWith(outputs: Readonly<Record<string, string>>): RolloutState {
  const program = {
    node: "db1",
    attempt: 1,
    wireStage: "finish",
    standing: "ended",
    steps: { "report-jobs": { phase: "done", outputs } },
  } as const;
  const stage = {
    id: "finish",
    standing: "passed",
    attempt: 1,
    told: [],
    programs: { "finish@db1": program },
  };
  return { ...none, stages: [stage as unknown as RolloutState["stages"][number]] };
}

describe("what was not seen", () => {
  it("is told at the end, by node and name", () => {
    const outputs = { "not-seen.COMPRESS": "no good run yet since 10:00", RETENTION: "a good run at 11:00" };
    expect(notSeenIn(stateWith(outputs))).toEqual([
      {
        code: "step.not-seen",
        facts: { node: "db1", what: "COMPRESS", says: "no good run yet since 10:00" },
      },
    ]);
  });

  it("is nothing where all was seen", () => {
    expect(notSeenIn(stateWith({ RETENTION: "a good run at 11:00" }))).toEqual([]);
    expect(notSeenIn({ ...none, stages: [] })).toEqual([]);
  });

  it("is a skipped node at the new version, however often it was skipped", () => {
    expect(notSeenIn({ ...none, stages: [], skipped: ["db2", "db2"] })).toEqual([
      { code: "rollout.node-left-behind", facts: { node: "db2", from: "1", to: "2", steps: "nothing" } },
    ]);
  });
});
