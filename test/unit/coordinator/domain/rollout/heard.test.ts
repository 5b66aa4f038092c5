/** What an agent says is stored once; a new memory that is not heard would leave the rollout waiting for ever. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { eventFormat, type RolloutEvent, type RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { fold, reduce } from "#coordinator/domain/rollout/reduce.ts";
import { heardUpTo, type RolloutState } from "#coordinator/domain/rollout/state.ts";

/** Written before positions had a state id: a rollout of one node, from its start to its end. */
const oldLog = JSON.parse(
  readFileSync(
    new URL("../../../../fixtures/coordinator/domain/rollout/log-format-1.json", import.meta.url),
    "utf8",
  ),
) as readonly RolloutEvent[];

function then(state: RolloutState, stateId: string | undefined, agentSequence: number): RolloutState {
  const fact: RolloutFact = {
    kind: "step",
    node: "db1",
    stage: "node-db1",
    attempt: 1,
    agentSequence,
    step: "look",
    phase: "done",
    measuredAt: "",
    elapsedMs: 0,
    outputs: {},
    tail: "",
    runner: "",
    ...(stateId === undefined ? {} : { stateId }),
  };
  return reduce(state, {
    format: eventFormat,
    rollout: state.id,
    sequence: state.sequence + 1,
    at: "",
    fact,
  });
}

function folded(events: readonly RolloutEvent[]): RolloutState {
  const state = fold(events);
  if (state === undefined) throw new Error("an empty log");
  return state;
}

it("an old log is read as before: its positions count for every memory of the node", () => {
  const old = folded(oldLog);
  expect(old.end).toBe("done");
  expect(old.stages.map(({ standing }) => standing)).toEqual(["passed", "passed", "passed"]);
  const newest = Math.max(...oldLog.map(({ fact }) => ("agentSequence" in fact ? fact.agentSequence : 0)));
  expect(newest).toBeGreaterThan(5);
  expect(heardUpTo(old, "db1", "a")).toBe(newest);
  expect(heardUpTo(old, "db1", "b")).toBe(newest);
  expect(heardUpTo(old, "db2", "a")).toBe(0);
});

it("the memory that goes on with an old log is heard from there, a later one from its first event", () => {
  const going = then(folded(oldLog), "a", 40);
  expect(heardUpTo(going, "db1", "a")).toBe(40);
  expect(heardUpTo(going, "db1", "b")).toBe(0);
});

it("a memory that comes back is heard from where it was, not again", () => {
  const [begun] = oldLog;
  if (begun === undefined) throw new Error("an empty log");
  const both = then(then(then(folded([begun]), "a", 20), "b", 3), "a", 7);
  expect(heardUpTo(both, "db1", "a")).toBe(20);
  expect(heardUpTo(both, "db1", "b")).toBe(3);
});

it("a coordinator of before that has led in between has heard for all", () => {
  const [begun] = oldLog;
  if (begun === undefined) throw new Error("an empty log");
  const mixed = then(then(folded([begun]), "a", 20), undefined, 30);
  expect(heardUpTo(mixed, "db1", "a")).toBe(30);
  expect(heardUpTo(then(mixed, "a", 31), "db1", "b")).toBe(0);
});
