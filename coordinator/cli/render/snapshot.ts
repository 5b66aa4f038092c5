/** Snapshots and differences for people: grouped by version and state, odd nodes first. */
import { render } from "#proto/catalogue/render.ts";
import { whyUnknown } from "#proto/common/measured.ts";
import type { Difference } from "../../domain/snapshot/difference.ts";
import type {
  ClusterSnapshot,
  NodeSnapshot,
  Snapshot,
  SnapshotHead,
} from "../../domain/snapshot/snapshot.ts";
import type { Paint } from "./style.ts";
import { renderTable } from "./table.ts";

export function renderSnapshotList(heads: readonly SnapshotHead[]): string {
  const rows = heads.map(({ id, takenAt, by, reason, clusters, nodes }) => [
    id,
    takenAt,
    clusters.join(", "),
    String(nodes),
    reason,
    by,
  ]);
  return renderTable(["SNAPSHOT", "TAKEN", "CLUSTERS", "NODES", "REASON", "BY"], rows);
}

export function renderSnapshot(snapshot: Snapshot, paint: Paint): string {
  const head = `${paint("strong", snapshot.id)}  ${snapshot.takenAt}  ${snapshot.reason}  by ${snapshot.by}`;
  return [head, ...snapshot.clusters.flatMap((cluster) => ["", ...renderCluster(cluster, paint)])].join("\n");
}

function renderCluster(cluster: ClusterSnapshot, paint: Paint): readonly string[] {
  const lock =
    "value" in cluster.lock
      ? `lock ${cluster.lock.value.state}, epoch ${cluster.lock.value.epoch}`
      : "lock never granted";
  const words = cluster.wordsInForce.map(({ kind, check, by, reason, until }) =>
    paint(
      "warn",
      `${kind} in force: ${check} by ${by}: ${reason}${until === undefined ? "" : ` (until ${until})`}`,
    ),
  );
  return [
    `${paint("strong", cluster.name)} (${cluster.engine}, ${cluster.topology}, ${cluster.deployment}), ${lock}`,
    ...words,
    ...cluster.findings.map((finding) => paint("warn", `finding: ${render(finding).says}`)),
    renderTable(["NODES", "VERSION", "STATE", "FINDINGS"], groupRows(cluster.nodes, paint)),
  ];
}

function groupRows(nodes: readonly NodeSnapshot[], paint: Paint): readonly (readonly string[])[] {
  const groups = new Map<string, { readonly first: NodeSnapshot; readonly names: string[] }>();
  for (const node of nodes) {
    const key = JSON.stringify([node.version, node.state, node.findings]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: node, names: [node.node] });
    else group.names.push(node.node);
  }
  return [...groups.values()]
    .sort((left, right) => oddity(right.first) - oddity(left.first) || left.names.length - right.names.length)
    .map(({ first, names }) => [
      names.length > 8
        ? `${names.slice(0, 3).join(", ")} … ${names.at(-1)} (${names.length})`
        : names.join(", "),
      first.version,
      paint(oddity(first) > 0 ? "bad" : "good", first.state),
      findingsOf(first),
    ]);
}

function oddity(node: NodeSnapshot): number {
  return ("value" in node.report ? 0 : 2) + (node.findings.length > 0 ? 1 : 0);
}

function findingsOf(node: NodeSnapshot): string {
  const unknown = "value" in node.report ? undefined : whyUnknown(node.report);
  const findings = unknown === undefined ? node.findings : [unknown];
  return findings.map((finding) => render(finding).says).join("; ");
}

/** The same change on several nodes is one row. */
export function renderDifferences(changes: readonly Difference[], paint: Paint): string {
  if (changes.length === 0) return "no difference (volatile fields left out; --volatile shows them)";
  const groups = new Map<string, { readonly change: Difference; readonly nodes: string[] }>();
  for (const change of changes) {
    const key = JSON.stringify([
      change.cluster,
      change.node === undefined,
      change.field,
      change.from,
      change.to,
    ]);
    const group = groups.get(key) ?? { change, nodes: [] };
    if (change.node !== undefined) group.nodes.push(change.node);
    groups.set(key, group);
  }
  const rows = [...groups.values()].map(({ change: { cluster, field, from, to }, nodes }) => [
    cluster,
    nodes.length > 8 ? `${nodes.slice(0, 3).join(", ")} … (${nodes.length})` : nodes.join(", "),
    field.replaceAll(".value", "").replace(/^report\.(facts\.)?/, ""),
    paint("dim", shorten(from)),
    shorten(to),
  ]);
  return renderTable(["CLUSTER", "NODES", "FIELD", "BEFORE", "AFTER"], rows);
}

/** Digests are told apart by their beginnings. */
function shorten(value: string | undefined): string {
  if (value === undefined) return "(absent)";
  return value.replace(/"([0-9a-f]{12})[0-9a-f]{52}"/, '"$1…"');
}
