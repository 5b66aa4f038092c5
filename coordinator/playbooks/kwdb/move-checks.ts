/** What must be right before a move: both clusters well, the new one of the version that is wanted, and empty. */
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { checkCluster } from "./checks.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { oldestVersion } from "./hop.ts";
import { firstNode, youngOf } from "./move-sides.ts";
import { judge, result } from "./result.ts";
import { settingsOf } from "./settings.ts";
import { compareVersions } from "./version-policy.ts";

/** Of the checks before an upgrade: those that ask whether a cluster is well, and whether its hosts answer. */
const wellness: ReadonlySet<string> = new Set(
  [
    "settings",
    "node-count",
    "all-nodes-listed",
    "views-agree",
    "ranges",
    "jobs",
    "agent-reports",
    "installed",
    "deployed-as-declared",
    "topology-agrees",
    "node-live",
    "versions-agree",
    "bindable",
    "clock",
  ].map((id) => `kwdb.${id}`),
);

export function checkMove(input: PlaybookInput): readonly CheckResult[] {
  const young = youngOf(input);
  if (young === undefined || young.cluster.name === input.cluster.name)
    return [result({ id: "move-target" }, "ko", input.wish.into ? { into: input.wish.into } : {})];
  return [
    result({ id: "move-target" }, "ok", { into: young.cluster.name }),
    ...versions(input, young),
    databasesKnown(input),
    targetEmpty(young),
    ...wordForWrites(input),
    ...well(input, young),
  ];
}

/** One result of each check of the whole cluster: that of the cluster which is worse off. */
function well(old: PlaybookInput, young: PlaybookInput): readonly CheckResult[] {
  const [ofOld, ofYoung] = [old, young].map((side) =>
    checkCluster({ ...side, wish: { to: side.wish.to } })
      .filter(({ id }) => wellness.has(id))
      .map((each) => ({ ...each, facts: { ...each.facts, cluster: side.cluster.name } })),
  );
  const all = [...(ofOld ?? []), ...(ofYoung ?? [])];
  const whole = all.filter(({ node }) => node === undefined);
  const ids = [...new Set(whole.map(({ id }) => id))];
  const worst = ids.flatMap((id) => whole.filter((each) => each.id === id).sort(worseFirst)[0] ?? []);
  return [...worst, ...all.filter(({ node }) => node !== undefined)];
}

const order: readonly CheckResult["status"][] = ["ko", "unknown", "warn", "ok", "not-applicable"];

function worseFirst(left: CheckResult, right: CheckResult): number {
  return order.indexOf(left.status) - order.indexOf(right.status);
}

/** From any version to any: the new cluster must run the one that is named; an older one needs a word. */
function versions(old: PlaybookInput, young: PlaybookInput): readonly CheckResult[] {
  const { to } = old.wish;
  const from = oldestVersion(old);
  const found = young.cluster.nodes.map(({ name }) => runningVersion(fullOf(young.reports[name])));
  const facts = { from: from ?? "?", to, found: [...new Set(found.map((each) => each ?? "?"))].join(", ") };
  if (from === undefined || found.includes(undefined))
    return [
      {
        ...result({ id: "move-version" }, "unknown", facts),
        reason: { code: "kwdb.version-unknown", facts: { cluster: old.cluster.name } },
      },
    ];
  const isRight = found.every((each) => each === to);
  const fits = result({ id: "move-version" }, isRight ? "ok" : "ko", facts);
  return compareVersions(from, to) > 0
    ? [fits, result({ id: "move-older", yields: "acknowledge" }, "unknown", facts)]
    : [fits];
}

function measuredDatabases(input: PlaybookInput) {
  const node = firstNode(input);
  return node === undefined ? undefined : fullOf(input.reports[node.name])?.databases;
}

function databasesKnown(input: PlaybookInput): CheckResult {
  return judge({ id: "move-databases" }, measuredDatabases(input), (all) => [
    "ok",
    { databases: all.length === 0 ? "none" : all.join(", ") },
  ]);
}

function targetEmpty(young: PlaybookInput): CheckResult {
  return judge({ id: "move-empty" }, measuredDatabases(young), (all) => [
    all.length === 0 ? "ok" : "ko",
    { into: young.cluster.name, databases: all.join(", ") },
  ]);
}

/** Rows that come after the export are lost where writes go on: a person's word. */
function wordForWrites({ cluster }: PlaybookInput): readonly CheckResult[] {
  const settings = settingsOf(cluster);
  return settings.ok && settings.value.writesWhileMoving === "counted"
    ? [result({ id: "move-late-rows", yields: "acknowledge" }, "unknown", { cluster: cluster.name })]
    : [];
}
