/** The steps of KWDB's programs, with the command a person would type for each. */
import type { Container, Form, KwdbArchiveKind, KwdbStart } from "#proto/engines/kwdb.ts";
import type { PlanStep } from "../../domain/plan.ts";
import { archiveSteps } from "./archive-steps.ts";
import { minute, step } from "./step.ts";
import type { StepSet } from "./step-set.ts";
import type { Raise } from "./store-dead.ts";
import { putBackStep, raiseSteps } from "./store-dead-steps.ts";

export interface Staging {
  readonly to: string;
  readonly digest: string;
  /** An image of a registry, by its digest, in a package's place. */
  readonly reference?: string;
  /** An image that the engine has already, by its id, and what it is called where it is used. */
  readonly present?: { readonly image: string; readonly name: string };
  /** The package that runs now, where it is to be kept. */
  readonly old?: { readonly digest: string; readonly version: string };
}

/** Into the agent's own folder only; nothing of the database is touched. */
export function stagingSteps({ to, digest, old }: Staging): readonly PlanStep[] {
  return [
    ...(old === undefined ? [] : keepingSteps(old)),
    step(
      "stage-package",
      { digest, version: to },
      `fetch sha256:${digest.slice(0, 12)}… and unpack it into the agent's folder`,
      { deadlineMs: 60 * minute },
    ),
    step(
      "prove-package",
      { digest, version: to, extended: "" },
      "packages/.version, package names, architecture, dpkg --dry-run -i, free space",
      { deadlineMs: 5 * minute },
    ),
  ];
}

export function keepingSteps({ digest, version }: NonNullable<Staging["old"]>): readonly PlanStep[] {
  return [
    step(
      "stage-old-package",
      { digest, version },
      `fetch sha256:${digest.slice(0, 12)}…, the package of ${version}, and keep it in the agent's folder`,
      { verb: "stage-package", deadlineMs: 60 * minute },
    ),
    step(
      "prove-kept",
      { digest, version },
      "of the package that is kept: packages/.version, package names, architecture, dpkg --dry-run -i, free space",
      { deadlineMs: 5 * minute },
    ),
  ];
}

export interface Journey extends Staging {
  readonly from: string;
  readonly node: string;
  /** SQL addresses of all the others. */
  readonly peers: readonly string[];
  /** Of all the others: where each says whether it is ready. */
  readonly pages: readonly string[];
  /** Absent where the cluster's entry does not ask for it. */
  readonly archives?: KwdbArchiveKind;
  readonly cluster: string;
  /** Where a node is away for longer than the cluster waits for it. */
  readonly raise?: Raise;
  readonly form: Form;
  /** Of a node in a container. */
  readonly container?: string;
  readonly composeFile?: string;
  readonly repeats?: NonNullable<Container["repeats"]>;
  /** Of a build from source. */
  readonly program?: Pick<KwdbStart, "unit" | "argv" | "cwd"> & { readonly folder: string };
}

const drainWaitMs = 10 * minute;

export const drainStep = step(
  "drain",
  { waitMs: String(drainWaitMs) },
  `kwbase node drain --drain-wait=${drainWaitMs / minute}m`,
  {
    class: "reversible",
    deadlineMs: drainWaitMs + minute,
    service: "goes",
    undo: { verb: "kwdb.restart", args: {} },
  },
);

/** The documented order for one node, from the last look to the proof that it is back. */
export function nodeSteps(set: StepSet, journey: Journey): readonly PlanStep[] {
  return [
    ...set.look(journey),
    ...raiseSteps(journey),
    drainStep,
    ...set.stop(journey),
    ...archiveSteps(journey),
    ...set.change(journey),
    ...set.start(journey),
    ...readySteps(journey),
    ...(journey.raise === undefined ? [] : [putBackStep]),
  ];
}

/** The last look at the cluster from this node, and what the way back needs. */
export function lookSteps({ from, to, digest, node, peers, pages }: Journey): readonly PlanStep[] {
  return [
    step(
      "look-around",
      { version: from, target: to, peers: peers.join(","), pages: pages.join(",") },
      "kwbase node status; replica health, seen from this node",
      { deadlineMs: 2 * minute },
    ),
    step("prove-digest", { digest }, "sha256sum of the staged package", { deadlineMs: 10 * minute }),
    step(
      "save-configuration",
      { label: `${node}-${from}-to-${to}` },
      "copy /etc/kaiwudb and kaiwudb.service into the agent's folder",
      { deadlineMs: 2 * minute },
    ),
  ];
}

export const stopSteps: readonly PlanStep[] = [
  step("stop", {}, "systemctl stop kaiwudb", {
    class: "reversible",
    deadlineMs: 3 * minute,
    service: "goes",
    undo: { verb: "kwdb.start", args: {} },
  }),
  step("prove-stopped", {}, "MainPID 0, no process of the database left, port closed", {
    deadlineMs: minute,
    mayStopAfter: false,
  }),
];

export function changeSteps({ node, from, to, digest }: Journey): readonly PlanStep[] {
  return [
    step("upgrade-package", { digest, version: to }, "./deploy.sh upgrade -l", {
      class: "irreversible",
      deadlineMs: 15 * minute,
      onDeadline: "observe",
    }),
    step("prove-files", { version: to }, "/etc/kaiwudb/info/.version and kwbase version", {
      deadlineMs: minute,
      mayStopAfter: false,
    }),
    step(
      "prove-configuration",
      { label: `${node}-${from}-to-${to}` },
      "diff of /etc/kaiwudb and kaiwudb.service with what was saved",
      { deadlineMs: minute, mayStopAfter: false },
    ),
    step("reload-units", {}, "systemctl daemon-reload", { class: "reversible", deadlineMs: minute }),
  ];
}

export const startSteps: readonly PlanStep[] = [
  step("start", {}, "systemctl start kaiwudb", {
    class: "reversible",
    deadlineMs: minute,
    undo: { verb: "kwdb.stop", args: {} },
  }),
];

/** Ready by its own word, and by the word of the others where there are any. */
export function readySteps({ to, peers }: Pick<Journey, "to" | "peers">): readonly PlanStep[] {
  const here = step(
    "prove-ready",
    { version: to, waitMs: String(5 * minute), stableMs: "3000" },
    "GET /health?ready=1 and own row of kwbase node status",
    { deadlineMs: 6 * minute, mayStopAfter: false, service: "is-back" },
  );
  const [peer] = peers;
  if (peer === undefined) return [here];
  return [
    here,
    step(
      "prove-seen",
      { version: to, peers: peers.join(","), waitMs: String(3 * minute) },
      `kwbase node status --host=${peer}`,
      { deadlineMs: 4 * minute },
    ),
  ];
}

/** Asked of one node: jobs are the cluster's. Their result is told and stops nothing. */
export function jobsStep(awaitMs: number): PlanStep {
  return step("report-jobs", { waitMs: String(awaitMs) }, "SHOW JOBS: good runs of COMPRESS and RETENTION", {
    deadlineMs: awaitMs + 2 * minute,
  });
}

export function provingSteps(to: string): readonly PlanStep[] {
  return [step("prove-version", { version: to }, "version of the running process", { deadlineMs: minute })];
}
