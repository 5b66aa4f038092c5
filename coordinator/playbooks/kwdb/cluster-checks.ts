/** Checks of the cluster as a whole. */

import { known } from "#proto/common/measured.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { answersOf, type ClusterCheck } from "./cluster-check.ts";
import { fullOf, hostOf, nodeNames, runningVersion } from "./facts.ts";
import { formOf, takesImages } from "./form.ts";
import { settingsWanted } from "./hop.ts";
import { blockingJobs } from "./jobs.ts";
import { outageBudget, storeDeadLeft } from "./outage-checks.ts";
import { judgeEvery, result } from "./result.ts";
import { settingsOf } from "./settings.ts";
import { compareViews } from "./summary.ts";
import { compareVersions, mayHop } from "./version-policy.ts";
import { wayOf } from "./way.ts";

/** What is asked because the cluster serves meanwhile means nothing where it does not. */
function whileServing(check: ClusterCheck): ClusterCheck {
  return (input) => {
    const way = wayOf(input);
    return way.ok && way.value.strategy === "offline" ? undefined : check(input);
  };
}

const versionHop: ClusterCheck = ({ cluster, wish, reports }) => {
  const versions = nodeNames(cluster).map((name) => runningVersion(fullOf(reports[name])));
  const known = versions.filter((version) => version !== undefined);
  const from = [...known].sort(compareVersions)[0];
  if (from === undefined || known.length < versions.length)
    return {
      ...result({ id: "version-hop" }, "unknown", { from: from ?? "?", to: wish.to }),
      reason: { code: "kwdb.version-unknown", facts: { cluster: cluster.name } },
    };
  return hopResults({ cluster, wish }, from);
};

/** Of the hop from this version to the one that is wanted, and of what a person has to say to it. */
export function hopResults(
  { cluster, wish }: Pick<PlaybookInput, "cluster" | "wish">,
  from: string,
): readonly CheckResult[] {
  const way = wayOf({ cluster, wish });
  if (!way.ok)
    return [{ ...result({ id: "version-hop" }, "ko", { from, to: wish.to }), reason: way.failure }];
  const hop = mayHop(from, wish.to);
  if (!hop.may) return [{ ...result({ id: "version-hop" }, "ko", { from, to: wish.to }), reason: hop.why }];
  const fine = result({ id: "version-hop" }, "ok", { from, to: wish.to });
  const wanted = hop.words.filter(
    ({ strategy = way.value.strategy, unless }) =>
      strategy === way.value.strategy && unless !== way.value.method,
  );
  const words = wanted.map(({ id }) =>
    result({ id: id.replace("kwdb.", ""), yields: "acknowledge" }, "unknown", { from, to: wish.to }),
  );
  return [fine, ...words];
}

/** What the vendor wants to be set before the hop: it is not ours to change, since it costs speed. */
const hopSettings: ClusterCheck = (input) =>
  settingsWanted(input).map(({ variable, value }) =>
    judgeEvery({ id: "hop-settings" }, answersOf(input, "settings"), (settings) => {
      const found = settings[variable] ?? "not set";
      const isSo = found === value || intervalMs(found) === intervalMs(value);
      return [isSo ? "ok" : "ko", { variable, value, found }];
    }),
  );

/** Which combination of container and topology there is, as the vendor documents them. */
const containerForm: ClusterCheck = (input) => {
  if (input.cluster.deployment !== "container") return undefined;
  const form = formOf(input);
  if (form.ok) return result({ id: "container-form" }, "ok", { form: form.value });
  const status = form.failure.code === "kwdb.form-unknown" ? "unknown" : "ko";
  return { ...result({ id: "container-form" }, status), reason: form.failure };
};

const packageGiven: ClusterCheck = (input) => {
  const { wish } = input;
  const [settings, form] = [settingsOf(input.cluster), formOf(input)];
  const image = settings.ok && form.ok && takesImages(form.value) ? settings.value.image : undefined;
  if (image !== undefined) return result({ id: "package-given" }, "ok", { name: image, digest: "" });
  return result({ id: "package-given" }, wish.artefact === undefined ? "ko" : "ok", {
    name: wish.artefact?.name ?? "",
    digest: wish.artefact?.digest ?? "",
  });
};

/** By topology: how many nodes it must have. */
const nodeCounts: Readonly<Record<string, (nodes: number) => boolean>> = {
  "multi-replica": (nodes) => nodes >= 3,
  "single-replica": (nodes) => nodes >= 2,
  standalone: (nodes) => nodes === 1,
};

const nodeCount: ClusterCheck = ({ cluster: { topology, nodes } }) =>
  result({ id: "node-count" }, nodeCounts[topology]?.(nodes.length) === true ? "ok" : "ko", {
    nodes: String(nodes.length),
    topology,
  });

const viewsAgree: ClusterCheck = ({ cluster, reports }) => {
  const told = nodeNames(cluster).flatMap((name) => reports[name] ?? []);
  if (told.some((report) => known(fullOf(report)?.nodes) === undefined) || told.length < cluster.nodes.length)
    return result({ id: "views-agree" }, "unknown");
  const [difference] = compareViews(told);
  return result({ id: "views-agree" }, difference === undefined ? "ok" : "ko", difference?.facts ?? {});
};

