/** After a break nobody else frees what had ended under the lock; without this its agent would take nothing more. */
import { describe, expect, it } from "vitest";
import type { CheckResult } from "#coordinator/domain/check.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { AgentReports } from "#coordinator/engine/agents/agent-reports.ts";
import { letGo, letGoForgotten } from "#coordinator/engine/lock/letting-go.ts";
import type { RolloutDesk } from "#coordinator/engine/rollout-desk.ts";
import { succeed } from "#proto/common/failure.ts";
import type { Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";

type Standing = "waiting" | "in-flight" | "ended";

function deskWith(standing: Standing | undefined, attached = true) {
  const reports = new AgentReports();
  const hello = { stateId: "s", highest: [], unfinished: undefined } as unknown as Hello;
  reports.attached({ node: "db2", hello, stream: 1, lastWordMs: 0, from: "10.0.0.1" });
  if (standing !== undefined) {
    const program = { cluster: "billing", rollout: "r1", stage: "node-db2", epoch: 2, nonce: "n", standing };
    reports.programStands("db2", program);
  }
  const sent: unknown[] = [];
  const fleet = { send: (node: string, message: unknown) => attached && sent.push([node, message]) > 0 };
  const means = {
    fleet: { ...fleet, presence: () => (attached ? {} : undefined) },
    reports,
    members: () => ["db2"],
  };
  const desk = { means } as unknown as Pick<RolloutDesk, "means">;
  return { desk, reports, sent };
}

it("frees the program that had ended there", () => {
  const { desk, reports, sent } = deskWith("ended");
  expect(letGo(desk, "billing", ["db2"])).toBe(true);
  const value = { rollout: "r1", stage: "node-db2", epoch: 2 };
  expect(sent).toEqual([["db2", { $case: "programFreed", value }]]);
  expect(reports.unfinished("db2")).toBeUndefined();
});

it("does not answer for a program that still runs, nor for an agent that cannot be told", () => {
  expect(letGo(deskWith("in-flight").desk, "billing", ["db2"])).toBe(false);
  expect(letGo(deskWith("ended", false).desk, "billing", ["db2"])).toBe(false);
});

it("has nothing to free where nothing was held: no program, one that waits, one of another cluster, a node that is gone", () => {
  for (const { desk, sent } of [deskWith(undefined), deskWith("waiting")]) {
    expect(letGo(desk, "billing", ["db2", "db9"])).toBe(true);
    expect(sent).toEqual([]);
  }
  expect(letGo(deskWith("in-flight").desk, "ledger", ["db2"])).toBe(true);
});

describe("of a rollout that the store has forgotten", () => {
  const shown: CheckResult = {
    id: "node.unfinished",
    node: "db2",
    status: "unknown",
    facts: { cluster: "billing", node: "db2", rollout: "r1", stage: "node-db2", epoch: "2" },
    yields: "acknowledge",
  };

  function forgotten(
    standing: Standing | undefined,
    { attached = true, driven = false, stored = false } = {},
  ) {
    const { desk, reports, sent } = deskWith(standing, attached);
    const means = {
      fleet: desk.means.fleet,
      reports,
      drivers: { state: () => (driven ? ({} as RolloutState) : undefined) },
      log: { read: async () => (stored ? [{} as RolloutEvent] : []) },
    };
    return { means, reports, sent };
  }

  it("frees what the person was shown, and nothing that has gone meanwhile", async () => {
    const { means, reports, sent } = forgotten("ended");
    expect(await letGoForgotten(means, [shown])).toEqual(succeed(undefined));
    expect(sent).toEqual([
      ["db2", { $case: "programFreed", value: { rollout: "r1", stage: "node-db2", epoch: 2 } }],
      ["db2", { $case: "rolloutClosed", value: { rollout: "r1" } }],
    ]);
    expect(reports.unfinished("db2")).toBeUndefined();
    expect(await letGoForgotten(means, [shown])).toEqual(succeed(undefined));
    expect(sent).toHaveLength(2);
  });

  it("frees nothing without having shown it, and nothing of a rollout that is driven or in the store", async () => {
    for (const { means, sent } of [
      forgotten("ended", { driven: true }),
      forgotten("ended", { stored: true }),
      forgotten("waiting"),
    ]) {
      expect(await letGoForgotten(means, [shown])).toEqual(succeed(undefined));
      expect(sent).toEqual([]);
    }
    const { means, sent } = forgotten("ended");
    expect(await letGoForgotten(means, [])).toEqual(succeed(undefined));
    expect(sent).toEqual([]);
  });

  it("refuses where it runs again, is another one than was shown, or its agent is gone", async () => {
    const runs = forgotten("in-flight");
    expect(await letGoForgotten(runs.means, [shown])).toMatchObject({ failure: { code: "node.unfinished" } });
    const other = forgotten("ended");
    const before = { ...shown, facts: { ...shown.facts, epoch: "1" } };
    expect(await letGoForgotten(other.means, [before])).toMatchObject({
      failure: { code: "node.unfinished" },
    });
    const gone = forgotten(undefined, { attached: false });
    expect(await letGoForgotten(gone.means, [shown])).toMatchObject({
      failure: { code: "node.unreachable" },
    });
    expect([...runs.sent, ...other.sent, ...gone.sent]).toEqual([]);
  });
});
