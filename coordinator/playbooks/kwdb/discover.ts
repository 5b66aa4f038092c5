/** Clusters as the nodes' own views describe them. */
import { known } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import { fullOf } from "./facts.ts";

const topologies = {
  single: "standalone",
  "single-replication": "single-replica",
  "multi-replication": "multi-replica",
} as const;

type Found = Pick<ClusterEntry, "name" | "engine" | "topology" | "deployment" | "nodes">;

/** Nodes that see the same peers are one cluster; a name has to be given by a person. */
export function discoverClusters(reports: readonly NodeReport[]): readonly Found[] {
  const groups = new Map<
    string,
    {
      readonly topology: string;
      readonly deployment: string;
      readonly nodes: { name: string; address: string }[];
    }
  >();
  for (const report of reports) {
    const facts = fullOf(report);
    const mode = known(facts?.mode);
    if (facts === undefined || mode === undefined) continue;
    const address = `${mode.address}:${mode.sqlPort}`;
    const peers =
      known(facts.nodes)
        ?.map((row) => row.address ?? "?")
        .sort()
        .join(" ") ?? address;
    const group = groups.get(peers) ?? {
      topology: topologies[mode.topology],
      deployment:
        known(facts.form) === "compiled" ? "compiled" : mode.kind === "bare" ? "script" : "container",
      nodes: [],
    };
    group.nodes.push({ name: report.node, address });
    groups.set(peers, group);
  }
  return [...groups.values()].map((group, index) => ({ name: `kwdb${index + 1}`, engine: "kwdb", ...group }));
}
