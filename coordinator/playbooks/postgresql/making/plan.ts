/** The plan that makes a new server: look and fetch the configuration, then make, configure, start and prove it; no row is touched. */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterStage, FinishStage, GateSpec, Plan, PreflightStage } from "../../../domain/plan.ts";
import { planFormat } from "../../../domain/plan.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { gate, on, phase, proveServer } from "../move.ts";
import { addedToMake } from "../packages/made.ts";
import { minute } from "../step.ts";
import { checkMaking } from "./checks.ts";
import { fingerprintMaking } from "./fingerprint.ts";
import { type Making, makingMethod, makingOf } from "./making.ts";
import * as steps from "./steps.ts";

export function planMaking(input: PlaybookInput): Outcome<Plan> {
  const found = makingOf(input);
  if (!found.ok) return found;
  const making = found.value;
  const checks = checkMaking(input);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    standsAfterAbort: true,
    clusters: [input.cluster.name, making.target.input.cluster.name],
    from: making.source.major,
    to: making.to,
    strategy: "move",
    method: makingMethod,
    boundTo: fingerprintMaking(input),
    stages: [look(making), make(making), finish(making)],
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    wayBack: ["way-back.postgresql.made"],
    warnings: ["warning.postgresql.made-open"],
  });
}

/** The configuration goes along as it stands now; a retry of the next stage takes it as it was sent. */
function look(making: Making): PreflightStage {
  const { source, target } = making;
  return {
    kind: "preflight",
    id: "look",
    programs: [
      on(source, proveServer(source), steps.sendConfiguration),
      // programs that are to come cannot be asked yet
      ...(making.place.isToCome ? [] : [on(target, steps.proveFree(making))]),
    ],
  };
}

/** Only the new cluster is locked: the old server was asked, and has nothing to do with it any more. */
function make(making: Making): ClusterStage {
  const { source, target, tablespaces } = making;
  const hasSpaces = tablespaces.length > 0;
  return {
    kind: "cluster",
    id: "make",
    clusters: [target.input.cluster.name],
    before: [gate("serves", source, {})],
    phases: [
      ...addedToMake(making),
      phase("files", [
        on(
          target,
          steps.proveFree(making),
          steps.makeData(making),
          steps.takeConfiguration(making),
          ...(hasSpaces ? [steps.makeTablespaceFolders(making)] : []),
        ),
      ]),
      phase(
        "start",
        [
          on(
            target,
            steps.startServer(making),
            ...(hasSpaces ? [steps.makeTablespaces(making)] : []),
            steps.proveMade(making),
          ),
        ],
        { after: [servesAs(making)] },
      ),
    ],
    waysOnFailure: ["way.postgresql.again", "way.postgresql.made-undone"],
  };
}

/** Its identifier is known only when it is made; that it is not the old one's is known now. */
function servesAs(
  { source, target, to }: Making,
  limits: Partial<Pick<GateSpec, "dwellMs" | "limitMs">> = {},
): GateSpec {
  return gate("serves-as", target, { version: to, not: source.systemId }, limits);
}

function finish(making: Making): FinishStage {
  return {
    kind: "finish",
    id: "finish",
    programs: [],
    gates: [servesAs(making, { dwellMs: 0, limitMs: 5 * minute })],
  };
}
