import { describe, expect, it } from "vitest";
import { differences } from "#coordinator/domain/snapshot/difference.ts";
import type { NodeSnapshot, Snapshot } from "#coordinator/domain/snapshot/snapshot.ts";

function node(name: string, version: string, at: string, load: number): NodeSnapshot {
  const report = {
    node: name,
    facts: { versionFile: { at, value: { basic: version } } },
    host: { load: { at, value: [load, 0, 0] } },
    takenAt: at,
    doneAt: at,
  };
  return {
    node: name,
    address: name,
    report: { at, value: report as never },
    clockOffset: { at, value: { offsetMs: load, errorMs: 1 } },
    version,
    state: "ready",
    findings: [],
  };
}

function snapshot(at: string, nodes: readonly NodeSnapshot[]): Snapshot {
  const never = { at, unknown: { code: "measure.never-taken" as const, facts: {} } };
  const cluster = {
    name: "c",
    engine: "kwdb",
    topology: "multi-replica",
    deployment: "script",
    nodes,
    lock: never,
    claim: never,
    wordsInForce: [],
    findings: [],
  };
  return { format: 1, id: at, takenAt: at, by: "t", reason: "t", clusters: [cluster] };
}

const before = snapshot("2026-01-01", [node("db1", "3.0.0", "t1", 1), node("db2", "3.0.0", "t1", 1)]);

describe("differences", () => {
  it("is empty when only time, load and clock moved", () => {
    const after = snapshot("2026-01-02", [node("db1", "3.0.0", "t2", 9), node("db2", "3.0.0", "t2", 9)]);
    expect(differences(before, after, { volatileToo: false })).toEqual([]);
    expect(differences(before, after, { volatileToo: true }).length).toBeGreaterThan(0);
  });

  it("names node, field and both values of an upgrade", () => {
    const after = snapshot("2026-01-02", [node("db1", "3.1.0", "t2", 1), node("db2", "3.0.0", "t2", 1)]);
    expect(differences(before, after, { volatileToo: false })).toContainEqual({
      cluster: "c",
      node: "db1",
      field: "report.value.facts.versionFile.value.basic",
      from: '"3.0.0"',
      to: '"3.1.0"',
    });
  });

  it("shows a node that is gone", () => {
    const after = snapshot("2026-01-02", [node("db1", "3.0.0", "t2", 1)]);
    const gone = differences(before, after, { volatileToo: false });
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.every((change) => change.node === "db2" && change.to === undefined)).toBe(true);
  });
});
