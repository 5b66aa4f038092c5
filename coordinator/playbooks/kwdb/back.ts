/** The plan of a way back: what a rollout has changed, put back to its old version. */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { type Plan, type PreflightStage, planFormat, type Stage } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { Undone } from "../../domain/undone.ts";
import { sqlAddress } from "./address.ts";
import { backChecks, oldPackageOf } from "./back-checks.ts";
import { type Backwards, backNodeByNode, backTogether, evidenceOn, togetherStage } from "./back-stages.ts";
import { provingBackSteps } from "./back-steps.ts";
import { argsOf, backWayOf } from "./back-way.ts";
import { evidenceText } from "./evidence.ts";
import { fingerprint } from "./fingerprint.ts";
import { versionsAt } from "./gates.ts";
import { settingsOf } from "./settings.ts";
import { stepSetOf } from "./step-set.ts";
import { provingSteps } from "./steps.ts";
import { healthy, programOn, type Upgrade } from "./upgrade.ts";

/** Refused: as `backWayOf`; `kwdb.back-no-package`; `kwdb.setting-unreadable`. */
export function planBack(input: PlaybookInput, back: Undone): Outcome<Plan> {
  const { cluster } = input;
  const { from, to } = back.plan;
  const way = backWayOf(input, back);
  if (!way.ok) return way;
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const { nodes } = way.value;
  const { artefact } = input.wish;
  const ofRollout = argsOf(back, nodes[0] ?? "", "prove-kept")?.["digest"];
  const named = artefact?.digest ?? ofRollout ?? settings.value.oldPackage;
  const digest = oldPackageOf(input, { named, version: from, nodes });
  if (digest === undefined) return fail("kwdb.back-no-package", { from, nodes: nodes.join(", ") });
  const old = { digest, version: from };
  const hop: Upgrade = {
    input,
    from: to,
    to: from,
    digest,
    form: "script",
    steps: stepSetOf("script"),
    settings: settings.value,
    way: way.value.strategy,
  };
  const backwards: Backwards = { hop, back, way: way.value, old };
  const checks = backChecks(input, backwards);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "kwdb",
    clusters: [cluster.name],
    from: to,
    to: from,
    strategy: way.value.strategy,
    method: "back",
    back: back.rollout,
    ...(artefact === undefined ? {} : { artefact: { digest: artefact.digest, name: artefact.name } }),
    boundTo: fingerprint(input),
    ...courseOf(backwards),
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    warnings: warningsFor(backwards),
    findings: findingsOf(backwards),
  });
}

function courseOf(backwards: Backwards): Pick<Plan, "stages" | "pointOfNoReturn" | "wayBack"> {
  const { hop, way } = backwards;
  const isTogether =
    way.strategy === "offline" && (hop.input.cluster.nodes.length > 1 || way.data === "archives");
  const changing: readonly Stage[] = isTogether ? [backTogether(backwards)] : backNodeByNode(backwards);
  const first = isTogether ? `${togetherStage}/restore` : (changing[0]?.id ?? "");
  const all = hop.input.cluster.nodes;
  // one that a person has had skipped is left at the new version
  const ofSkipped = way.nodes.map((name) => {
    const address = sqlAddress(hop.input, all.find((node) => node.name === name) ?? { name, address: "" });
    return [name, { [versionsAt(address)]: `${hop.from},${hop.to}` }] as const;
  });
  return {
    stages: [
      proving(backwards),
      ...changing,
      {
        kind: "finish",
        id: "finish",
        programs: all.map((node) => programOn(hop, node, provingSteps(hop.to))),
        // nodes that the rollout has never reached are at the old version too
        gates: [{ ...healthy(hop, hop.to, 0), ofSkipped: Object.fromEntries(ofSkipped) }],
      },
    ],
    pointOfNoReturn: `${first}/restore-package`,
    wayBack: ["way-back.kwdb.back-before", "way-back.kwdb.back-after"],
  };
}

function proving({ hop, back, way, old }: Backwards): PreflightStage {
  const nodes = hop.input.cluster.nodes.filter(
    ({ name }) => way.data === "archives" || way.nodes.includes(name),
  );
  const programs = nodes.map((node) => {
    const changed = way.nodes.includes(node.name) ? old : undefined;
    return programOn(hop, node, provingBackSteps(back, node.name, { old: changed, data: way.data }));
  });
  return { kind: "preflight", id: "prove-way-back", programs };
}

function warningsFor({ way }: Backwards): readonly string[] {
  return [
    way.data === "archives" ? "warning.kwdb.writes-lost" : "warning.kwdb.data-kept",
    ...(way.strategy === "offline" ? ["warning.kwdb.downtime"] : []),
  ];
}

/** Node by node: what was measured, and what will be done about it. */
function findingsOf(backwards: Backwards): readonly Failure[] {
  const { hop, way } = backwards;
  return hop.input.cluster.nodes.flatMap((node) => {
    const evidence = evidenceOn(backwards, node);
    const isChanged = way.nodes.includes(node.name);
    const does = !isChanged
      ? way.data === "archives"
        ? "back.kwdb.data-only"
        : "back.kwdb.untouched"
      : way.data === "archives"
        ? "back.kwdb.package-and-data"
        : "back.kwdb.package";
    const deed = failure(does, { node: node.name, to: hop.to });
    return evidence === undefined ? [deed] : [evidenceText(node.name, evidence), deed];
  });
}
