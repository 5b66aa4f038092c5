/** The fleet at a glance: clusters with their nodes, odd ones first; a thousand nodes fold into groups. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import { fewOf } from "../../domain/few.ts";
import type { ClusterView, FleetView, NodeView } from "../../domain/views.ts";
import { findingsOf, groupsOf, type Member } from "./groups.ts";
import type { Paint } from "./style.ts";
import { nothing, renderTable } from "./table.ts";

/** Up to this many nodes each has a line of its own. */
const listedNodes = 24;

const insecureWarning =
  "WARNING: agents and coordinator talk in plain text beyond loopback (insecure: true); anyone on that network can steer them.";

export function renderClusters(fleet: FleetView, paint: Paint): string {
  if (fleet.clusters.length === 0) return withWarning(fleet, nothing("fleet.none"), paint);
  const rows = [...fleet.clusters]
    .sort((left, right) => oddityOfCluster(right) - oddityOfCluster(left))
    .map((cluster) => [
      cluster.name,
      cluster.engine,
      cluster.topology,
      String(cluster.nodes.length),
      versionsOf(cluster),
      lockOf(cluster),
      cluster.claim?.rollout ?? "-",
      wordsOnState(cluster, paint),
    ]);
  return withWarning(
    fleet,
    renderTable(["CLUSTER", "ENGINE", "TOPOLOGY", "NODES", "VERSIONS", "LOCK", "CLAIM", "STATE"], rows),
    paint,
  );
}

/** `all`: a line for each node, however many there are. */
export function renderNodes(fleet: FleetView, paint: Paint, all = false): string {
  const nodes = fleet.clusters.flatMap((cluster) => cluster.nodes.map((node) => ({ cluster, node })));
  const table =
    nodes.length === 0
      ? nothing("fleet.none")
      : all || nodes.length <= listedNodes
        ? renderTable(
            ["CLUSTER", "NODE", "ADDRESS", "VERSION", "STATE", "LAST WORD", "FINDINGS"],
            [...nodes]
              .sort((left, right) => oddity(right.node) - oddity(left.node))
              .map(({ cluster, node }) => nodeRow(cluster, node, paint)),
          )
        : renderFolded(nodes, paint);
  return withWarning(fleet, [table, ...strangersOf(fleet, paint, all)].join("\n"), paint);
}

/** Agents that dial in under names that nobody knows stand in no cluster's rows. */
function strangersOf({ strangers = [] }: FleetView, paint: Paint, all: boolean): readonly string[] {
  if (strangers.length === 0) return [];
  const { says, next } = render({ code: "fleet.strangers", facts: { count: String(strangers.length) } });
  const listed = all ? strangers : strangers.slice(0, listedNodes);
  const rows = listed.map(({ name, from, engine, agentVersion, lastWordAgeMs }) => [
    name,
    from,
    engine,
    agentVersion,
    `${renderDuration(lastWordAgeMs)} ago`,
  ]);
  return [
    "",
    `${paint("warn", says)}; next: ${next ?? ""}`,
    renderTable(["AGENT", "FROM", "ENGINE", "AGENT VERSION", "LAST WORD"], rows),
    ...(listed.length < strangers.length ? [`… and ${strangers.length - listed.length} more`] : []),
  ];
}

interface Placed {
  readonly cluster: ClusterView;
  readonly node: NodeView;
}

function renderFolded(nodes: readonly Placed[], paint: Paint): string {
  const groups = groupsOf(nodes.map(({ cluster, node }) => memberOf(cluster, node)));
  const rows = groups.map((group) => [
    fewOf(group.clusters, 3),
    String(group.nodes.length),
    fewOf(group.nodes, 4),
    group.first.version,
    paint(group.first.oddity > 0 ? "bad" : "good", group.first.state),
    findingsOf(group),
  ]);
  const odd = groups
    .filter(({ first }) => first.oddity > 0)
    .reduce((sum, group) => sum + group.nodes.length, 0);
  return [
    renderTable(["CLUSTERS", "COUNT", "NODES", "VERSION", "STATE", "FINDINGS"], rows),
    "",
    `${nodes.length} nodes, ${odd} odd; each on a line of its own: lockkeeper node list --all`,
  ].join("\n");
}

function memberOf(cluster: ClusterView, node: NodeView): Member {
  const { name, version, findings } = node;
  return { cluster: cluster.name, node: name, version, state: stateOf(node), oddity: oddity(node), findings };
}

function nodeRow(cluster: ClusterView, node: NodeView, paint: Paint): readonly string[] {
  return [
    cluster.name,
    node.name,
    node.address,
    node.version,
    paint(isOdd(node) ? "bad" : "good", stateOf(node)),
    lastWordOf(node),
    node.findings.map((finding) => render(finding).says).join("; "),
  ];
}

/** Under what stands beside the name of a fact. */
const hanging = `\n${" ".repeat(13)}`;

/** All that is known of each node, one line a fact; what was found may take several. */
export function renderNode(fleet: FleetView, paint: Paint): string {
  const pages = fleet.clusters.flatMap((cluster) =>
    cluster.nodes.map((node) => {
      const facts: readonly (readonly [string, string])[] = [
        ["address", node.address],
        ["version", node.version],
        ["state", paint(isOdd(node) ? "bad" : "good", stateOf(node))],
        ["agent", node.agentVersion ?? "-"],
        ["last word", lastWordOf(node)],
        ["lock", lockOf(cluster)],
        ["claim", cluster.claim?.rollout ?? "-"],
        ...node.findings.map((finding) => ["finding", paint("warn", render(finding).says)] as const),
        ...node.findings.flatMap((finding) => {
          const { next } = render(finding);
          return next === undefined ? [] : [["next", next] as const];
        }),
        ...(node.notes ?? []).map((note) => ["note", render(note).says] as const),
      ];
      const head = `${paint("strong", node.name)} of ${cluster.name} (${cluster.engine}, ${cluster.topology})`;
      const lines = facts.map(([what, value]) => `  ${what.padEnd(10)} ${value.replaceAll("\n", hanging)}`);
      return [head, ...lines].join("\n");
    }),
  );
  return withWarning(fleet, pages.join("\n\n"), paint);
}

function lastWordOf({ lastWordAgeMs }: NodeView): string {
  return lastWordAgeMs === undefined ? "never" : `${renderDuration(lastWordAgeMs)} ago`;
}

/** Without an agent nothing is known; an unknown version or state is next; findings come after. */
function oddity(node: NodeView): number {
  if (!node.attached) return 3;
  if (node.version === "?" || node.state === "unknown") return 2;
  return node.findings.length > 0 ? 1 : 0;
}

function isOdd(node: NodeView): boolean {
  return oddity(node) > 0;
}

function oddityOfCluster(cluster: ClusterView): number {
  return Math.max(0, ...cluster.nodes.map(oddity), cluster.findings.length > 0 ? 1 : 0);
}

function stateOf(node: NodeView): string {
  return node.attached ? node.state : "no agent";
}

function lockOf({ lock }: ClusterView): string {
  if (lock === undefined) return "?";
  // no record and no epoch: nothing was ever granted here
  if (lock.state === "missing") return "never granted";
  return lock.state + (lock.broken === undefined ? "" : ", broken");
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
