/**
 * A plan: ordered stages, printable before anything runs. A plan is never executed from its file: apply
 * makes it anew from the coordinator's own facts and compares digests; a difference is drift.
 */
import type { Failure, FailureCode } from "#proto/common/failure.ts";
import type { CheckResult } from "./check.ts";

export const planFormat = 1;

export type StepClass = "observe" | "reversible" | "irreversible";

export interface Call {
  readonly verb: string;
  readonly args: Readonly<Record<string, string>>;
}

export interface PlanStep {
  readonly id: string;
  readonly call: Call;
  readonly class: StepClass;
  readonly deadlineMs: number;
  readonly onDeadline: "end" | "observe";
  /** The node may be left as it stands after this step. */
  readonly mayStopAfter: boolean;
  readonly undo?: Call;
  /**
   * Code of a failure of this observing step that a person may answer for, once it has stopped: what the stop has told as `found` is then
   * its argument `answered`.
   */
  readonly answeredBy?: FailureCode;
  /** The node serves nobody from this step's beginning (`goes`), and does again when this one is done (`is-back`). */
  readonly service?: "goes" | "is-back";
  /** Present: the step is a hold and is undone by its agent after this long unless made permanent. */
  readonly holdLimitMs?: number;
  /** The command a person would type for it; shown, never run. */
  readonly shownAs: string;
}

/** All steps for one node in one stage or phase. */
export interface PlanProgram {
  readonly cluster: string;
  readonly node: string;
  readonly steps: readonly PlanStep[];
}

/** A named gate of the playbook with its parameters; sampled every `everyMs`, green for `dwellMs` in a row. */
export interface GateSpec {
  readonly gate: string;
  readonly cluster: string;
  readonly args: Readonly<Record<string, string>>;
  readonly everyMs: number;
  readonly dwellMs: number;
  /** The wait ends in a failure when it is not green by then. */
  readonly limitMs: number;
  /** By node: put over `args` where a person has had that node skipped. */
  readonly ofSkipped?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface WatchSpec {
  readonly id: string;
  readonly cluster: string;
  readonly node: string;
  readonly probe: Call;
  readonly warnAt: number;
  readonly reactAt: number;
  readonly reaction: Call;
  readonly everyMs: number;
  /** Code of what it means that it has reacted; absent: `watch.reacted`. */
  readonly reactionMeans?: FailureCode;
  /** Id of a later wait: the watch stands up to its end, through every stage between. Absent: up to the end of its own. */
  readonly until?: string;
  /** After its reaction it measures on, and so does the rollout: each reaction that went well is told, one that fails stops it. */
  readonly goesOn?: true;
}

interface StageBase {
  /** Unique within the plan, for example `node-db1`. */
  readonly id: string;
}

/** Parallel, read-only, staging into the agents' own folders included; no lock. */
export interface PreflightStage extends StageBase {
  readonly kind: "preflight";
  readonly programs: readonly PlanProgram[];
}

/** Exclusive: one node, under the cluster's lock. */
export interface NodeStage extends StageBase {
  readonly kind: "node";
  readonly cluster: string;
  readonly node: string;
  /** Its version before, where that is not the plan's own. */
  readonly from?: string;
  readonly before: readonly GateSpec[];
  readonly program: PlanProgram;
  readonly after: readonly GateSpec[];
}

/** One program per node, all at once or one by one, within a cluster stage's lock. */
export interface Phase {
  readonly id: string;
  readonly order: "parallel" | "one-by-one";
  readonly programs: readonly PlanProgram[];
  readonly after: readonly GateSpec[];
  /**
   * Holds of earlier phases, as `stage/phase/step`, that must be made permanent before this phase begins; one that
   * its agent has undone already stops the stage.
   */
  readonly makesPermanent?: readonly string[];
}

/** One lock of cluster scope on each named cluster, over all phases. */
export interface ClusterStage extends StageBase {
  readonly kind: "cluster";
  readonly clusters: readonly string[];
  /** The one node whose tool changes all the others. */
  readonly driver?: string;
  /** All nodes that may be touched under this lock; absent: those that have a program. With a driver: all of them. */
  readonly touches?: readonly string[];
  readonly before: readonly GateSpec[];
  readonly phases: readonly Phase[];
  /**
   * From when on nothing leads back. `begun`: it takes away what a way back needs; once it has changed anything it is not
   * aborted, but gone on with.
   */
  readonly endsWayBack?: "begun" | "passed";
  /** What follows when a phase fails, said beforehand: codes of the ways (`way.go-on-with-node`, …). */
  readonly waysOnFailure: readonly string[];
}

/** Waits for gates, watches or a person, never holding the lock. */
export interface WaitStage extends StageBase {
  readonly kind: "wait";
  readonly gates: readonly GateSpec[];
  readonly watches: readonly WatchSpec[];
  readonly approval?: { readonly question: string; readonly mayAnswer: string };
  /** An approval is not taken before this long after the wait has begun. */
  readonly notBeforeMs?: number;
  /** How long a person's answer is waited for; then the rollout stops. */
  readonly limitMs: number;
  readonly mendedBy?: Mending;
}

/** What a wait need not stop for: its gates say one of these codes, an earlier stage is run again, and the wait goes on as it stood. */
export interface Mending {
  /** Id of an earlier cluster stage without a hold and without a point of no return. */
  readonly stage: string;
  readonly codes: readonly string[];
  /** How often, since the start or the last order of a person to go on; then the rollout stops at the code. */
  readonly most: number;
}

/** Read-only programs and the last gates. */
export interface FinishStage extends StageBase {
  readonly kind: "finish";
  readonly programs: readonly PlanProgram[];
  readonly gates: readonly GateSpec[];
}

export type Stage = PreflightStage | NodeStage | ClusterStage | WaitStage | FinishStage;

export interface Plan {
  readonly format: typeof planFormat;
  /** sha256 over the canonical JSON of everything else; see digest.ts. */
  readonly digest: string;
  readonly engine: string;
  readonly clusters: readonly string[];
  readonly from: string;
  readonly to: string;
  /** `move`: another cluster takes the data over, and the old one goes. */
  readonly strategy: "rolling" | "offline" | "move";
  readonly method: string;
  readonly artefact?: { readonly digest: string; readonly name: string };
  /** What the plan was made from, field by field; compared before apply and before each grant. */
  readonly boundTo: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
  /** Checks as they stood when the plan was made; facts that change by the minute are gates instead. */
  readonly checks: readonly CheckResult[];
  /** Check ids that need a person's word before apply. */
  readonly asks: readonly string[];
  /** `stage/step` after which there is no way back in place; absent when there is none. */
  readonly pointOfNoReturn?: string;
  /** Codes of the way back before and after the point of no return. */
  readonly wayBack: readonly string[];
  /** Codes of warnings that a person should read before saying yes. */
  readonly warnings: readonly string[];
  /** What its passed stages have made is undone by the plan that goes back from it, and by no abort. */
  readonly standsAfterAbort?: true;
  /** The rollout that this plan goes back from: apply takes its clusters over from it. */
  readonly back?: string;
  /** What a person has named for a plan that mends left-overs, by name; such a plan goes to no other version. */
  readonly mend?: Readonly<Record<string, string>>;
  /** What was found on the nodes and what follows from it, for reading. */
  readonly findings?: readonly Failure[];
}
