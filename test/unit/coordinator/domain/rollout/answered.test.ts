/** What a step has found, and a person's word on it: told to that step, and to no other. */
import { expect, it } from "vitest";
import { askedFor } from "#coordinator/domain/asked-words.ts";
import type { Word } from "#coordinator/domain/check.ts";
import type { PlanProgram } from "#coordinator/domain/plan.ts";
import { withAnswers } from "#coordinator/domain/rollout/answered.ts";
import { eventFormat, type RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { whyOf } from "#coordinator/domain/rollout/view.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { failure } from "#proto/common/failure.ts";
import { inputOf } from "../../playbooks/postgresql/pair.ts";

const code = "postgresql.rows-left-behind";
const word = { kind: "acknowledgement", check: code, reason: "seen", by: "ann", at: "t" } as const;
const about = (found: string): Word => ({ ...word, about: { found, node: "old" } });

const step = {
  id: "find",
  call: { verb: "postgresql.find-rows-left", args: { direction: "forward" } },
  class: "observe",
  deadlineMs: 1,
  onDeadline: "end",
  mayStopAfter: true,
  shownAs: "",
} as const;
const program: PlanProgram = {
  cluster: "c",
  node: "old",
  steps: [
    { ...step, answeredBy: code },
    { ...step, id: "other" },
  ],
};
const argsWith = (...words: readonly Word[]) =>
  withAnswers({ words }, program).steps.map(({ call }) => call.args["answered"]);

it.each<[string, readonly Word[], string | undefined]>([
  ["none", [], undefined],
  ["one to its stop", [about("shop: kept")], "shop: kept"],
  ["the newest", [about("shop: kept"), about("shop: more")], "shop: more"],
  ["one to its stop, and since then one to another", [about("shop: kept"), word], "shop: kept"],
  ["one that was given to no stop, as with apply", [word], undefined],
  ["one on another check", [{ ...about("shop: kept"), check: "node.unproven" }], undefined],
  ["an override", [{ ...about("shop: kept"), kind: "override" }], undefined],
])("words: %s", (_, words, wanted) => {
  expect(argsWith(...words)).toEqual([wanted, undefined]);
});

it("the stop is told with the command that gives the word, and the word is one that is asked for", () => {
  const made = postgresql.plan(inputOf({}));
  if (!made.ok) throw new Error(made.failure.code);
  const why = failure(code, { found: "shop: kept", node: "old" });
  const facts: readonly RolloutFact[] = [
    { kind: "rollout-started", plan: made.value, by: "ann", options: { approveEach: false }, words: [] },
    { kind: "stopped", stage: "settle", why, hint: "hint.program-failed", node: "old" },
  ];
  const state = fold(
    facts.map((fact, index) => ({ format: eventFormat, rollout: "r", sequence: index + 1, at: "t", fact })),
  );
  expect(state && whyOf(state)[0]?.command).toBe(`lockkeeper resume r --ack ${code} --reason "…"`);
  const asked = { plan: made.value, checks: [], playbook: postgresql };
  expect(askedFor({ ...asked, stop: code })).toContain(code);
  expect(askedFor({ ...asked, stop: "postgresql.data-differs" })).toEqual(made.value.asks);
});
