/** Checks of the cluster as a whole. */

import { parseDuration } from "#proto/common/duration.ts";
import { known } from "#proto/common/measured.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames, runningVersion } from "./facts.ts";
import { blockingJobs } from "./jobs.ts";
import { judge, result } from "./result.ts";
import { compareViews } from "./summary.ts";
import { compareVersions, mayHop, type Topology } from "./version-policy.ts";

type ClusterCheck = (input: PlaybookInput) => CheckResult | readonly CheckResult[] | undefined;

/** Stop, package installation, start and rejoin of one node, generously. */
const outageMs = 15 * 60_000;

const versionHop: ClusterCheck = ({ cluster, wish, reports }) => {
  const versions = nodeNames(cluster).flatMap((name) => {
    const facts = fullOf(reports[name]);
    return runningVersion(facts) ?? known(facts?.versionFile)?.basic ?? [];
  });
  const from = [...versions].sort(compareVersions)[0];
  if (from === undefined)
    return {
      ...result({ id: "version-hop" }, "unknown"),
      reason: { code: "kwdb.version-unknown", facts: { cluster: cluster.name } },
    };
  const hop = mayHop(from, wish.to, cluster.topology as Topology);
  if (!hop.may) return { ...result({ id: "version-hop" }, "ko", { from, to: wish.to }), reason: hop.why };
  const fine = result({ id: "version-hop" }, "ok", { from, to: wish.to });
  if (hop.contradiction === undefined) return fine;
  return [
    fine,
    result({ id: hop.contradiction.replace("kwdb.", ""), yields: "acknowledge" }, "unknown", {
      from,
      to: wish.to,
    }),
  ];
};

const packageGiven: ClusterCheck = ({ wish }) =>
  result({ id: "package-given" }, wish.artefact === undefined ? "ko" : "ok", {
    name: wish.artefact?.name ?? "",
    digest: wish.artefact?.digest ?? "",
  });

const nodeCount: ClusterCheck = ({ cluster }) =>
  result({ id: "node-count" }, cluster.nodes.length >= 3 ? "ok" : "ko", {
    nodes: String(cluster.nodes.length),
  });

const viewsAgree: ClusterCheck = ({ cluster, reports }) => {
  const told = nodeNames(cluster).flatMap((name) => reports[name] ?? []);
  if (told.length < cluster.nodes.length) return result({ id: "views-agree" }, "unknown");
  const [difference] = compareViews(told);
  return result({ id: "views-agree" }, difference === undefined ? "ok" : "ko", difference?.facts ?? {});
};

/** A node that the database knows and the inventory does not would be upgraded by nobody. */
const allNodesListed: ClusterCheck = (input) => {
  const seen = firstKnown(input, (facts) => facts.nodes);
  return judge({ id: "all-nodes-listed" }, seen, (rows) => {
    const facts = { listed: String(input.cluster.nodes.length), seen: String(rows.length) };
    return [rows.length === input.cluster.nodes.length ? "ok" : "ko", facts];
  });
};

const spread: ClusterCheck = (input) => {
  const found = firstKnown(input, (facts) => facts.spread);
  return judge({ id: "spread", yields: "override" }, found, (rows) => {
    const leaseholders = rows.map((row) => row.leaseholders);
    const replicas = rows.map((row) => row.replicas);
    const facts = { leaseholders: leaseholders.join("/"), replicas: replicas.join("/") };
    if (rows.length === 0) return ["ko", facts];
    if (leaseholders.includes(0) || replicas.includes(0)) return ["ko", facts];
    return [isUneven(leaseholders) || isUneven(replicas) ? "warn" : "ok", facts];
  });
};

function isUneven(counts: readonly number[]): boolean {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.max(...counts) > 1.5 * mean;
}

const ranges: ClusterCheck = (input) =>
  judge(
    { id: "ranges" },
    firstKnown(input, (facts) => facts.ranges),
    ({ unavailable, underReplicated }) => [
      unavailable === 0 && underReplicated === 0 ? "ok" : "ko",
      { unavailable: String(unavailable), underReplicated: String(underReplicated) },
    ],
  );

const jobs: ClusterCheck = (input) =>
  judge(
    { id: "jobs" },
    firstKnown(input, (facts) => facts.jobs),
    (all) => {
      const running = blockingJobs(all);
      return [
        running.length === 0 ? "ok" : "ko",
        { jobs: running.map(({ id, type, status }) => `${type} ${id} ${status}`).join(", ") },
      ];
    },
  );

/** There is no online backup in the open-source build: only a person knows where the data was copied to. */
const backup: ClusterCheck = ({ cluster }) =>
  result({ id: "backup", yields: "acknowledge" }, "unknown", { cluster: cluster.name });

const clients: ClusterCheck = (input) => {
  const found = firstKnown(input, (facts) => facts.sessions);
  return judge({ id: "clients", yields: "acknowledge" }, found, (sessions) => {
    const hosts = [...new Set(sessions.map(({ client }) => client.replace(/:\d+$/, "")))];
    const lonely = hosts.filter(
      (host) =>
        new Set(
          sessions
            .filter(({ client }) => client.startsWith(`${host}:`) || client === host)
            .map(({ nodeId }) => nodeId),
        ).size === 1,
    );
    const perNode = input.cluster.nodes.map((_, index) =>
      sessions.filter(({ nodeId }) => nodeId === index + 1).reduce((sum, { count }) => sum + count, 0),
    );
    return [lonely.length === 0 ? "ok" : "warn", { sessions: perNode.join("/"), lonely: lonely.join(", ") }];
  });
};

const outageBudget: ClusterCheck = (input) =>
  judge(
    { id: "outage-budget", yields: "override" },
    firstKnown(input, (facts) => facts.settings),
    (settings) => {
      const text = settings["server.time_until_store_dead"] ?? "";
      const limitMs = intervalMs(text);
      const facts = { limit: text, outageMs: String(outageMs) };
      return [limitMs !== undefined && limitMs > outageMs ? "ok" : "ko", facts];
    },
  );

/** An interval as SQL shows it (`00:30:00`) or as it is set (`30m0s`); undefined for anything else. */
export function intervalMs(text: string): number | undefined {
  const clock = /^(\d+):(\d\d):(\d\d)$/.exec(text);
  if (clock !== null) return ((Number(clock[1]) * 60 + Number(clock[2])) * 60 + Number(clock[3])) * 1_000;
  const spelt = parseDuration(text);
  return spelt.ok ? spelt.value : undefined;
}

/** The first node's answer to a question about the cluster; where none has one, the first reason. */
function firstKnown<T>(
  { cluster, reports }: PlaybookInput,
  pick: (facts: NonNullable<ReturnType<typeof fullOf>>) => T,
): T | undefined {
  const answers = nodeNames(cluster).flatMap((name) => {
    const facts = fullOf(reports[name]);
    return facts === undefined ? [] : [pick(facts)];
  });
  return answers.find((answer) => known(answer as never) !== undefined) ?? answers[0];
}

export const clusterChecks: readonly ClusterCheck[] = [
  versionHop,
  packageGiven,
  nodeCount,
  allNodesListed,
  viewsAgree,
  ranges,
  jobs,
  spread,
  clients,
  outageBudget,
  backup,
];
