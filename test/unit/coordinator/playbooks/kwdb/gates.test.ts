import { describe, expect, it } from "vitest";
import type { ClusterSample, GateVerdict } from "#coordinator/domain/gate.ts";
import { gates } from "#coordinator/playbooks/kwdb/gates.ts";
import type { NodeRow } from "#proto/engines/kwdb.ts";
import { at, type Changed, inputOf, is, names, rows, unknown } from "./cluster.ts";

function sampleOf(changed: Changed): ClusterSample {
  const { reports } = inputOf({ from: "3.0.1", ...changed });
  const silent = { unknown: { code: "node.silent" as const, facts: {} } };
  return {
    cluster: "账单",
    atMs: 0,
    nodes: Object.fromEntries(names.map((name) => [name, reports[name] ?? silent])),
  };
}

function judge(gate: string, args: Readonly<Record<string, string>>, changed: Changed): GateVerdict {
  const found = gates[gate];
  if (found === undefined) throw new Error(gate);
  const spec = { gate, cluster: "账单", args, everyMs: 1, dwellMs: 1, limitMs: 1 };
  return found({ spec, before: undefined, now: sampleOf(changed) });
}

const told = (verdict: GateVerdict) => (verdict.verdict === "pass" ? "pass" : verdict.why.code);
const row = (change: object) => ({
  facts: { db3: { nodes: is(rows("3.0.1").map((each) => ({ ...each, ...change }))) } },
});
const running = (type: string, status: string) => ({
  facts: {
    db2: {
      jobs: is([
        {
          id: "1",
          type,
          status,
          created: at,
          finished: null,
          coordinatorId: 1,
          error: "",
          lastSuccess: null,
        },
      ]),
    },
  },
});

describe("kwdb.cluster-healthy", () => {
  const args = { versions: "3.0.0,3.0.1", nodes: "3" };

  it.each<readonly [string, string, Changed]>([
    ["all new", "pass", {}],
    ["all old", "pass", { from: "3.0.0" }],
    [
      "old and new",
      "pass",
      { facts: { db1: { nodes: is([...rows("3.0.1").slice(0, 1), ...rows("3.0.0").slice(1)]) } } },
    ],
    ["a third version", "kwdb.node-not-well", row({ build: "3.0.2" })],
    ["a build that is not gossiped", "kwdb.node-not-well", row({ build: null })],
    ["a dead node", "kwdb.node-not-well", row({ isLive: false })],
    ["an unavailable node", "kwdb.node-not-well", row({ isAvailable: false })],
    ["a draining node", "kwdb.node-not-well", row({ draining: true })],
    ["an upgrading node", "kwdb.node-not-well", row({ upgrading: true })],
    ["a node less", "kwdb.nodes-missing", { facts: { db1: { nodes: is(rows("3.0.1").slice(1)) } } }],
    [
      "under-replicated",
      "kwdb.ranges-not-well",
      { facts: { db2: { ranges: is({ unavailable: 0, underReplicated: 3 }) } } },
    ],
    [
      "unavailable",
      "kwdb.ranges-not-well",
      { facts: { db2: { ranges: is({ unavailable: 1, underReplicated: 0 }) } } },
    ],
    ["not ready", "kwdb.node-not-ready", { facts: { db2: { ready: is(false) } } }],
    ["an import", "kwdb.jobs-running", running("IMPORT", "running")],
    ["a failing compression, as expected on the node in work", "pass", running("COMPRESS", "failed")],
    ["a running retention", "pass", running("RETENTION", "running")],
    ["a silent node", "node.silent", { facts: { db3: null } }],
    ["facts that cannot be read", "look.failed", { facts: { db2: { ranges: unknown } } }],
    ["a report of another shape", "kwdb.node-unknown", { facts: { db2: { nodes: "what?" } } }],
  ])("%s: %s", (_, expected, changed) => {
    const verdict = judge("kwdb.cluster-healthy", args, changed);
    expect(told(verdict)).toBe(expected);
    expect(verdict.verdict).not.toBe("fail");
  });

  describe("where db2 alone was skipped", () => {
    const last = { versions: "3.0.1", "versions@10.0.0.2:26257": "3.0.0,3.0.1", nodes: "3" };
    const mixed = (...builds: readonly string[]): Changed => {
      const seen = { nodes: is(rows().map((each, index) => ({ ...each, build: builds[index] ?? "?" }))) };
      return { facts: { db1: seen, db2: seen, db3: seen } };
    };

    it.each<readonly [string, string, Changed]>([
      ["left at the old version", "pass", mixed("3.0.1", "3.0.0", "3.0.1")],
      ["come to the new one after all", "pass", mixed("3.0.1", "3.0.1", "3.0.1")],
      ["at neither", "kwdb.node-not-well", mixed("3.0.1", "2.2.0", "3.0.1")],
      ["another is at the old version", "kwdb.node-not-well", mixed("3.0.1", "3.0.0", "3.0.0")],
    ])("%s: %s", (_, expected, changed) => {
      expect(told(judge("kwdb.cluster-healthy", last, changed))).toBe(expected);
    });
  });

  it("says which node saw what", () => {
    const verdict = judge("kwdb.cluster-healthy", args, row({ isLive: false }));
    expect(verdict).toMatchObject({ why: { facts: { from: "db3", id: "1", why: "is_live=false" } } });
  });
});

