/** What an abort leaves, from a rollout's events alone. */
import { describe, expect, it } from "vitest";
import { decide } from "#coordinator/domain/rollout/decide.ts";
import { isPastAbort, leavesStanding } from "#coordinator/domain/rollout/left-standing.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { whyOf } from "#coordinator/domain/rollout/view.ts";
import { inside, step, type Told, told } from "./telling.ts";

const method = "standing";
const aborting: Told = { kind: "abort-asked", by: "ann", reason: "" };
const passed = (stage: string): Told => ({ kind: "stage-passed", stage });
const retiring = [passed("copy"), passed("index"), passed("ready"), ...inside("retire/clear", "db2")];

const ofBack = (state: RolloutState): RolloutState => ({ ...state, plan: { ...state.plan, back: "first" } });

describe("what an abort leaves", () => {
  it("is nothing where nothing was begun, where it was undone, and where the last stage has taken it away", () => {
    expect(leavesStanding(told(method, passed("copy")))).toBe(false);
    const stops = [
      passed("copy"),
      ...inside("index/build", "db2"),
      step("index/build", "db2", "stop", "done"),
    ];
    expect(leavesStanding(told(method, ...stops))).toBe(true);
    expect(leavesStanding(told(method, ...stops, step("index/build", "db2", "stop", "undone")))).toBe(false);
    expect(leavesStanding(told(method, ...retiring, passed("retire")))).toBe(false);
  });

  it("is all that the first rollout has made, where a way back is aborted before its end", () => {
    const state = ofBack(told(method, aborting));
    expect(decide(state)).toMatchObject({
      do: "stop",
      why: { code: "rollout.left-standing", facts: { rollout: "first" } },
    });
    const [answer] = whyOf(ofBack(told(method, aborting, { kind: "aborted" })));
    expect(answer?.command).toContain("lockkeeper plan --back first");
    expect(leavesStanding(ofBack(told(method, ...retiring, passed("retire"))))).toBe(false);
  });
});

it("the last stage is not aborted once a program of it may be changing something, or has", () => {
  expect(isPastAbort(told(method, passed("copy"), passed("index"), passed("ready")))).toBe(false);
  expect(isPastAbort(told(method, ...retiring))).toBe(true);
  const refused: Told = {
    kind: "program-ended",
    node: "db2",
    stage: "retire/clear",
    attempt: 1,
    agentSequence: 1,
    epoch: 1,
    outcome: "failed",
    step: "look",
  };
  expect(isPastAbort(told(method, ...retiring, refused))).toBe(false);
  const begun = step("retire/clear", "db2", "stop", "started");
  expect(isPastAbort(told(method, ...retiring, begun, { ...refused, agentSequence: 2 }))).toBe(true);
});
