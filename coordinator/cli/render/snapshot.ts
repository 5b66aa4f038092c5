/** Snapshots and differences for people: grouped by version and state, odd nodes first. */
import { render } from "#proto/catalogue/render.ts";
import { whyUnknown } from "#proto/common/measured.ts";
import { fewOf } from "../../domain/few.ts";
import type { Difference } from "../../domain/snapshot/difference.ts";
import type {
  ClusterSnapshot,
  NodeSnapshot,
  Snapshot,
  SnapshotHead,
} from "../../domain/snapshot/snapshot.ts";
import { findingsOf, type Group, groupsOf, type Member } from "./groups.ts";
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

/** Up to this many clusters each has its own table; of more, only those that are odd. */
const shownClusters = 8;

export function renderSnapshot(snapshot: Snapshot, paint: Paint): string {
  const { id, takenAt, reason, by, clusters } = snapshot;
  const head = `${paint("strong", id)}  ${takenAt}  ${reason}  by ${by}`;
  if (clusters.length <= shownClusters)
    return [head, ...clusters.flatMap((cluster) => ["", ...renderCluster(cluster, paint)])].join("\n");
  const odd = clusters.filter(isOdd);
  const hidden = clusters.length - Math.min(odd.length, shownClusters);
  return [
    head,
    "",
    renderTable(
      ["CLUSTERS", "COUNT", "NODES", "VERSION", "STATE", "FINDINGS"],
      groupsOf(clusters.flatMap(membersOf)).map((group) => [
        fewOf(group.clusters, 3),
        String(group.nodes.length),
        fewOf(group.nodes, 4),
        ...wordsOf(group, paint),
      ]),
    ),
    ...odd.slice(0, shownClusters).flatMap((cluster) => ["", ...renderCluster(cluster, paint)]),
    "",
    `${hidden} more clusters, ${odd.length - Math.min(odd.length, shownClusters)} of them odd: lockkeeper snapshot show ${id} CLUSTER`,
  ].join("\n");
}

function isOdd(cluster: ClusterSnapshot): boolean {
  return cluster.findings.length > 0 || cluster.wordsInForce.length > 0 || cluster.nodes.some(oddity);
}

function renderCluster(cluster: ClusterSnapshot, paint: Paint): readonly string[] {
  const lock =
    "value" in cluster.lock
      ? `lock ${cluster.lock.value.state}, epoch ${cluster.lock.value.epoch}`
      : "unknown" in cluster.lock
        ? `lock UNKNOWN (${render(cluster.lock.unknown).says})`
        : "lock never granted";
  const words = cluster.wordsInForce.map(({ kind, check, by, reason, until }) =>
    paint(
      "warn",
      `${kind} in force: ${check} by ${by}: ${reason}${until === undefined ? "" : ` (until ${until})`}`,
    ),
  );
  return [
    `${paint("strong", cluster.name)} (${kindOf(cluster)}), ${lock}`,
    ...words,
    ...cluster.findings.map((finding) => paint("warn", `finding: ${render(finding).says}`)),
    renderTable(
      ["NODES", "VERSION", "STATE", "FINDINGS"],
      groupsOf(membersOf(cluster)).map((group) => [fewOf(group.nodes), ...wordsOf(group, paint)]),
    ),
    ...cluster.nodes.flatMap(({ node, notes = [] }) => notes.map((note) => `${node}: ${render(note).says}`)),
  ];
}

/** KWDB alone is deployed in more than one way; of another engine the inventory holds a word that means nothing. */
function kindOf({ engine, topology, deployment }: ClusterSnapshot): string {
  return [engine, topology, ...(engine === "kwdb" ? [deployment] : [])].join(", ");
}

function membersOf(cluster: ClusterSnapshot): readonly Member[] {
  return cluster.nodes.map((node) => {
    const unknown = "value" in node.report ? undefined : whyUnknown(node.report);
    const { version, state } = node;
    const findings = unknown === undefined ? node.findings : [unknown];
    return { cluster: cluster.name, node: node.node, version, state, oddity: oddity(node), findings };
  });
}

function wordsOf(group: Group, paint: Paint): readonly string[] {
  const { version, state, oddity: odd } = group.first;
  return [version, paint(odd > 0 ? "bad" : "good", state), findingsOf(group)];
}

function oddity(node: NodeSnapshot): number {
  return ("value" in node.report ? 0 : 2) + (node.findings.length > 0 || node.state === "unknown" ? 1 : 0);
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
    fewOf(nodes),
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
