/**
 * The checks of a plan over a half-changed node. What can be asked only of a node that is well is asked of the others;
 * that it is not well is what the plan is about, and a person says which of the two is to be done.
 */
import { known } from "#proto/common/measured.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { askedOfAnyWay, keptPackage } from "./back-checks.ts";
import { checkNode, checkWhole } from "./checks.ts";
import { hopResults } from "./cluster-checks.ts";
import { keepsDataFormat } from "./data-format.ts";
import { evidenceText } from "./evidence.ts";
import { fullOf } from "./facts.ts";
import type { HalfWay } from "./half-way.ts";
import { judgeEvery, result } from "./result.ts";
import { settingsOf } from "./settings.ts";

/** Read from the inventory, the wish and the host's own files. */
const ofAll = ["kwdb.version-tag", "kwdb.package-given", "kwdb.settings", "kwdb.node-count", "kwdb.backup"];
/** Answered by the database. How its load is spread means nothing while a node is away. */
const ofOthers = [
  "kwdb.hop-settings",
  "kwdb.views-agree",
  "kwdb.jobs",
  "kwdb.clients",
  "kwdb.outage-budget",
  "kwdb.store-dead-left",
];
/** What the plan itself is about, mark and flag with it; the others are asked below in another way. */
const notOfIt = ["kwdb.node-live", "kwdb.versions-agree", "kwdb.left-overs", "kwdb.old-package"];

export function finishingChecks(input: PlaybookInput, half: HalfWay): readonly CheckResult[] {
  const others = without(input, half);
  const isAlone = others.cluster.nodes.length === 0;
  return [
    choice(half, input.wish.to),
    ...hopResults(input, half.was),
    ...checkWhole(input).filter(({ id }) => ofAll.includes(id)),
    ...(isAlone
      ? []
      : [...checkWhole(others).filter(({ id }) => ofOthers.includes(id)), ...seen(input, half)]),
    ...others.cluster.nodes.flatMap((node) => checkNode(input, node)),
    ...ofIt(input, half),
    oldPackage(input, half),
  ];
}

export function puttingBackChecks(
  input: PlaybookInput,
  half: HalfWay,
  digest: string,
): readonly CheckResult[] {
  const { node, was } = half;
  const asked = [...askedOfAnyWay, "kwdb.node-live", "kwdb.versions-agree", "kwdb.space"];
  const nodes = [
    ...without(input, half).cluster.nodes.flatMap((each) => checkNode(input, each)),
    ...ofIt(input, half),
  ];
  return [
    choice(half, was),
    ...onKeptData(half),
    ...[...checkWhole(input), ...nodes].filter(({ id }) => asked.includes(id)),
    ...[keptPackage(input, node.name, { digest, version: was }) ?? []].flat(),
  ];
}

/** The cluster as if the node were not of it. */
export function without(input: PlaybookInput, { node }: Pick<HalfWay, "node">): PlaybookInput {
  const nodes = input.cluster.nodes.filter(({ name }) => name !== node.name);
  return { ...input, cluster: { ...input.cluster, nodes } };
}

/** Neither is taken by itself. */
function choice({ node, evidence }: HalfWay, to: string): CheckResult {
  const { file, binary, running } = evidence;
  const facts = { to, file, binary, running };
  return {
    ...result({ id: "half-way", node: node.name, yields: "acknowledge" }, "unknown", facts),
    reason: evidenceText(node.name, evidence),
  };
}

/** That the newer version has never been started nobody has measured. */
function onKeptData({ was, newer }: HalfWay): readonly CheckResult[] {
  if (newer === undefined) return [];
  const facts = { from: was, to: newer };
  return [
    {
      ...result({ id: "back-on-kept-data", yields: "acknowledge" }, "unknown", facts),
      reason: { code: "kwdb.no-downgrade-documented", facts },
    },
  ];
}

export function mayKeepData({ was, newer }: HalfWay): boolean {
  return newer === undefined || keepsDataFormat(was, newer);
}

/** What the others see: a node that does not run lacks its replicas, and nothing else may be missing. */
function seen(input: PlaybookInput, half: HalfWay): readonly CheckResult[] {
  const answers = without(input, half).cluster.nodes.flatMap(({ name }) => fullOf(input.reports[name]) ?? []);
  const listed = String(input.cluster.nodes.length);
  return [
    judgeEvery(
      { id: "all-nodes-listed" },
      answers.map(({ nodes }) => nodes),
      (rows) => [String(rows.length) === listed ? "ok" : "ko", { listed, seen: String(rows.length) }],
    ),
    judgeEvery(
      { id: "ranges" },
      answers.map(({ ranges }) => ranges),
      ({ unavailable, underReplicated }) => [
        unavailable === 0 && (underReplicated === 0 || !half.runs) ? "ok" : "ko",
        { unavailable: String(unavailable), underReplicated: String(underReplicated) },
      ],
    ),
  ];
}

function ofIt(input: PlaybookInput, { node, evidence }: HalfWay): readonly CheckResult[] {
  const facts = fullOf(input.reports[node.name]);
  const isLoaded = known(facts?.unit)?.loaded === true;
  return checkNode(input, node).filter(({ id, status }) => {
    // the script makes a version file where there is none
    if (id === "kwdb.installed") return !(isLoaded && evidence.file === "none");
    // SQL of a node that is down disagrees with nothing; MODE and the store's own file must have been read
    if (id === "kwdb.topology-agrees")
      return (
        status !== "unknown" || known(facts?.mode) === undefined || known(facts?.startModeFile) === undefined
      );
    return !notOfIt.includes(id);
  });
}

function oldPackage(input: PlaybookInput, { node, was: version }: HalfWay): CheckResult {
  const settings = settingsOf(input.cluster);
  const kept = known(fullOf(input.reports[node.name])?.keptPackages) ?? [];
  const isThere =
    (settings.ok && settings.value.oldPackage !== undefined) || kept.some((each) => each.version === version);
  const about = { id: "old-package", node: node.name, yields: "acknowledge" } as const;
  return result(about, isThere ? "ok" : "unknown", { version });
}
