/** A hold that came down takes with it what was done behind it, whichever try has made it. */
import { expect, it } from "vitest";
import { stageState } from "#coordinator/domain/rollout/state.ts";
import { ended, inside, step, stopped, type Told, told } from "./telling.ts";

const retried: Told = { kind: "retried", stage: "cut", node: "", by: "ann", words: [] };
const done = { outcome: "done", step: "" } as const;

/** The first try has fenced and failed; the second one has found the fence, and its next program fails. */
function secondTry(...between: readonly Told[]) {
  const again = { attempt: 2, agentSequence: 4 };
  return told(
    "behind-hold",
    ...inside("cut/fence", "db1"),
    step("cut/fence", "db1", "fence", "done"),
    { ...ended("cut/fence", "db1", "fence"), agentSequence: 2 } as Told,
    stopped("cut", "db1"),
    retried,
    { kind: "program-sent", stage: "cut", phase: "fence", node: "db1", attempt: 2, epoch: 1 },
    { ...step("cut/fence", "db1", "fence", "found-done"), attempt: 2, agentSequence: 3 } as Told,
    { ...ended("cut/fence", "db1", ""), ...again, ...done } as Told,
    { kind: "phase-passed", stage: "cut", phase: "fence" },
    ...between,
    stopped("cut", "db2"),
    retried,
  );
}

it("is made anew by the next try, where an earlier one's came down since", () => {
  const down = { ...step("cut/fence", "db1", "fence", "undone"), agentSequence: 5 } as Told;
  expect(stageState(secondTry(down), "cut").phasesPassed).toEqual([]);
});

it("is not made twice while it stands", () => {
  expect(stageState(secondTry(), "cut").phasesPassed).toEqual(["fence"]);
});
