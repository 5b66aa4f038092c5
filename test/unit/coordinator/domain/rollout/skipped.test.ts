/** What a skip leaves out of a plan with a stage of every kind. */
import { describe, expect, it } from "vitest";
import type { RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { reduce } from "#coordinator/domain/rollout/reduce.ts";
import { wantedOf } from "#coordinator/domain/rollout/skipped.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { factFor } from "#coordinator/engine/orders/order-fact.ts";
import { plan } from "#test/property/rollout/plan.ts";
import { walk } from "../paper/walk.ts";

const skip = (node: string): RolloutFact => ({ kind: "skipped", node, by: "op", reason: "" });

describe("a skipped node", () => {
  it("has no program in any stage, and no lock is taken for it", () => {
    const { actions, state } = walk(plan, [skip("db2")]);
    const sent = actions.flatMap((action) => (action.do === "send" ? action.programs : []));
    expect(new Set(sent.map(({ node }) => node))).toEqual(new Set(["db1", "db3"]));
    const granted = actions.flatMap((action) => (action.do === "grant" ? [action.nodes] : []));
    expect(granted).toEqual([["db1"], ["db3"], ["db1", "db3"], ["db1", "db3"]]);
    expect(state.end).toBe("done");
  });

  it("beside all the others leaves nothing to lock", () => {
    const { actions, state } = walk(plan, ["db1", "db2", "db3"].map(skip));
    expect(actions.filter(({ do: what }) => what === "grant" || what === "send")).toEqual([]);
    expect(state.end).toBe("done");
  });

  it("is none that holds the lock of another stage half-way", () => {
    const state = stateWith([
      {
        kind: "granted",
        stage: "switch",
        clusters: ["c"],
        nodes: ["db1", "db3"],
        scope: "cluster",
        epochs: { c: 1 },
        nonce: "n",
      },
    ]);
    const ordered = { state, words: [], nowMs: 0, playbook: { mayServeMixed: () => true } as never };
    const wish = (node: string) => ({ rollout: "r", order: "skip" as const, node, reason: "", words: [] });
    expect(factFor("op", wish("db3"), ordered)).toMatchObject({
      failure: { code: "rollout.node-holds-lock" },
    });
    expect(factFor("op", wish("db2"), ordered).ok).toBe(true);
  });

  it("is waited for where its program was on its way already", () => {
    const programs = plan.stages.flatMap((stage) =>
      stage.kind === "cluster" && stage.id === "switch" ? (stage.phases[0]?.programs ?? []) : [],
    );
    const on = (node: string) => ({ wireStage: "switch/fence", programs: { [`switch/fence ${node}`]: {} } });
    const wanted = (node: string) =>
      wantedOf({ skipped: ["db2"] }, on(node) as never, { wireStage: "switch/fence", programs });
    expect(wanted("db1").map(({ node }) => node)).toEqual(["db1", "db3"]);
    expect(wanted("db2").map(({ node }) => node)).toEqual(["db1", "db2", "db3"]);
  });
});

function stateWith(facts: readonly RolloutFact[]): RolloutState {
  const begun: RolloutFact = {
    kind: "rollout-started",
    plan,
    by: "op",
    options: { approveEach: false },
    words: [],
  };
  let state: RolloutState | undefined;
  for (const [index, fact] of [begun, ...facts].entries())
    state = reduce(state, { format: 1, rollout: "r", sequence: index + 1, at: "t", fact });
  if (state === undefined) throw new Error("no state");
  return state;
}
