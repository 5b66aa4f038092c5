/** Since when a node serves nobody, as `why` says it. */
import { describe, expect, it } from "vitest";
import { outageOf } from "#coordinator/domain/rollout/outage.ts";
import { whyOf } from "#coordinator/domain/rollout/view.ts";
import { ended, inside, step, stopped, type Told, told, toldAt } from "./telling.ts";

const stage = "node-db1";
const entering = inside(stage, "db1");
const stopping = step(stage, "db1", "stop", "started");
/** The start of the rollout is the first event. */
const stoppedAt = toldAt(entering.length + 2);

describe("an outage", () => {
  it("is none while nothing that serves was taken away", () => {
    expect(outageOf(told("rolling", ...entering, step(stage, "db1", "look", "done")))).toBeUndefined();
  });

  it("begins when the stop begins, and goes on over a failure and a retry", () => {
    const failed = [stopping, step(stage, "db1", "upgrade", "failed"), ended(stage, "db1", "upgrade")];
    const again: Told = { kind: "retried", stage, node: "db1", by: "ann", words: [] };
    const outage = { nodes: ["db1"], since: stoppedAt };
    for (const more of [[], failed, [...failed, stopped(stage, "db1")], [...failed, again]])
      expect(outageOf(told("rolling", ...entering, stopping, ...more))).toEqual(outage);
  });

  it("is over when the node is proven back, or its stop is undone, and not before", () => {
    const started = [stopping, step(stage, "db1", "start", "done")];
    expect(outageOf(told("rolling", ...entering, ...started))).toBeDefined();
    const ready = step(stage, "db1", "ready", "done");
    expect(outageOf(told("rolling", ...entering, ...started, ready))).toBeUndefined();
    const undone = step(stage, "db1", "stop", "undone");
    expect(outageOf(told("rolling", ...entering, stopping, undone))).toBeUndefined();
  });

  it("of a cluster names all that are down, and counts from the first", () => {
    const both = inside("offline/stop", "db1", "db2");
    const stops = [step("offline/stop", "db2", "stop", "done"), step("offline/stop", "db1", "stop", "done")];
    const state = told("offline", ...both, ...stops);
    expect(outageOf(state)).toEqual({ nodes: ["db1", "db2"], since: toldAt(both.length + 2) });
    expect(whyOf(state)).toContainEqual(
      expect.objectContaining({
        waitingFor: { code: "rollout.down", facts: { rollout: "r", nodes: "db1, db2" } },
        since: toldAt(both.length + 2),
      }),
    );
  });
});
