import { describe, expect, it } from "vitest";
import type { Playbook } from "#coordinator/domain/playbook.ts";
import { type ClusterInput, describeCluster, headOf } from "#coordinator/domain/snapshot/snapshot.ts";
import { playbooks } from "#coordinator/playbooks/index.ts";
import { cluster, inputOf, is, unknown } from "../../playbooks/kwdb/cluster.ts";

const kwdb = playbooks["kwdb"] as Playbook;
const never = { at: "t", notApplicable: "never written" };

function inputFor(nodes: ClusterInput["nodes"]): ClusterInput {
  return { entry: cluster, nodes, lock: never, claim: never, wordsInForce: [] };
}

const reports = inputOf().reports;
const node = (name: string) => ({
  report: is(reports[name] as never),
  clockOffset: is({ offsetMs: 0, errorMs: 1 }),
});

describe("a cluster's record", () => {
  it("has every node of the inventory, the silent and the forgotten ones as UNKNOWN with their reason", () => {
    const made = describeCluster(
      inputFor({ db1: node("db1"), db2: { report: unknown, clockOffset: unknown } }),
      kwdb,
    );
    expect(made.nodes.map(({ node: name, version, state }) => [name, version, state])).toEqual([
      ["db1", "3.0.0", "ready"],
      ["db2", "?", "unknown"],
      ["db3", "?", "unknown"],
    ]);
    expect(made.nodes[1]?.findings[0]?.code).toBe("look.failed");
    expect(made.nodes[2]?.findings[0]?.code).toBe("measure.never-taken");
  });

  it("says what the nodes disagree on", () => {
    const { reports: split } = inputOf({
      facts: { db2: { nodes: is([{ ...nodeRow(), isLive: false }]) } },
    });
    const made = describeCluster(
      inputFor(
        Object.fromEntries(
          Object.entries(split).map(([name, report]) => [
            name,
            { ...node(name), report: is(report as never) },
          ]),
        ),
      ),
      kwdb,
    );
    expect(made.findings.map(({ code }) => code)).toEqual(["kwdb.views-differ"]);
  });

  it("of an engine that nobody knows is a finding, not a crash", () => {
    const made = describeCluster(inputFor({ db1: node("db1") }), undefined);
    expect(made.findings[0]?.code).toBe("engine.unknown");
    expect(made.nodes[0]).toMatchObject({ version: "?", state: "unknown" });
  });

  it("a head counts nodes over all clusters", () => {
    const one = describeCluster(inputFor({}), kwdb);
    const snapshot = {
      format: 1 as const,
      id: "s",
      takenAt: "t",
      by: "b",
      reason: "r",
      clusters: [one, { ...one, name: "z" }],
    };
    expect(headOf(snapshot)).toMatchObject({ clusters: ["账单", "z"], nodes: 6 });
  });
});

function nodeRow() {
  return {
    id: 1,
    address: "10.0.0.1:26257",
    sqlAddress: "10.0.0.1:26257",
    build: "3.0.0",
    startedAt: null,
    startMode: "start",
    isAvailable: true,
    isLive: true,
  };
}
