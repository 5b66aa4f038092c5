/** The steps of KWDB's programs, with the command a person would type for each. */
import type { Container, Form, KwdbArchiveKind, KwdbStart } from "#proto/engines/kwdb.ts";
import type { Call, PlanStep, StepClass } from "../../domain/plan.ts";
import type { StepSet } from "./step-set.ts";
import { type Raise, storeDead } from "./store-dead.ts";

const second = 1_000;
export const minute = 60 * second;

export interface StepOptions {
  /** Where the step is not called as its verb is. */
  readonly verb?: string;
  readonly class?: StepClass;
  readonly deadlineMs: number;
  readonly onDeadline?: "end" | "observe";
  readonly mayStopAfter?: boolean;
  readonly undo?: Call;
  readonly service?: PlanStep["service"];
}

export function step(id: string, args: Call["args"], shownAs: string, options: StepOptions): PlanStep {
  const { class: stepClass = "observe", deadlineMs, onDeadline = "end", undo, service } = options;
  return {
    id,
    call: { verb: `kwdb.${options.verb ?? id}`, args },
    class: stepClass,
    deadlineMs,
    onDeadline,
    mayStopAfter: options.mayStopAfter ?? stepClass === "observe",
    ...(undo === undefined ? {} : { undo }),
    ...(service === undefined ? {} : { service }),
    shownAs,
  };
}

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
const archiveLimitMs = 4 * 60 * minute;

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

function raiseSteps({ raise }: Journey): readonly PlanStep[] {
  if (raise === undefined) return [];
  return [
    step("raise-store-dead", { ...raise }, `SET CLUSTER SETTING ${storeDead} = '${raise.to}'`, {
      class: "reversible",
      deadlineMs: 5 * minute,
      undo: { verb: "kwdb.put-back-store-dead", args: {} },
    }),
  ];
}

/** The value that was kept, to the letter; where it was never set, it is not set afterwards. */
export const putBackStep = step(
  "put-back-store-dead",
  {},
  `SET CLUSTER SETTING ${storeDead} as it was, or RESET where it was not set`,
  { class: "reversible", deadlineMs: 5 * minute, mayStopAfter: true },
);

/** Asked of one node at the end: a node that was skipped has not put it back. */
export function storeDeadStep({ to, was }: Raise): PlanStep {
  return step("report-store-dead", { to, was }, `SHOW CLUSTER SETTING ${storeDead}`, {
    deadlineMs: 2 * minute,
  });
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

/** None where the cluster's entry does not ask for it. */
export function archiveSteps({ cluster, node, from, to, archives }: Journey): readonly PlanStep[] {
  if (archives === undefined) return [];
  const args = { label: `${node}-${from}-to-${to}`, cluster, node, from, to, kind: archives };
  const options = { deadlineMs: archiveLimitMs, mayStopAfter: false };
  const made =
    "tar --one-file-system of the data folder, into the agent's archiveDir; sha256sum of every file";
  const proven = "tar -x beside the archive; sha256sum of every file; compared with the data folder";
  return [step("archive-data", args, made, options), step("prove-archive", args, proven, options)];
}

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

/** In the agent's archiveDir, and only what says that it is this node's; never one of the present rollout. */
export function retentionStep(args: {
  readonly cluster: string;
  readonly node: string;
  readonly keep: string;
}): PlanStep {
  return step(
    "remove-old-archives",
    args,
    `rm of this node's archives older than its ${args.keep} newest proven ones`,
    { deadlineMs: 30 * minute },
  );
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
