import { describe, expect, it } from "vitest";
import { decide } from "#coordinator/domain/rollout/decide.ts";
import { maxWithdrawals } from "#coordinator/domain/rollout/under-lock.ts";
import { ended, inside, step, stopped, type Told, told } from "./telling.ts";

const stage = "node-db1";
const inWork: readonly Told[] = [{ kind: "stage-passed", stage: "stage" }, ...inside(stage, "db1")];
const resumed: Told = { kind: "resumed", by: "ann", words: [] };
const sent = (attempt: number): Told => ({ kind: "program-sent", stage, node: "db1", attempt, epoch: 1 });

function neverBegan(attempt: number): Told {
  const end = ended(stage, "db1", "stop") as Extract<Told, { kind: "program-ended" }>;
  return { ...end, attempt, agentSequence: 10 + attempt, outcome: "never-begun" };
}

/** Tried again after a stop, and never begun that often. */
function triedAgain(before: readonly Told[], tries = 1) {
  const attempts = Array.from({ length: tries }, (_, index) => index + 2);
  const again = attempts.flatMap((attempt) => [sent(attempt), neverBegan(attempt)]);
  const start: Told = { kind: "stage-started", stage, attempt: 2 };
  return decide(told("rolling", ...inWork, ...before, stopped(stage, "db1"), resumed, start, ...again));
}

describe("a program that never began", () => {
  it("gives its lock back where nothing was begun before it", () => {
    expect(decide(told("rolling", ...inWork, neverBegan(1)))).toMatchObject({ do: "withdraw" });
  });

  it("is sent again under its lock where an earlier try has begun something", () => {
    const begun = [step(stage, "db1", "stop", "started")];
    expect(triedAgain(begun)).toMatchObject({ do: "send", attempt: 3, lock: { entered: ["db1"] } });
  });

  it("is sent again where an earlier try was in, though no step of it was told", () => {
    expect(triedAgain([])).toMatchObject({ do: "send", attempt: 3 });
  });

  it("keeps its lock when the tries are used up: a person is asked", () => {
    expect(triedAgain([], maxWithdrawals)).toMatchObject({ do: "stop", node: "db1" });
  });
});
