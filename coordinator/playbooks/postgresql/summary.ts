/** One word per server, and clusters as the servers describe them. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import { gateOf, serverOf } from "./facts.ts";

export function summarise(report: NodeReport): {
  readonly version: string;
  readonly state: string;
  readonly findings: readonly Failure[];
} {
  const server = serverOf(report);
  const facts = gateOf(report);
  const why = facts === undefined ? undefined : whyUnknown(facts.server);
  if (server === undefined)
    return {
      version: "?",
      state: "unknown",
      findings: [why === undefined ? failure("postgresql.facts-unreadable", { node: report.node }) : why],
    };
  const isClosed = known(facts?.fence)?.isReadOnly === true;
  const state = server.isStandby ? "standby" : isClosed ? "closed" : "primary";
  const lost = (known(facts?.slots) ?? []).filter(({ walStatus }) => walStatus === "lost");
  return {
    version: server.version.split(" ")[0] ?? server.version,
    state,
    findings: lost.map(({ name }) => failure("postgresql.slot-lost", { node: report.node, slot: name })),
  };
}

type Found = Pick<ClusterEntry, "name" | "engine" | "topology" | "deployment" | "nodes">;

/** Servers of one system identifier are one cluster; its name and its addresses are a person's to give. */
export function discoverClusters(reports: readonly NodeReport[]): readonly Found[] {
  const groups = new Map<string, { name: string; address: string }[]>();
  for (const report of reports) {
    const server = serverOf(report);
    if (server === undefined) continue;
    const nodes = groups.get(server.systemId) ?? [];
    nodes.push({ name: report.node, address: `${report.node}:5432` });
    groups.set(server.systemId, nodes);
  }
  return [...groups.values()].map((nodes, index) => ({
    name: `postgresql${index + 1}`,
    engine: "postgresql",
    topology: nodes.length > 1 ? "single-replica" : "standalone",
    deployment: "script",
    nodes,
  }));
}