/** A node that the database knows and the inventory does not would be upgraded by nobody. */
const allNodesListed: ClusterCheck = (input) =>
  judgeEvery({ id: "all-nodes-listed" }, answersOf(input, "nodes"), (rows) => {
    const facts = { listed: String(input.cluster.nodes.length), seen: String(rows.length) };
    return [rows.length === input.cluster.nodes.length ? "ok" : "ko", facts];
  });

/** A live node without a row has no leaseholder either. */
const spread: ClusterCheck = (input) =>
  judgeEvery({ id: "spread", yields: "override" }, answersOf(input, "spread"), (rows) => {
    const leaseholders = rows.map((row) => row.leaseholders);
    const replicas = rows.map((row) => row.replicas);
    const facts = { leaseholders: leaseholders.join("/"), replicas: replicas.join("/") };
    if (rows.length < input.cluster.nodes.length) return ["ko", facts];
    if (leaseholders.includes(0) || replicas.includes(0)) return ["ko", facts];
    return [isUneven(leaseholders) || isUneven(replicas) ? "warn" : "ok", facts];
  });

function isUneven(counts: readonly number[]): boolean {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.max(...counts) > 1.5 * mean;
}

const ranges: ClusterCheck = (input) =>
  judgeEvery({ id: "ranges" }, answersOf(input, "ranges"), ({ unavailable, underReplicated }) => [
    unavailable === 0 && underReplicated === 0 ? "ok" : "ko",
    { unavailable: String(unavailable), underReplicated: String(underReplicated) },
  ]);

const jobs: ClusterCheck = (input) =>
  judgeEvery({ id: "jobs" }, answersOf(input, "jobs"), (all) => {
    const running = blockingJobs(all);
    return [
      running.length === 0 ? "ok" : "ko",
      { jobs: running.map(({ id, type, status }) => `${type} ${id} ${status}`).join(", ") },
    ];
  });

/**
 * There is no online backup in the open-source build: each node's data folder is archived on the way, or only a
 * person knows where the data was copied to, and when. Archives of nodes that did not stop together are no backup of
 * the cluster: said, and not asked about, since each node can be looked into.
 */
const backup: ClusterCheck = (input) => {
  const { cluster } = input;
  const settings = settingsOf(cluster);
  const archives = settings.ok && settings.value.archiveData;
  const way = wayOf(input);
  const isTogether = way.ok && way.value.strategy === "offline";
  const status = !archives ? "unknown" : isTogether || cluster.nodes.length === 1 ? "ok" : "warn";
  return result({ id: "backup", yields: "acknowledge" }, status, { cluster: cluster.name });
};

const settingsKnown: ClusterCheck = ({ cluster }) => {
  const settings = settingsOf(cluster);
  if (settings.ok) return result({ id: "settings" }, "ok");
  return { ...result({ id: "settings" }, "ko", settings.failure.facts), reason: settings.failure };
};

/** A client host whose sessions are all on one node is cut off when that node is taken away. */
const clients: ClusterCheck = (input) =>
  judgeEvery({ id: "clients", yields: "acknowledge" }, answersOf(input, "sessions"), (sessions) => {
    const nodesByHost = new Map<string, Set<number>>();
    const countByNode = new Map<number, number>();
    for (const { nodeId, client, count } of sessions) {
      nodesByHost.set(hostOf(client), (nodesByHost.get(hostOf(client)) ?? new Set()).add(nodeId));
      countByNode.set(nodeId, (countByNode.get(nodeId) ?? 0) + count);
    }
    const lonely = [...nodesByHost].filter(([, nodes]) => nodes.size === 1).map(([host]) => host);
    const perNode = [...countByNode]
      .sort(([left], [right]) => left - right)
      .map(([id, count]) => `n${id} ${count}`);
    return [
      lonely.length === 0 ? "ok" : "warn",
      { sessions: perNode.length === 0 ? "none" : perNode.join(", "), lonely: lonely.join(", ") },
    ];
  });

/** What a hotfix has mended may be broken in the next release, and a way back to it needs that very package. */
const versionTag: ClusterCheck = ({ cluster, wish, reports }) => {
  const tagged = nodeNames(cluster).flatMap((node) => {
    const file = known(fullOf(reports[node])?.versionFile);
    return file?.extended == null ? [] : [`${node} ${file.basic} ${file.extended}`];
  });
  if (tagged.length === 0) return [];
  const facts = { nodes: tagged.join(", "), to: wish.to };
  return {
    ...result({ id: "version-tag", yields: "acknowledge" }, "unknown", facts),
    reason: { code: "kwdb.tag-not-compared", facts },
  };
};

export const clusterChecks: readonly ClusterCheck[] = [
  versionHop,
  versionTag,
  hopSettings,
  containerForm,
  packageGiven,
  settingsKnown,
  nodeCount,
  allNodesListed,
  viewsAgree,
  ranges,
  jobs,
  whileServing(spread),
  whileServing(clients),
  whileServing(outageBudget),
  whileServing(storeDeadLeft),
  backup,
];
