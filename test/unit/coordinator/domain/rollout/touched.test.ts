import { describe, expect, it } from "vitest";
import { touchedBy } from "#coordinator/domain/rollout/touched.ts";
import { viewOf, whyOf } from "#coordinator/domain/rollout/view.ts";
import { ended, inside, step, stopped, type Told, told } from "./telling.ts";

const nothing = { untouched: [], done: [], begun: [], unknown: [], reacted: [] };
const none = { ...nothing, untouched: ["db1", "db2"] };
const stage = "node-db1";

describe("what was touched", () => {
  it("is nothing before the first step that changes something", () => {
    const looked = [...inside(stage, "db1").slice(0, 3), step(stage, "db1", "look", "done")];
    expect(touchedBy(told("rolling"))).toEqual(none);
    expect(touchedBy(told("rolling", ...looked))).toEqual(none);
    const refused = [...inside(stage, "db1"), ended(stage, "db1", "look")];
    expect(touchedBy(told("rolling", ...refused))).toEqual(none);
  });

  it("is each step that was begun, whatever came of it, and stays so over a retry", () => {
    const begun = [
      ...inside(stage, "db1"),
      step(stage, "db1", "stop", "started"),
      step(stage, "db1", "stop", "done"),
      step(stage, "db1", "stopped", "done"),
      step(stage, "db1", "upgrade", "started"),
      step(stage, "db1", "upgrade", "failed"),
      ended(stage, "db1", "upgrade"),
      stopped(stage, "db1"),
    ];
    const touched = {
      ...nothing,
      untouched: ["db2"],
      begun: [{ node: "db1", steps: ["stop", "upgrade"], undone: [], told: true }],
    };
    expect(touchedBy(told("rolling", ...begun))).toEqual(touched);
    const again: Told = { kind: "retried", stage, node: "db1", by: "ann", words: [] };
    expect(touchedBy(told("rolling", ...begun, again))).toMatchObject({
      begun: [{ node: "db1", steps: ["stop", "upgrade"], told: false }],
    });
  });

  it("is not done and proven where an abort has undone it and let the lock go", () => {
    const aborted: readonly Told[] = [
      ...inside(stage, "db1"),
      step(stage, "db1", "stop", "done"),
      { kind: "abort-asked", by: "ann", reason: "" },
      step(stage, "db1", "stop", "undone"),
      { kind: "freed", stage, nonce: "n" },
    ];
    const { done, begun } = touchedBy(told("rolling", ...aborted));
    expect(done).toEqual([]);
    expect(begun).toMatchObject([{ node: "db1", steps: ["stop"], undone: ["stop"] }]);
  });

  it("tells undone from not undone, and begun once more", () => {
    const undone = [
      ...inside(stage, "db1"),
      step(stage, "db1", "stop", "started"),
      step(stage, "db1", "stop", "undone"),
    ];
    expect(touchedBy(told("rolling", ...undone)).begun).toEqual([
      { node: "db1", steps: ["stop"], undone: ["stop"], told: false },
    ]);
    expect(touchedBy(told("rolling", ...undone, step(stage, "db1", "stop", "started"))).begun).toEqual([
      { node: "db1", steps: ["stop"], undone: [], told: false },
    ]);
  });

  it("is not known of a node that is in and has not told how its program ended", () => {
    const state = told("rolling", ...inside(stage, "db1"));
    expect(touchedBy(state)).toEqual({ ...nothing, unknown: ["db1"], untouched: ["db2"] });
  });

  it("is not known of a node whose lock was broken under it", () => {
    const facts = { cluster: "c", nodes: ["db1"], by: "ann", reason: "it hangs", reached: false };
    const broken: Told = { kind: "lock-broken", ...facts };
    const resumed: Told = { kind: "resumed", by: "ann", words: [] };
    const state = told("rolling", ...inside(stage, "db1"), broken, resumed);
    expect(touchedBy(state)).toEqual({ ...nothing, unknown: ["db1"], untouched: ["db2"] });
  });

  it("is not known of the nodes that a driver's tool reaches, once that was begun", () => {
    const facts = inside("drive/run", "db1");
    expect(touchedBy(told("driver", ...facts, ended("drive/run", "db1", "look")))).toEqual(none);
    const begun = step("drive/run", "db1", "change-all", "started");
    expect(touchedBy(told("driver", ...facts, begun))).toEqual({
      ...nothing,
      begun: [{ node: "db1", steps: ["change-all"], undone: [], told: false }],
      unknown: ["db2"],
    });
  });

  it("is done where the stage has passed", () => {
    const state = told("rolling", ...inside(stage, "db1"), { kind: "stage-passed", stage });
    expect(touchedBy(state)).toEqual({ ...nothing, done: ["db1"], untouched: ["db2"] });
  });

  it("is what a watch has reacted to", () => {
    const fired: Told = {
      kind: "watch-fired",
      watch: "lag",
      node: "db1",
      agentSequence: 1,
      measured: 9,
      reacted: true,
    };
    const state = told("watched", { kind: "stage-started", stage: "copy", attempt: 1 }, fired);
    expect(touchedBy(state)).toEqual({
      ...nothing,
      untouched: ["db2"],
      reacted: [{ node: "db1", watch: "lag" }],
    });
  });
});

describe("a stop", () => {
  const state = told(
    "rolling",
    ...inside(stage, "db1"),
    step(stage, "db1", "stop", "started"),
    ended(stage, "db1", "stop"),
    stopped(stage, "db1"),
  );

  it("shows what was touched and the next command, in the view and in why", () => {
    const touched = {
      ...nothing,
      untouched: ["db2"],
      begun: [{ node: "db1", steps: ["stop"], undone: [], told: true }],
    };
    const command = "lockkeeper retry r -n db1";
    expect(viewOf(state).stop).toMatchObject({ hint: "hint.program-failed", touched, command });
    expect(whyOf(state)[0]).toMatchObject({ command, stop: { hint: "hint.program-failed", touched } });
  });

  it("that only a person's word moves has the word in its command", () => {
    const why = { code: "node.unproven", facts: { cluster: "c", node: "db1", stateId: "x" } } as const;
    const unproven = told("rolling", { kind: "stopped", stage, why, hint: "hint.program-lost" });
    expect(viewOf(unproven).stop?.command).toBe('lockkeeper resume r --ack node.unproven --reason "…"');
  });
});
