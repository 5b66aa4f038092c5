/** The plan of a way back: what a rollout has changed, put back to its old version. */
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Form } from "#proto/engines/kwdb.ts";
import {
  type FinishStage,
  type Plan,
  type PreflightStage,
  planFormat,
  type Stage,
} from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { programsOf } from "../../domain/stage-programs.ts";
import type { Undone } from "../../domain/undone.ts";
import { sqlAddress } from "./address.ts";
import { backChecks } from "./back-checks.ts";
import { sourcesOf } from "./back-source.ts";
import {
  type Backwards,
  backNodeByNode,
  backNodeOf,
  backTogether,
  evidenceOn,
  setOf,
} from "./back-stages.ts";
import { provingDataSteps } from "./back-steps.ts";
import { backWayOf } from "./back-way.ts";
import { evidenceText } from "./evidence.ts";
import { fingerprint } from "./fingerprint.ts";
import { formOf } from "./form.ts";
import { versionsAt } from "./gates.ts";
import { settingsOf } from "./settings.ts";
import { stepSetOf } from "./step-set.ts";
import { provingSteps } from "./steps.ts";
import { healthy, programOn, type Upgrade } from "./upgrade.ts";

/** Refused: as `backWayOf`, `formOf` and `sourcesOf`; `kwdb.setting-unreadable`. */
export function planBack(input: PlaybookInput, back: Undone): Outcome<Plan> {
  const { cluster } = input;
  const { artefact } = input.wish;
  const { from, to } = back.plan;
  const way = backWayOf(input, back);
  if (!way.ok) return way;
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const form = formOf(input);
  if (!form.ok) return form;
  const { nodes, strategy } = way.value;
  const sources = sourcesOf(input, { back, form: form.value, nodes, settings: settings.value });
  if (!sources.ok) return sources;
  // what the entry names is what one goes to, not what one goes back to
  const { image: _image, oldPackage: _oldPackage, ...rest } = settings.value;
  const hop: Upgrade = {
    input,
    from: to,
    to: from,
    digest: "",
    form: form.value,
    steps: stepSetOf(form.value),
    settings: rest,
    way: strategy,
  };
  const backwards: Backwards = { hop, back, way: way.value, sources: sources.value };
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
      ...tidying(backwards),
    ],
    ...noReturnOf(changing),
    wayBack: ["way-back.kwdb.back-before", "way-back.kwdb.back-after"],
  };
}

/** Where the first step begins that cannot be undone. */
function noReturnOf(stages: readonly Stage[]): Pick<Plan, "pointOfNoReturn"> {
  for (const stage of stages)
    for (const { wireStage, program } of programsOf(stage)) {
      const step = program.steps.find((each) => each.class === "irreversible");
      if (step !== undefined) return { pointOfNoReturn: `${wireStage}/${step.id}` };
    }
  return {};
}

function proving(backwards: Backwards): PreflightStage {
  const { hop, back, way } = backwards;
  const nodes = hop.input.cluster.nodes.filter(
    ({ name }) => way.data === "archives" || way.nodes.includes(name),
  );
  const programs = nodes.map((node) => {
    const of = backNodeOf(backwards, node);
    const programs = of === undefined ? [] : setOf(backwards).proving(of);
    return programOn(hop, node, [...programs, ...provingDataSteps(back, node.name, way.data)]);
  });
  return { kind: "preflight", id: "prove-way-back", programs };
}

/** What both ways have kept goes only when all is proven at the old version. */
function tidying(backwards: Backwards): readonly FinishStage[] {
  const programs = backwards.hop.input.cluster.nodes
    .map((node) => {
      const of = backNodeOf(backwards, node);
      return programOn(backwards.hop, node, of === undefined ? [] : setOf(backwards).tidy(of));
    })
    .filter(({ steps }) => steps.length > 0);
  return programs.length === 0 ? [] : [{ kind: "finish", id: "tidy", programs, gates: [] }];
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
    const isData = way.data === "archives";
    const does = isChanged
      ? deeds[hop.form][isData ? "withData" : "alone"]
      : isData
        ? "back.kwdb.data-only"
        : "back.kwdb.untouched";
    const deed = failure(does, { node: node.name, to: hop.to });
    return evidence === undefined ? [deed] : [evidenceText(node.name, evidence), deed];
  });
}

const ofImage = { alone: "back.kwdb.image", withData: "back.kwdb.image-and-data" } as const;
const deeds = {
  script: { alone: "back.kwdb.package", withData: "back.kwdb.package-and-data" },
  "compose-service": ofImage,
  compose: ofImage,
  "docker-run": ofImage,
  compiled: { alone: "back.kwdb.build", withData: "back.kwdb.build-and-data" },
} as const satisfies Readonly<Record<Form, Readonly<Record<"alone" | "withData", Failure["code"]>>>>;
