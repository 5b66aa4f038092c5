/** A hold that came down takes with it what was done behind it, whichever try has made it. */
import { expect, it } from "vitest";
import { decide } from "#coordinator/domain/rollout/decide.ts";
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

/** Its agent told so at that moment of the first try, whose next program found a difference behind it. */
function foundBehind(...down: readonly Told[]) {
  return decide(
    told(
      "behind-hold",
      ...inside("cut/fence", "db1", "db2"),
      step("cut/fence", "db1", "fence", "done"),
      { ...ended("cut/fence", "db1", ""), agentSequence: 2, ...done } as Told,
      { kind: "phase-passed", stage: "cut", phase: "fence" },
      { kind: "program-sent", stage: "cut", phase: "switch", node: "db2", attempt: 1, epoch: 1 },
      step("cut/switch", "db2", "upgrade", "failed"),
      ...down,
      { ...ended("cut/switch", "db2", "upgrade"), agentSequence: 2 } as Told,
    ),
  );
}

it("is the cause that is told, and not what was found behind it", () => {
  const down = { ...step("cut/fence", "db1", "fence", "undone"), agentSequence: 3 } as Told;
  const facts = { node: "db1", hold: "fence", behind: "db2", step: "upgrade", cause: "tiny.failed" };
  expect(foundBehind(down)).toEqual({
    do: "stop",
    stage: "cut",
    node: "db1",
    why: { code: "hold.lapsed", facts },
    hint: "hint.hold-refused",
  });
  expect(foundBehind()).toMatchObject({ do: "stop", node: "db2", why: { code: "tiny.failed" } });
});

it("of an earlier try is no cause for what fails before it was made anew", () => {
  const down = { ...step("cut/fence", "db1", "fence", "undone"), agentSequence: 5 } as Told;
  const begun = { kind: "stage-started", stage: "cut", attempt: 3 } as const;
  const state = secondTry(down, begun);
  expect(stageState(state, "cut").begun.some(({ undone }) => undone)).toBe(true);
  const again = told(
    "behind-hold",
    ...inside("cut/fence", "db1"),
    step("cut/fence", "db1", "fence", "done"),
    { ...step("cut/fence", "db1", "fence", "undone"), agentSequence: 2 } as Told,
    stopped("cut", "db1"),
    retried,
    begun,
    { kind: "program-sent", stage: "cut", phase: "fence", node: "db1", attempt: 3, epoch: 1 },
    { ...ended("cut/fence", "db1", "fence"), attempt: 3, agentSequence: 3 } as Told,
  );
  expect(decide(again)).toMatchObject({ do: "stop", why: { code: "tiny.failed" } });
});

it("is not made twice while it stands", () => {
  expect(stageState(secondTry(), "cut").phasesPassed).toEqual(["fence"]);
});