describe("kwdb.others-healthy", () => {
  const args = { versions: "3.0.0,3.0.1", nodes: "3", node: "db2", address: "10.0.0.2:26257" };
  const seenBy = (name: "db1" | "db3", change: (row: NodeRow) => object): Changed => ({
    facts: { [name]: { nodes: is(rows("3.0.1").map((each) => ({ ...each, ...change(each) }))) } },
  });
  const gone = ({ id }: NodeRow) => (id === 2 ? { isLive: false, isAvailable: false } : {});

  it.each<readonly [string, string, Changed]>([
    ["all well, the one away too", "pass", {}],
    ["the one away is down", "pass", seenBy("db1", gone)],
    ["the one away is silent", "pass", { facts: { db2: null } }],
    ["the one away is known no more", "pass", seenBy("db1", ({ id }) => (id === 2 ? { address: null } : {}))],
    [
      "replicas lack the one away",
      "pass",
      { facts: { db1: { ranges: is({ unavailable: 0, underReplicated: 9 }) } } },
    ],
    [
      "data is out of reach",
      "kwdb.ranges-not-well",
      { facts: { db3: { ranges: is({ unavailable: 1, underReplicated: 9 }) } } },
    ],
    ["another is dead as well", "kwdb.node-not-well", seenBy("db1", ({ id }) => ({ isLive: id === 1 }))],
    ["another drains", "kwdb.node-not-well", seenBy("db3", ({ id }) => ({ draining: id === 1 }))],
    [
      "another is at a third version",
      "kwdb.node-not-well",
      seenBy("db3", ({ id }) => (id === 1 ? { build: "2.2.0" } : {})),
    ],
    [
      "one of the others sees a node less",
      "kwdb.nodes-missing",
      { facts: { db1: { nodes: is(rows("3.0.1").slice(1)) } } },
    ],
    ["another is not ready", "kwdb.node-not-ready", { facts: { db3: { ready: is(false) } } }],
    ["another is silent", "node.silent", { facts: { db3: null } }],
    ["another cannot say", "look.failed", { facts: { db3: { ranges: unknown } } }],
    ["an import runs", "kwdb.jobs-running", { facts: { db1: running("IMPORT", "running").facts.db2 } }],
  ])("%s: %s", (_, expected, changed) => {
    expect(told(judge("kwdb.others-healthy", args, changed))).toBe(expected);
  });
});

describe("kwdb.node-upgraded", () => {
  const args = { node: "db1", version: "3.0.1", address: "10.0.0.1:26257" };

  it.each<readonly [string, string, Changed]>([
    ["seen by all at its new version", "pass", {}],
    ["its process is old", "kwdb.node-version", { from: "3.0.0" }],
    [
      "a peer still sees the old build",
      "kwdb.node-not-seen",
      { facts: { db2: { nodes: is(rows("3.0.0")) } } },
    ],
    ["a peer does not see it live", "kwdb.node-not-seen", row({ isLive: false })],
    [
      "a peer does not see it at all",
      "kwdb.node-not-seen",
      { facts: { db3: { nodes: is(rows("3.0.1").slice(1)) } } },
    ],
    ["a peer is silent", "kwdb.node-not-seen", { facts: { db3: null } }],
    ["itself is silent", "node.silent", { facts: { db1: null } }],
  ])("%s: %s", (_, expected, changed) => {
    expect(told(judge("kwdb.node-upgraded", args, changed))).toBe(expected);
  });
});
