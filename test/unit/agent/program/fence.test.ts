import { describe, expect, it } from "vitest";
import {
  answerEnter,
  answerNotice,
  answerProgram,
  enterLimitMs,
  type FencedProgram,
  type FenceView,
  mayChange,
} from "#agent/program/fence.ts";

const fencing = (epoch: number, nonce = `n${epoch}`) => ({ cluster: "c", epoch, nonce });
const program = (epoch: number, standing: FencedProgram["standing"]): FencedProgram => ({
  ...fencing(epoch),
  rollout: "r",
  stage: "s",
  attempt: 1,
  standing,
});
const view = (epoch: number, held?: FencedProgram): FenceView => ({
  highest: new Map([["c", fencing(epoch)]]),
  program: held,
});

describe("an announcement", () => {
  it.each([
    ["a higher epoch", view(3), fencing(4), "yes"],
    ["the first epoch of all", { highest: new Map(), program: undefined }, fencing(1), "yes"],
    ["the same message again", view(3), fencing(3), "yes"],
    ["a lower epoch", view(3), fencing(2), "no"],
    ["the same epoch with another nonce", view(3), fencing(3, "other"), "no"],
    ["any epoch while a program is in flight", view(3, program(3, "in-flight")), fencing(4), "no"],
    ["any epoch while an ended program is not freed", view(3, program(3, "ended")), fencing(9), "no"],
  ] as const)("%s", (_, held, notice, says) => {
    expect(answerNotice(held, notice).says).toBe(says);
  });

  it.each(["waiting", "entering"] as const)("drops a program that is %s", (standing) => {
    const held = program(3, standing);
    expect(answerNotice(view(3, held), fencing(4))).toEqual({ says: "yes", drops: held });
  });
});

describe("a program", () => {
  it.each([
    ["under the announced epoch", view(3), program(3, "waiting"), "yes"],
    ["sent twice", view(3, program(3, "in-flight")), program(3, "waiting"), "yes"],
    [
      "of the next attempt after one that has ended",
      view(3, program(3, "ended")),
      { ...program(3, "waiting"), attempt: 2 },
      "yes",
    ],
    [
      "of another rollout after one that has ended",
      view(3, program(3, "ended")),
      { ...program(3, "waiting"), rollout: "q" },
      "no",
    ],
    ["that was never announced", view(3), program(4, "waiting"), "no"],
    ["under an epoch that has passed", view(3), program(2, "waiting"), "no"],
    ["with another nonce", view(3), { ...program(3, "waiting"), nonce: "x" }, "no"],
    [
      "of another stage under the same epoch",
      view(3, program(3, "waiting")),
      { ...program(3, "waiting"), stage: "t" },
      "no",
    ],
  ] as const)("%s", (_, held, wanted, says) => {
    expect(answerProgram(held, wanted).says).toBe(says);
  });
});

describe("the answer to an enter", () => {
  it.each([
    ["in time", view(3, program(3, "entering")), fencing(3), 10, "yes"],
    ["after the deadline", view(3, program(3, "entering")), fencing(3), enterLimitMs + 1, "no"],
    ["that nobody asked for", view(3, program(3, "waiting")), fencing(3), 10, "no"],
    ["for a program that was dropped", view(4), fencing(3), 10, "no"],
    ["with another nonce", view(3, program(3, "entering")), fencing(3, "x"), 10, "no"],
  ] as const)("%s", (_, held, granted, waitedMs, says) => {
    expect(answerEnter(held, granted, waitedMs).says).toBe(says);
  });
});

it("forbids a change under an epoch that is no longer the highest", () => {
  expect(mayChange(view(3), fencing(3)).says).toBe("yes");
  expect(mayChange(view(4), fencing(3)).says).toBe("no");
});
