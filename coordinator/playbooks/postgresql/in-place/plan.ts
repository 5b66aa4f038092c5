/**
 * The plan of an upgrade in place: look, prepare while the old server serves, wait for a person, then in one go close, stop, upgrade,
 * prove and open; soak; and at the end the old data goes, where the cluster's settings say so.
 */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterStage, FinishStage, GateSpec, Plan, WaitStage } from "../../../domain/plan.ts";
import { planFormat } from "../../../domain/plan.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { gate, on, phase, proveServer } from "../move.ts";
import { hour, minute } from "../step.ts";
import * as shared from "../steps.ts";
import { checkInPlace } from "./checks.ts";
import { fingerprintInPlace } from "./fingerprint.ts";
import * as steps from "./steps.ts";
import { type InPlace, inPlaceMethod, inPlaceOf } from "./upgrade.ts";

const day = 24 * hour;

export function planInPlace(input: PlaybookInput): Outcome<Plan> {
  const found = inPlaceOf(input);
  if (!found.ok) return found;
  const plan = found.value;
  const { upgradeMode } = plan.settings;
  const isLink = upgradeMode === "link";
  const checks = checkInPlace(input);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    clusters: [input.cluster.name],
    from: plan.endpoint.major,
    to: plan.to,
    strategy: "offline",
    method: inPlaceMethod,
    boundTo: fingerprintInPlace(input),
    stages: [
      {
        kind: "preflight",
        id: "look",
        programs: [on(plan.endpoint, proveServer(plan.endpoint), steps.provePlace(plan))],
      },
      prepare(plan),
      ready(plan),
      upgrade(plan),
      soak(plan),
      retire(plan),
      finish(plan),
    ],
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    standsAfterAbort: true,
    pointOfNoReturn: `upgrade/open/${isLink ? "start-new" : "open-writes"}`,
    wayBack: [
      "way-back.postgresql.in-place-before",
      isLink ? "way-back.postgresql.in-place-linked" : "way-back.postgresql.in-place-copied",
    ],
    warnings: [
      "warning.postgresql.in-place-downtime",
      ...(isLink ? ["warning.postgresql.in-place-link"] : []),
      "warning.postgresql.in-place-identity",
    ],
  });
}

function stage(
  plan: InPlace,
  id: string,
  more: Pick<ClusterStage, "before" | "phases" | "waysOnFailure" | "endsWayBack">,
): ClusterStage {
  return { kind: "cluster", id, clusters: [plan.endpoint.input.cluster.name], ...more };
}

/** By its version, and by not being the old one: which identifier it has is known only when it is made. */
export function servesAs(
  { endpoint, to }: InPlace,
  limits: Partial<Pick<GateSpec, "dwellMs" | "limitMs">> = {},
): GateSpec {
  return gate("serves-as", endpoint, { version: to, not: endpoint.systemId }, limits);
}

/** Nothing of this is seen by anybody who uses the old server. */
function prepare(plan: InPlace): ClusterStage {
  const { endpoint, place } = plan;
  return stage(plan, "prepare", {
    before: [gate("serves", endpoint, {})],
    phases: [
      phase("make", [
        on(
          endpoint,
          proveServer(endpoint),
          steps.provePlace(plan),
          steps.mask(place, "new"),
          steps.makeData(plan, "make-data"),
          steps.carryConfiguration("carry-configuration"),
          steps.tryUpgrade(plan),
        ),
      ]),
    ],
    waysOnFailure: ["way.postgresql.again", "way.postgresql.in-place-gone"],
  });
}

function ready({ endpoint }: InPlace): WaitStage {
  return {
    kind: "wait",
    id: "ready",
    gates: [gate("serves", endpoint, {})],
    watches: [],
    approval: { question: "ask.postgresql.in-place-now", mayAnswer: "operator" },
    limitMs: 30 * day,
  };
}

/** Phases, so that whoever goes on after a failure does not ask a server that stands still. */
function upgrade(plan: InPlace): ClusterStage {
  const { endpoint, place, databases } = plan;
  return stage(plan, "upgrade", {
    ...(plan.settings.upgradeMode === "link" ? { endsWayBack: "passed" as const } : {}),
    before: [gate("serves", endpoint, {})],
    phases: [
      phase("close", [
        on(
          endpoint,
          proveServer(endpoint),
          steps.provePlace(plan),
          steps.tryUpgrade(plan),
          shared.hook("pausePooler", { undo: "resumePooler" }),
          { ...shared.close("close"), service: "goes" },
          shared.proveFenced(),
          steps.measureOwn(plan),
          shared.proveFenced("prove-fenced-still"),
        ),
      ]),
      phase("stop", [
        on(endpoint, steps.stopServer(place, "old"), steps.mask(place, "old"), steps.proveStopped(plan)),
      ]),
      phase("swap", [
        on(
          endpoint,
          steps.makeData(plan, "make-data-fresh"),
          steps.carryConfiguration("carry-configuration-again"),
          steps.runUpgrade(plan),
          steps.proveUpgraded(plan),
        ),
      ]),
      phase(
        "open",
        [
          on(
            endpoint,
            steps.startNew(plan),
            steps.proveSuccessor(plan),
            steps.compareOwn(plan),
            steps.openSuccessor,
            shared.hook("resumePooler"),
          ),
        ],
        { after: [servesAs(plan)] },
      ),
      phase("settle", [on(endpoint, steps.listExtensionUpdates(plan), shared.analyze(databases))]),
    ],
    waysOnFailure: [
      "way.postgresql.again",
      ...(plan.settings.upgradeMode === "link"
        ? ["way.postgresql.in-place-unstarted", "way.postgresql.in-place-linked"]
        : ["way.postgresql.in-place-undone", "way.postgresql.in-place-back"]),
    ],
  });
}

function soak(plan: InPlace): WaitStage {
  return {
    kind: "wait",
    id: "soak",
    gates: [servesAs(plan)],
    watches: [],
    approval: {
      question:
        plan.settings.oldData === "remove"
          ? "ask.postgresql.in-place-remove"
          : "ask.postgresql.in-place-keep",
      mayAnswer: "data-owner",
    },
    limitMs: 90 * day,
  };
}

/** The mask of the old unit stays: its data is as old as the stop. */
function retire(plan: InPlace): ClusterStage {
  const { endpoint, settings } = plan;
  return stage(plan, "retire", {
    endsWayBack: "begun",
    before: [servesAs(plan)],
    phases: [
      phase("clear", [
        on(
          endpoint,
          steps.proveSuccessor(plan),
          ...(settings.oldData === "remove" ? [steps.removeOldData(plan)] : []),
          steps.clearWork(plan),
          shared.forget(),
        ),
      ]),
    ],
    waysOnFailure: ["way.postgresql.again"],
  });
}

function finish(plan: InPlace): FinishStage {
  return {
    kind: "finish",
    id: "finish",
    programs: [],
    gates: [servesAs(plan, { dwellMs: 0, limitMs: 5 * minute })],
  };
}
