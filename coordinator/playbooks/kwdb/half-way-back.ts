/** The other of the two plans over a half-changed node: the old package put back there, and nothing else touched. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { NodeStage, Plan } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { oldPackageOf } from "./back-checks.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { type HalfWay, putBackMethod } from "./half-way.ts";
import { mayKeepData, puttingBackChecks } from "./half-way-checks.ts";
import { othersHealthy, puttingBackSteps } from "./half-way-steps.ts";
import { puttingBackFindings } from "./half-way-told.ts";
import { settingsOf } from "./settings.ts";
import { stepSetOf } from "./step-set.ts";
import { keepingSteps, provingSteps } from "./steps.ts";
import { healthy, journeyOf, programOn, type Upgrade, upgraded } from "./upgrade.ts";

/** Refused: `kwdb.setting-unreadable`, `kwdb.half-way-other-format`, `kwdb.half-way-no-package`. */
export function planPutBack(input: PlaybookInput, half: HalfWay): Outcome<Plan> {
  const { cluster, wish } = input;
  const { node, was, newer } = half;
  const facts = { cluster: cluster.name, node: node.name, was, newer: newer ?? "none" };
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  if (!mayKeepData(half)) return fail("kwdb.half-way-other-format", facts);
  const named = wish.artefact?.digest ?? settings.value.oldPackage;
  const digest = oldPackageOf(input, { named, version: was, nodes: [node.name] });
  if (digest === undefined) return fail("kwdb.half-way-no-package", facts);
  const checks = puttingBackChecks(input, half, digest);
  const { artefact } = wish;
  const { archiveData: _archives, oldPackage: _oldPackage, image: _image, ...rest } = settings.value;
  const hop: Upgrade = {
    input,
    from: newer ?? was,
    to: was,
    digest,
    form: "script",
    steps: stepSetOf("script"),
    settings: { ...rest, archiveData: false },
    way: "rolling",
  };
  return succeed({
    format: planFormat,
    digest: "",
    engine: "kwdb",
    clusters: [cluster.name],
    from: hop.from,
    to: was,
    strategy: cluster.nodes.length === 1 ? "offline" : "rolling",
    method: putBackMethod,
    ...(artefact === undefined ? {} : { artefact: { digest: artefact.digest, name: artefact.name } }),
    boundTo: fingerprint(input),
    ...courseOf(hop, half),
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    warnings: ["warning.kwdb.data-kept"],
    findings: puttingBackFindings(input, half),
  });
}

function courseOf(hop: Upgrade, half: HalfWay): Pick<Plan, "stages" | "pointOfNoReturn" | "wayBack"> {
  const { node } = half;
  const { input, digest, to } = hop;
  const stage = stageOn(hop, half);
  return {
    stages: [
      {
        kind: "preflight",
        id: "prove-old-package",
        programs: [programOn(hop, node, keepingSteps({ digest, version: to }))],
      },
      stage,
      {
        kind: "finish",
        id: "finish",
        programs: [programOn(hop, node, provingSteps(to))],
        gates: [healthy(hop, versionsOf(input, hop), 0)],
      },
    ],
    pointOfNoReturn: `${stage.id}/restore-package`,
    wayBack: ["way-back.kwdb.back-before", "way-back.kwdb.put-back-after"],
  };
}

function stageOn(hop: Upgrade, half: HalfWay): NodeStage {
  const { input } = hop;
  const { node } = half;
  const { name: cluster, gates } = input.cluster;
  const versions = versionsOf(input, hop);
  return {
    kind: "node",
    id: `back-${node.name}`,
    cluster,
    node: node.name,
    before: othersHealthy(hop, half, { versions, dwellMs: gates.dwellMs }),
    program: programOn(hop, node, puttingBackSteps(hop, half, journeyOf(hop, node))),
    after: [upgraded(hop, node), healthy(hop, versions, gates.dwellMs)],
  };
}

/** The others stay as they are, whichever version each runs. */
function versionsOf({ cluster, reports }: PlaybookInput, { from, to }: Upgrade): string {
  const running = cluster.nodes.flatMap(({ name }) => runningVersion(fullOf(reports[name])) ?? []);
  return [...new Set([to, from, ...running])].sort().join(",");
}
