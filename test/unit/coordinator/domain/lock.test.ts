import { describe, expect, it } from "vitest";
import {
  type AgentReport,
  abandonEnter,
  enter,
  free,
  grant,
  type LockRecord,
  mayGrant,
  withdraw,
} from "#coordinator/domain/lock.ts";
import { breakLock, proveBroken, takeOver } from "#coordinator/domain/lock-recovery.ts";

const members = ["db1", "db2", "db3"];
const idle = (highestEpoch: number, stateId = "s"): AgentReport => ({ stream: 1, stateId, highestEpoch });
const reports = { db1: idle(4), db2: idle(7), db3: idle(2) };
const provenStateIds = { db1: "s", db2: "s", db3: "s" };

function granted(epoch = 8): LockRecord {
  const made = grant("c", undefined, {
    epoch,
    scope: "node",
    nodes: ["db1"],
    rollout: "r",
    stage: "node-db1",
    nonce: "n",
    since: "t",
    by: "b",
  });
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

function entered(): LockRecord {
  const made = enter("c", granted(), { epoch: 8, nonce: "n" }, "db1");
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const code = (outcome: { readonly ok: boolean; readonly failure?: { readonly code: string } }) =>
  outcome.failure?.code;

describe("mayGrant", () => {
  it("gives one epoch above everything that any agent has seen, even when the record was lost", () => {
    expect(mayGrant({ cluster: "c", record: undefined, members, reports, provenStateIds })).toEqual({
      ok: true,
      value: 8,
    });
  });

  it.each([
    ["a held lock", { record: granted() }, "lock.held"],
    [
      "a missing agent, though nothing looks wrong",
      { reports: { ...reports, db3: undefined } },
      "node.not-reported",
    ],
    ["an agent that lost its memory", { reports: { ...reports, db3: idle(0, "fresh") } }, "node.unproven"],
    [
      "a broken lock",
      {
        record: {
          ...granted(),
          state: "free" as const,
          broken: { reason: "r", by: "b", at: "t", nodes: ["db1"] },
        },
      },
      "lock.broken",
    ],
  ])("refuses %s", (_, change, wanted) => {
    expect(
      code(mayGrant({ cluster: "c", record: undefined, members, reports, provenStateIds, ...change })),
    ).toBe(wanted);
  });

  it.each(["in-flight", "ended"] as const)(
    "refuses while a node has a program %s, whatever the record says",
    (standing) => {
      const unfinished = { rollout: "r", stage: "s", epoch: 7, nonce: "n", standing };
      const busy = { ...reports, db2: { ...idle(7), unfinished } };
      expect(
        code(mayGrant({ cluster: "c", record: undefined, members, reports: busy, provenStateIds })),
      ).toBe("node.unfinished");
    },
  );
});

describe("the lock's transitions", () => {
  it("goes free, granted, entered, free", () => {
    const done = free("c", entered(), { epoch: 8, nonce: "n", proof: { nodes: ["db1"] } }, "later");
    expect(done).toMatchObject({ ok: true, value: { state: "free", epoch: 8 } });
  });

  it.each([
    ["entering with another nonce", enter("c", granted(), { epoch: 8, nonce: "x" }, "db1"), "lock.not-yours"],
    ["entering with an old epoch", enter("c", granted(), { epoch: 7, nonce: "n" }, "db1"), "lock.not-yours"],
    [
      "entering a node that was not granted",
      enter("c", granted(), { epoch: 8, nonce: "n" }, "db2"),
      "lock.other-node",
    ],
    ["withdrawing what was entered", withdraw("c", entered(), { epoch: 8, nonce: "n" }, "t"), "lock.held"],
    [
      "freeing without proof",
      free("c", entered(), { epoch: 8, nonce: "n", proof: { nodes: [] } }, "t"),
      "lock.not-proven",
    ],
    ["granting what is held", grant("c", entered(), { ...granted(), epoch: 9 }), "lock.held"],
    [
      "granting an epoch that was used",
      grant("c", { ...granted(), state: "free" }, granted()),
      "lock.epoch-not-higher",
    ],
  ])("refuses %s", (_, outcome, wanted) => {
    expect(code(outcome)).toBe(wanted);
  });

  it("goes back to free when the only enter was abandoned, and stays when another node is in", () => {
    expect(abandonEnter("c", entered(), { epoch: 8, nonce: "n", node: "db1" }, "t")).toMatchObject({
      value: { state: "free" },
    });
    const two: LockRecord = { ...entered(), scope: "cluster", nodes: members, entered: ["db1", "db2"] };
    expect(abandonEnter("c", two, { epoch: 8, nonce: "n", node: "db1" }, "t")).toMatchObject({
      value: { state: "entered", entered: ["db2"] },
    });
  });

  it("lets a node enter twice only in the sense that nothing changes", () => {
    expect(enter("c", entered(), { epoch: 8, nonce: "n" }, "db1")).toEqual({ ok: true, value: entered() });
  });
});

describe("takeOver", () => {
  const standing = (unfinished: AgentReport["unfinished"]) => ({
    db1: { ...idle(8), ...(unfinished === undefined ? {} : { unfinished }) },
  });
  const program = (state: "waiting" | "in-flight" | "ended") => ({
    rollout: "r",
    stage: "node-db1",
    epoch: 8,
    nonce: "n",
    standing: state,
  });

  it.each([
    ["a free lock", { ...entered(), state: "free" as const }, standing(undefined), "nothing"],
    ["a grant that nobody entered", granted(), standing(undefined), "withdraw"],
    ["a grant whose node has not spoken yet", granted(), {}, "wait"],
    ["a grant whose enter the store has forgotten", granted(), standing(program("in-flight")), "adopt"],
    ["a grant whose whole program it has forgotten", granted(), standing(program("ended")), "judge"],
    ["a grant that is still waited for", granted(), standing(program("waiting")), "withdraw"],
    ["a program in flight", entered(), standing(program("in-flight")), "adopt"],
    ["a program that has ended", entered(), standing(program("ended")), "judge"],
    ["a node whose journal never began", entered(), standing(undefined), "free"],
    ["a silent node", entered(), {}, "wait"],
    ["a node that lost its memory", entered(), { db1: idle(0, "fresh") }, "wait"],
    ["a node that was answered for since", entered(), { db1: idle(7) }, "judge"],
  ])("meets %s", (_, record, said, wanted) => {
    expect(takeOver("c", record, said, provenStateIds).do).toBe(wanted);
  });
});

describe("breakLock", () => {
  const request = { reason: "burnt", by: "op", at: "t", reached: [], hostsAreOff: false };

  it("asks for a word when the node does not answer", () => {
    expect(code(breakLock("c", entered(), request))).toBe("lock.break-needs-word");
  });

  it("leaves a note that blocks every grant until the node is proven", () => {
    const broken = breakLock("c", entered(), { ...request, hostsAreOff: true });
    if (!broken.ok) throw new Error("not broken");
    expect(code(mayGrant({ cluster: "c", record: broken.value, members, reports, provenStateIds }))).toBe(
      "lock.broken",
    );
    const proven = proveBroken(broken.value, ["db1"]);
    expect(mayGrant({ cluster: "c", record: proven, members, reports, provenStateIds })).toEqual({
      ok: true,
      value: 10,
    });
  });

  it("leaves no note where nobody has entered, and names all nodes where one tool may touch them all", () => {
    const free = breakLock("c", granted(), request);
    expect(free).toMatchObject({ ok: true, value: { state: "free", epoch: 9 } });
    expect(free.ok ? free.value.broken : "").toBeUndefined();
    const driven: LockRecord = { ...entered(), scope: "cluster", nodes: members };
    expect(breakLock("c", driven, { ...request, reached: ["db1"] })).toMatchObject({
      value: { broken: { nodes: members } },
    });
  });
});
