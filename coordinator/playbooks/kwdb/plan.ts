/**
 * The documented rolling upgrade of a multi-replica cluster deployed by script: stage everywhere, then per node
 * look, save, drain, stop, `deploy.sh upgrade -l`, prove, start, prove; the script never sees a running node.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { ClusterEntry, NodeEntry } from "../../domain/inventory.ts";
import type { GateSpec, NodeStage, Plan, PlanProgram, Stage } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { checkCluster } from "./checks.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { versionsAt } from "./gates.ts";
import { type KwdbClusterSettings, settingsOf } from "./settings.ts";
import { jobsStep, nodeSteps, provingSteps, stagingSteps } from "./steps.ts";
import { compareVersions, mayHop, whyTopologyNotServed } from "./version-policy.ts";

export function planUpgrade(input: PlaybookInput): Outcome<Plan> {
  const { cluster, wish } = input;
  const refused = whyNoSuchWay(input);
  if (refused !== undefined) return refused;
  const from = oldestVersion(input);
  if (from === undefined) return whyNoVersion(input);
  const hop = mayHop(from, wish.to);
  if (!hop.may) return { ok: false, failure: hop.why };
  if (wish.artefact === undefined)
    return fail("kwdb.package-missing", { cluster: cluster.name, to: wish.to });
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const { digest, name } = wish.artefact;
  const checks = checkCluster(input);
  const nodes = cluster.nodes.filter(
    (node) => runningVersion(fullOf(input.reports[node.name])) !== wish.to || !isInstalled(input, node),
  );
  const stages = stagesFor(input, nodes, { from, digest, settings: settings.value });
  const firstChange = stages.find((stage) => stage.kind === "node");
  return succeed({
    format: planFormat,
    digest: "",
    engine: "kwdb",
    clusters: [cluster.name],
    from,
    to: wish.to,
    strategy: "rolling",
    method: "script",
    artefact: { digest, name },
    boundTo: fingerprint(input),
    stages,
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    ...(firstChange === undefined ? {} : { pointOfNoReturn: `${firstChange.id}/upgrade-package` }),
    wayBack: ["way-back.kwdb.before", "way-back.kwdb.one-node", "way-back.kwdb.all"],
    warnings: warningsFor(from, wish.to),
  });
}

/** Ways that this playbook does not go, named with the one that is open. */
function whyNoSuchWay({ cluster, wish }: PlaybookInput): Outcome<never> | undefined {
  const facts = { cluster: cluster.name, topology: cluster.topology, deployment: cluster.deployment };
  const topology = whyTopologyNotServed(cluster);
  if (topology !== undefined) return { ok: false, failure: topology };
  if (cluster.deployment !== "script") return fail("kwdb.deployment-not-served", facts);
  if (wish.strategy === "offline")
    return fail("kwdb.strategy-not-served", { ...facts, strategy: wish.strategy });
  if (wish.method !== undefined && wish.method !== "script")
    return fail("kwdb.method-not-served", { ...facts, method: wish.method });
  if (wish.to === "") return fail("kwdb.target-missing", facts);
  return undefined;
}

/** The version to come from: the oldest that runs, so that a half-done upgrade is planned from its beginning. */
function oldestVersion({ cluster, reports }: PlaybookInput): string | undefined {
  const versions = cluster.nodes.map(({ name }) => {
    const facts = fullOf(reports[name]);
    return runningVersion(facts) ?? known(facts?.versionFile)?.basic;
  });
  if (versions.some((version) => version === undefined)) return undefined;
  return [...(versions as string[])].sort(compareVersions)[0];
}

function whyNoVersion({ cluster, reports }: PlaybookInput): Outcome<never> {
  const silent = cluster.nodes.find(({ name }) => reports[name] === undefined);
  return silent === undefined
    ? fail("kwdb.version-unknown", { cluster: cluster.name })
    : fail("node.no-report", { node: silent.name });
}

function isInstalled({ reports, wish }: PlaybookInput, { name }: NodeEntry): boolean {
  return known(fullOf(reports[name])?.versionFile)?.basic === wish.to;
}

