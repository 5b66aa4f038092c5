/** The fleet at a glance: clusters with their nodes, odd ones first; a thousand nodes fold into groups. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { ClusterView, FleetView, NodeView } from "../../domain/views.ts";
import type { Paint } from "./style.ts";
import { renderTable } from "./table.ts";

/** Above this many nodes the like ones of a cluster are counted, not listed. */
const listedNodes = 24;

export const insecureWarning =
  "WARNING: agents and coordinator talk in plain text beyond loopback (insecure: true); anyone on that network can steer them.";

export function renderClusters(fleet: FleetView, paint: Paint): string {
  const rows = fleet.clusters.map((cluster) => [
    cluster.name,
    cluster.engine,
    cluster.topology,
    String(cluster.nodes.length),
    versionsOf(cluster),
    cluster.lock === undefined
      ? "?"
      : cluster.lock.state + (cluster.lock.broken === undefined ? "" : ", broken"),
    cluster.claim?.rollout ?? "-",
    wordsOnState(cluster, paint),
  ]);
  return withWarning(
    fleet,
    renderTable(["CLUSTER", "ENGINE", "TOPOLOGY", "NODES", "VERSIONS", "LOCK", "CLAIM", "STATE"], rows),
    paint,
  );
}

export function renderNodes(fleet: FleetView, paint: Paint): string {
  const rows = fleet.clusters.flatMap((cluster) => nodeRows(cluster, paint));
  return withWarning(
    fleet,
    renderTable(["CLUSTER", "NODE", "ADDRESS", "VERSION", "STATE", "LAST WORD", "FINDINGS"], rows),
    paint,
  );
}

function nodeRows(cluster: ClusterView, paint: Paint): readonly (readonly string[])[] {
  const odd = cluster.nodes.filter(isOdd);
  const even = cluster.nodes.filter((node) => !isOdd(node));
  const folds = cluster.nodes.length > listedNodes;
  return [
    ...odd.map((node) => nodeRow(cluster, node, paint)),
    ...(folds ? groups(cluster, even) : even.map((node) => nodeRow(cluster, node, paint))),
  ];
}

function nodeRow(cluster: ClusterView, node: NodeView, paint: Paint): readonly string[] {
  return [
    cluster.name,
    node.name,
    node.address,
    node.version,
    isOdd(node) ? paint("bad", stateOf(node)) : paint("good", stateOf(node)),
    node.lastWordAgeMs === undefined ? "never" : `${renderDuration(node.lastWordAgeMs)} ago`,
    node.findings.map((finding) => render(finding).says).join("; "),
  ];
}

function groups(cluster: ClusterView, nodes: readonly NodeView[]): readonly (readonly string[])[] {
  const counted = new Map<string, { version: string; state: string; count: number }>();
  for (const node of nodes) {
    const key = `${node.version} ${node.state}`;
    const group = counted.get(key) ?? { version: node.version, state: node.state, count: 0 };
    counted.set(key, { ...group, count: group.count + 1 });
  }
  return [...counted.values()].map(({ version, state, count }) => [
    cluster.name,
    `${count} nodes`,
    "",
    version,
    state,
    "",
    "",
  ]);
}

function isOdd(node: NodeView): boolean {
  return !node.attached || node.findings.length > 0 || node.version === "?" || node.state === "unknown";
}

function stateOf(node: NodeView): string {
  return node.attached ? node.state : "no agent";
}

function versionsOf(cluster: ClusterView): string {
  const counts = new Map<string, number>();
  for (const { version } of cluster.nodes) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .map(([version, count]) => (counts.size === 1 ? version : `${version}×${count}`))
    .join(" ");
}

function wordsOnState(cluster: ClusterView, paint: Paint): string {
  const odd = cluster.nodes.filter(isOdd).map(({ name }) => name);
  if (cluster.freeze !== undefined) return paint("warn", `frozen: ${cluster.freeze}`);
  if (odd.length > 0)
    return paint(
      "bad",
      `look at ${odd.slice(0, 3).join(", ")}${odd.length > 3 ? ` and ${odd.length - 3} more` : ""}`,
    );
  return cluster.findings.length > 0
    ? paint("warn", cluster.findings.map((finding) => render(finding).says).join("; "))
    : paint("good", "well");
}

function withWarning(fleet: FleetView, table: string, paint: Paint): string {
  return fleet.insecure ? `${paint("warn", insecureWarning)}\n${table}` : table;
}
