/** After a break nobody else frees what had ended under the lock; without this its agent would take nothing more. */
import { expect, it } from "vitest";
import { AgentReports } from "#coordinator/engine/agent-reports.ts";
import { letGo } from "#coordinator/engine/letting-go.ts";
import type { RolloutDesk } from "#coordinator/engine/rollout-desk.ts";
import type { Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";

type Standing = "waiting" | "in-flight" | "ended";

function deskWith(standing: Standing | undefined, attached = true) {
  const reports = new AgentReports();
  const hello = { stateId: "s", highest: [], unfinished: undefined } as unknown as Hello;
  reports.attached({ node: "db2", hello, stream: 1, lastWordMs: 0 });
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
