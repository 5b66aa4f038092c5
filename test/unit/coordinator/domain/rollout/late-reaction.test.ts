/** What a watch has done when it guards nothing any more: no reason to stop a rollout for ever, and no host to wait for. */
import { describe, expect, it } from "vitest";
import type { ClusterStage, Stage, WaitStage, WatchSpec } from "#coordinator/domain/plan.ts";
import { decideAbort } from "#coordinator/domain/rollout/abort.ts";
import { freshStage } from "#coordinator/domain/rollout/alter.ts";
import { firedAt } from "#coordinator/domain/rollout/kept-watches.ts";
import { reduce } from "#coordinator/domain/rollout/reduce.ts";
import type { RolloutState, StageState } from "#coordinator/domain/rollout/state.ts";
import { failure } from "#proto/common/failure.ts";

const call = { verb: "tiny.look", args: {} };
const watch: WatchSpec = {
  id: "room",
  cluster: "c",
  node: "db1",
  probe: call,
  warnAt: 1,
  reactAt: 2,
  reaction: call,
  everyMs: 1,
  until: "opened",
};
const wait = (id: string, watches: readonly WatchSpec[] = []): WaitStage => ({
  kind: "wait",
  id,
  gates: [],
  watches,
  limitMs: 1,
});
const open: ClusterStage["phases"][number]["programs"][number]["steps"][number] = {
  id: "open",
  call,
  class: "irreversible",
  deadlineMs: 1,
  onDeadline: "end",
  mayStopAfter: true,
  shownAs: "",
};
const cutOver: ClusterStage = {
  kind: "cluster",
  id: "cut-over",
  clusters: ["c"],
  before: [],
  phases: [
    { id: "open", order: "parallel", programs: [{ cluster: "c", node: "db2", steps: [open] }], after: [] },
  ],
  waysOnFailure: [],
};
const stages: readonly Stage[] = [wait("copy", [watch]), cutOver, wait("opened")];

function stateOf(changed: Partial<RolloutState>, begun: StageState["begun"] = []): RolloutState {
  const fired = [{ watch: "room", node: "db1", measured: 95, reacted: true }];
  const [copy, cut, last] = stages.map(({ id }) => freshStage(id, 1));
  return {
    id: "r",
    plan: { stages, standsAfterAbort: true },
    holds: {},
    words: [],
    sequence: 1,
    stages: [{ ...copy, fired, armed: ["room"], standing: "passed" }, { ...cut, begun }, last],
    ...changed,
  } as unknown as RolloutState;
}

const opening = [{ wireStage: "cut-over/open", node: "db2", step: "open", at: "", undone: false }];

describe("a watch that has reacted", () => {
  it("stops what would begin while it still guards something", () => {
    expect(firedAt(stateOf({}), cutOver)).toMatchObject({ watch: "room" });
  });

  it("stops nothing behind a hold that stands for good: both sides would stay closed", () => {
    const holds = { "cut-over/fence db1 fence-writes": "permanent" as const };
    expect(firedAt(stateOf({ holds }), cutOver)).toBeUndefined();
  });

  it("stops nothing once what cannot be undone was begun: the rollout could never be finished", () => {
    for (const spec of stages.slice(1)) expect(firedAt(stateOf({}, opening), spec)).toBeUndefined();
  });
});

describe("a rollout that is given up", () => {
  const at = { format: 1, rollout: "r", sequence: 2, at: "" } as const;
  const again = (state: RolloutState) =>
    reduce(state, { ...at, fact: { kind: "abort-asked", by: "ann", reason: "" } });
  const stop = (code: "node.silent" | "rollout.left-standing", hint: string) => ({
    stop: { stage: "cut-over", why: failure(code, { node: "db1" }), hint, at: "" },
  });

  it("waits for the hosts of its watches, and with one more word for none that is silent", () => {
    const given = again(stateOf(stop("rollout.left-standing", "hint.left-standing")));
    expect(decideAbort(given, cutOver)).toMatchObject({ do: "disarm-watches" });
    const silent = again({ ...given, ...stop("node.silent", "hint.node-silent") });
    expect(decideAbort(silent, cutOver)).toEqual({ do: "finish-abort" });
  });

  it("does not wait for a host of a cluster that is gone for good", () => {
    const left = reduce(stateOf({}), {
      ...at,
      fact: { kind: "abort-asked", by: "ann", reason: "", leftTo: "sha", gone: "c" },
    });
    expect(decideAbort(left, cutOver)).toEqual({ do: "finish-abort" });
  });
});
