/** A thousand nodes at a glance: few lines, the odd ones at the top, nothing of them lost. */
import { describe, expect, it } from "vitest";
import { renderClusters, renderNode, renderNodes } from "#coordinator/cli/render/fleet.ts";
import { renderSnapshot } from "#coordinator/cli/render/snapshot.ts";
import { plain } from "#coordinator/cli/render/style.ts";
import { widthOf } from "#coordinator/cli/render/table.ts";
import type { ClusterSnapshot, NodeSnapshot, Snapshot } from "#coordinator/domain/snapshot/snapshot.ts";
import type { ClusterView, FleetView, NodeView } from "#coordinator/domain/views.ts";
import { failure } from "#proto/common/failure.ts";

const nodesPerCluster = 5;

/** Node 17 stands still, 23 has lost its agent, 500 to 519 were not reloaded, 40 is done. */
function stateOf(index: number): Pick<NodeView, "version" | "state" | "findings" | "attached"> {
  const node = `n${index}`;
  const well = { attached: true, version: "3.0.0", state: "ready", findings: [] };
  if (index === 17) return { ...well, state: "unknown", findings: [failure("kwdb.node-unknown", { node })] };
  if (index === 23) return { ...well, attached: false, version: "?", state: "unknown" };
  if (index >= 500 && index < 520)
    return { ...well, findings: [failure("kwdb.unit-needs-reload", { node })] };
  return index === 40 ? { ...well, version: "3.1.0" } : well;
}

function fleetOf(clusters: number, perCluster = nodesPerCluster): FleetView {
  return {
    takenAt: "t",
    insecure: false,
    clusters: Array.from({ length: clusters }, (_, cluster): ClusterView => {
      const nodes = Array.from({ length: perCluster }, (_unused, place): NodeView => {
        const index = cluster * perCluster + place;
        return {
          name: `n${index}`,
          address: "a",
          ...stateOf(index),
          lastWordAgeMs: 100,
          agentVersion: "0.1.0",
        };
      });
      const about = { engine: "kwdb", topology: "multi-replica", deployment: "script" };
      return { name: `c${cluster}`, ...about, nodes, wordsInForce: [], findings: [] };
    }),
  };
}

function snapshotOf(clusters: number, perCluster = nodesPerCluster): Snapshot {
  const fleet = fleetOf(clusters, perCluster);
  const never = { at: "t", notApplicable: "never written" };
  return {
    format: 1,
    id: "s-1",
    takenAt: "2026-02-01T00:00:00Z",
    by: "ann",
    reason: "test",
    clusters: fleet.clusters.map(
      ({ name, engine, topology, deployment, nodes }): ClusterSnapshot => ({
        name,
        engine,
        topology,
        deployment,
        lock: never,
        claim: never,
        wordsInForce: [],
        findings: [],
        nodes: nodes.map(
          ({ name: node, address, attached, version, state, findings }): NodeSnapshot => ({
            node,
            address,
            version,
            state,
            findings,
            clockOffset: never,
            report: attached
              ? { at: "t", value: {} as never }
              : { at: "t", unknown: failure("node.unreachable", { node }) },
          }),
        ),
      }),
    ),
  };
}

const lineWith = (text: string, what: string) => text.split("\n").findIndex((line) => line.includes(what));

describe("a thousand nodes", () => {
  it.each([
    ["node list, 200 clusters", () => renderNodes(fleetOf(200), plain)],
    ["node list, one cluster", () => renderNodes(fleetOf(1, 1_000), plain)],
    ["snapshot show, one cluster", () => renderSnapshot(snapshotOf(1, 1_000), plain)],
    ["snapshot show, 200 clusters", () => renderSnapshot(snapshotOf(200), plain)],
  ])("%s fits on a screen, odd ones first, each of them named or counted", (_, draw) => {
    const text = draw();
    expect(text.split("\n").length).toBeLessThanOrEqual(50);
    const [silent, still, reload, well] = ["n23", "n17", "kaiwudb.service", "977"].map((what) =>
      lineWith(text, what),
    );
    for (const place of [silent, still, reload, well]) expect(place).toBeGreaterThan(0);
    expect(Math.max(silent ?? 0, still ?? 0)).toBeLessThan(reload ?? 0);
    expect(reload).toBeLessThan(well ?? 0);
    expect(text).toContain("n519 (20)");
  });

  it("a small fleet has a line for each node, and a large one when asked", () => {
    expect(renderNodes(fleetOf(4), plain).split("\n")).toHaveLength(21);
    expect(renderNodes(fleetOf(200), plain, true).split("\n")).toHaveLength(1_001);
  });

  it("clusters with odd nodes come first", () => {
    const lines = renderClusters(fleetOf(200), plain).split("\n");
    expect(lines[1]).toContain("n23");
    expect(lines[2]).toContain("n17");
  });

  it("a node alone shows what is known of it", () => {
    const fleet = fleetOf(4);
    const one = {
      ...fleet,
      clusters: [
        { ...(fleet.clusters[3] as ClusterView), nodes: fleet.clusters[3]?.nodes.slice(2, 3) ?? [] },
      ],
    };
    expect(renderNode(one, plain)).toMatch(
      /^n17 of c3[\s\S]*state +unknown[\s\S]*agent +0\.1\.0[\s\S]*finding/,
    );
  });

  it("names the agents that are in no inventory, the first of many unless all are asked for", () => {
    const strangers = Array.from({ length: 30 }, (_, index) => ({
      name: `dbl${index}`,
      from: "10.0.0.11",
      engine: "kwdb",
      agentVersion: "0.1.0",
      lastWordAgeMs: 1_000,
    }));
    const one = renderNodes({ ...fleetOf(1), strangers: strangers.slice(0, 1) }, plain).split("\n");
    expect(one.slice(-3)).toEqual([
      "agents that are not in the inventory, and given nothing to do (1); next: lockkeeper doctor",
      "AGENT  FROM       ENGINE  AGENT VERSION  LAST WORD",
      "dbl0   10.0.0.11  kwdb    0.1.0          1.0s ago",
    ]);
    expect(renderNodes({ ...fleetOf(1), strangers }, plain)).toMatch(/\n… and 6 more$/);
    expect(renderNodes({ ...fleetOf(1), strangers }, plain, true)).toContain("dbl29 ");
  });

  it("columns stand under each other whatever the script of their names", () => {
    const fleet = fleetOf(1, 3);
    const [cluster] = fleet.clusters;
    if (cluster === undefined) throw new Error("no cluster");
    const named = cluster.nodes.map((node, index) => ({
      ...node,
      name: ["账单一", "db2", "データ3"][index] ?? "",
    }));
    const lines = renderNodes(
      { ...fleet, clusters: [{ ...cluster, name: "计费", nodes: named }] },
      plain,
    ).split("\n");
    const places = lines.map((line) => widthOf(line.slice(0, line.search(/STATE|ready/))));
    expect(new Set(places).size).toBe(1);
  });
});