function warningsFor(from: string, to: string): readonly string[] {
  const warnings = ["warning.kwdb.no-downgrade", "warning.kwdb.jobs-may-fail"];
  return from.startsWith("3.0.") && to.startsWith("3.1.")
    ? [...warnings, "warning.kwdb.no-new-raft-log"]
    : warnings;
}

interface Journey {
  readonly from: string;
  readonly digest: string;
  readonly settings: KwdbClusterSettings;
}

function stagesFor(input: PlaybookInput, nodes: readonly NodeEntry[], journey: Journey): readonly Stage[] {
  const { cluster, wish } = input;
  const { digest, from, settings } = journey;
  const old =
    settings.oldPackage === undefined ? {} : { old: { digest: settings.oldPackage, version: from } };
  const staging = cluster.nodes.map(
    ({ name }): PlanProgram => ({
      cluster: cluster.name,
      node: name,
      steps: stagingSteps({ digest, to: wish.to, ...old }),
    }),
  );
  const proving = cluster.nodes.map(
    ({ name }, index): PlanProgram => ({
      cluster: cluster.name,
      node: name,
      steps: [...provingSteps(wish.to), ...(index === 0 ? [jobsStep(settings.awaitJobsMs)] : [])],
    }),
  );
  return [
    { kind: "preflight", id: "stage-package", programs: staging },
    ...nodes.map((node, index) => nodeStage(input, node, { ...journey, isFirst: index === 0 })),
    { kind: "finish", id: "finish", programs: proving, gates: [lastGate(input, nodes, from)] },
  ];
}

/** All at the new version; a skipped node may be as it was, and no other. */
function lastGate(input: PlaybookInput, nodes: readonly NodeEntry[], from: string): GateSpec {
  const { cluster, reports, wish } = input;
  const ofSkipped = nodes.map((node) => {
    const versions = `${runningVersion(fullOf(reports[node.name])) ?? from},${wish.to}`;
    return [node.name, { [versionsAt(sqlAddress(input, node))]: versions }] as const;
  });
  return { ...healthy(cluster, wish.to, 0), ofSkipped: Object.fromEntries(ofSkipped) };
}

function nodeStage(
  input: PlaybookInput,
  node: NodeEntry,
  { from, digest, settings, isFirst }: Journey & { readonly isFirst: boolean },
): NodeStage {
  const { cluster, wish } = input;
  const versions = `${from},${wish.to}`;
  const peers = cluster.nodes.filter(({ name }) => name !== node.name).map((peer) => sqlAddress(input, peer));
  const program: PlanProgram = {
    cluster: cluster.name,
    node: node.name,
    steps: nodeSteps({
      from,
      to: wish.to,
      digest,
      node: node.name,
      peers,
      archivesData: settings.archiveData,
    }),
  };
  const own = runningVersion(fullOf(input.reports[node.name])) ?? from;
  const { everyMs, limitMs } = cluster.gates;
  const upgraded: GateSpec = {
    gate: "kwdb.node-upgraded",
    cluster: cluster.name,
    args: { node: node.name, version: wish.to, address: sqlAddress(input, node) },
    everyMs,
    dwellMs: 0,
    limitMs,
  };
  return {
    kind: "node",
    id: `node-${node.name}`,
    cluster: cluster.name,
    node: node.name,
    ...(own === from ? {} : { from: own }),
    // the dwell before the next node is the one after the last
    before: [healthy(cluster, versions, isFirst ? cluster.gates.dwellMs : 0)],
    program,
    after: [upgraded, healthy(cluster, versions, cluster.gates.dwellMs)],
  };
}

function healthy(cluster: ClusterEntry, versions: string, dwellMs: number): GateSpec {
  const { everyMs, limitMs } = cluster.gates;
  return {
    gate: "kwdb.cluster-healthy",
    cluster: cluster.name,
    args: { versions, nodes: String(cluster.nodes.length) },
    everyMs,
    dwellMs,
    limitMs,
  };
}
