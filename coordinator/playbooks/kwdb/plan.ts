/**
 * The plan of an upgrade by the vendor's script: the package staged and proven everywhere, then the way that the
 * cluster's topology allows, then the last look.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { FinishStage, Plan, PreflightStage, Stage } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { retentionStep } from "./archive-steps.ts";
import { checkCluster } from "./checks.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { formOf, takesImages } from "./form.ts";
import { versionsAt } from "./gates.ts";
import { halfWayOf, whyNotFinished } from "./half-way.ts";
import { planPutBack } from "./half-way-back.ts";
import { finishingChecks, without } from "./half-way-checks.ts";
import { finishingFindings } from "./half-way-told.ts";
import { oldestVersion } from "./hop.ts";
import { allAtOnce, offlineStage } from "./offline.ts";
import { nodeByNode } from "./rolling.ts";
import { settingsOf } from "./settings.ts";
import { stepSetOf } from "./step-set.ts";
import { jobsStep, provingSteps } from "./steps.ts";
import { raiseOf } from "./store-dead.ts";
import { storeDeadStep } from "./store-dead-steps.ts";
import { healthy, journeyOf, ownVersion, programOn, stagingOf, type Upgrade } from "./upgrade.ts";
import { mayHop } from "./version-policy.ts";
import { wayOf } from "./way.ts";

export function planUpgrade(input: PlaybookInput): Outcome<Plan> {
  const { cluster, wish } = input;
  const half = halfWayOf(input);
  if (half !== undefined && wish.to === half.was) return planPutBack(input, half);
  const way = wayOf(input);
  if (!way.ok) return way;
  if (wish.to === "") return fail("kwdb.target-missing", { cluster: cluster.name });
  const from = half?.was ?? oldestVersion(input);
  if (from === undefined) return whyNoVersion(input);
  const hop = mayHop(from, wish.to);
  if (!hop.may) return { ok: false, failure: hop.why };
  const halfWay = half === undefined ? undefined : whyNotFinished(half, wish.to);
  if (halfWay !== undefined) return { ok: false, failure: halfWay };
  const form = formOf(input);
  if (!form.ok) return form;
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const byImage = settings.value.image !== undefined && takesImages(form.value);
  if (wish.artefact === undefined && !byImage)
    return fail("kwdb.package-missing", { cluster: cluster.name, to: wish.to });
  const artefact = byImage ? undefined : wish.artefact;
  const { strategy } = way.value;
  // where all are stopped, nobody is given up meanwhile
  const raise =
    strategy === "rolling" ? raiseOf(half === undefined ? input : without(input, half)) : undefined;
  const upgrade: Upgrade = {
    input,
    from,
    to: wish.to,
    digest: artefact?.digest ?? "",
    form: form.value,
    steps: stepSetOf(form.value),
    settings: settings.value,
    way: strategy,
    ...(raise === undefined ? {} : { raise }),
    ...(half === undefined ? {} : { half }),
  };
  const checks = half === undefined ? checkCluster(input) : finishingChecks(input, half);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "kwdb",
    clusters: [cluster.name],
    from,
    to: wish.to,
    strategy,
    method: way.value.method,
    ...(artefact === undefined ? {} : { artefact: { digest: artefact.digest, name: artefact.name } }),
    boundTo: fingerprint(input),
    ...courseOf(upgrade),
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    warnings: warningsFor(upgrade),
    ...(half === undefined ? {} : { findings: finishingFindings(input, half) }),
  });
}

/** Its stages, where no way leads back in place any more, and which ways there are. */
function courseOf(upgrade: Upgrade): Pick<Plan, "stages" | "pointOfNoReturn" | "wayBack"> {
  const { input, way, steps } = upgrade;
  const { nodes: all } = input.cluster;
  const nodes = all.filter(
    (node) => runningVersion(fullOf(input.reports[node.name])) !== upgrade.to || !isInstalled(input, node),
  );
  const isWhole = way === "offline" && all.length > 1;
  const changing: readonly Stage[] = isWhole ? [allAtOnce(upgrade, nodes)] : nodeByNode(upgrade, nodes);
  const [first] = changing;
  const at = isWhole ? `${offlineStage}/${steps.noReturn.phase}` : first?.id;
  return {
    stages: [staging(upgrade), ...changing, finish(upgrade, nodes), ...tidying(upgrade, nodes)],
    ...(at === undefined ? {} : { pointOfNoReturn: `${at}/${steps.noReturn.step}` }),
    wayBack: [
      steps.wayBack?.before ?? "way-back.kwdb.before",
      steps.wayBack?.after ?? (way === "rolling" ? "way-back.kwdb.one-node" : "way-back.kwdb.all-stopped"),
      "way-back.kwdb.all",
    ],
  };
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

function warningsFor({ from, to, way, settings, raise }: Upgrade): readonly string[] {
  return [
    "warning.kwdb.no-downgrade",
    way === "offline" ? "warning.kwdb.downtime" : "warning.kwdb.jobs-may-fail",
    ...(way === "rolling" && settings.archiveData ? ["warning.kwdb.no-cluster-backup"] : []),
    ...(raise === undefined ? [] : ["warning.kwdb.store-dead-raised"]),
    ...(from.startsWith("3.0.") && !to.startsWith("3.0.") ? ["warning.kwdb.no-new-raft-log"] : []),
  ];
}

function staging(upgrade: Upgrade): PreflightStage {
  const { input, steps } = upgrade;
  const programs = input.cluster.nodes.map((node) =>
    programOn(upgrade, node, steps.staging(stagingOf(upgrade))),
  );
  return { kind: "preflight", id: "stage-package", programs };
}

/** Nothing of the old goes before the last gate has found all well. */
function tidying(upgrade: Upgrade, nodes: readonly NodeEntry[]): readonly FinishStage[] {
  const { input, settings } = upgrade;
  const keep = settings.keepArchives;
  const retention = ({ name: node }: NodeEntry) =>
    keep === undefined ? [] : [retentionStep({ cluster: input.cluster.name, node, keep: String(keep) })];
  const programs = input.cluster.nodes
    .map((node) =>
      programOn(upgrade, node, [
        ...(nodes.includes(node) ? upgrade.steps.tidy(journeyOf(upgrade, node)) : []),
        ...retention(node),
      ]),
    )
    .filter(({ steps }) => steps.length > 0);
  return programs.length === 0 ? [] : [{ kind: "finish", id: "tidy", programs, gates: [] }];
}

function finish(upgrade: Upgrade, nodes: readonly NodeEntry[]): FinishStage {
  const { input, to, settings, raise } = upgrade;
  const last = input.cluster.nodes.length - 1;
  const programs = input.cluster.nodes.map((node, index) =>
    programOn(upgrade, node, [
      ...provingSteps(to),
      ...(index === 0 ? [jobsStep(settings.awaitJobsMs)] : []),
      // one of the two may be skipped
      ...(raise !== undefined && (index === 0 || index === last) ? [storeDeadStep(raise)] : []),
    ]),
  );
  // all at the new version; a skipped node may be as it was, and no other
  const ofSkipped = nodes.map((node) => {
    const versions = `${ownVersion(upgrade, node)},${to}`;
    return [node.name, { [versionsAt(sqlAddress(input, node))]: versions }] as const;
  });
  const lastGate = { ...healthy(upgrade, to, 0), ofSkipped: Object.fromEntries(ofSkipped) };
  return { kind: "finish", id: "finish", programs, gates: [lastGate] };
}
