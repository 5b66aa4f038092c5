/** A rollout as its events tell it. Built by reduce.ts alone; everything here is known, nothing is assumed. */
import type { Facts, Failure } from "#proto/common/failure.ts";
import type { Word } from "../check.ts";
import type { LockScope } from "../lock.ts";
import type { Plan } from "../plan.ts";
import type { GateMoment, ProgramOutcome, RolloutOptions, StepPhase } from "./event.ts";

/** pending → started → passed; failed and skipped are ends too, until a retry. */
export type StageStanding = "pending" | "started" | "passed" | "failed" | "skipped";

export interface StepState {
  readonly phase: StepPhase;
  readonly outputs: Facts;
}

/** One try of one program on one node. */
export interface ProgramState {
  readonly node: string;
  readonly attempt: number;
  /** Stage name on the wire: the stage's id, or `stage/phase` in a cluster stage. */
  readonly wireStage: string;
  readonly standing: "sent" | "entered" | "ended";
  readonly outcome?: ProgramOutcome;
  readonly failure?: Failure;
  readonly lastStep?: string;
  readonly steps: Readonly<Record<string, StepState>>;
  /** Its node had entered before this was sent: an earlier program may have changed it. */
  readonly nodeWasIn?: boolean;
  /** An abort has asked for what it has done to be undone: sequence of that event. */
  readonly undoAsked?: number;
}

/** A step that changes something and that this rollout has begun. */
export interface BegunStep {
  readonly wireStage: string;
  readonly node: string;
  readonly step: string;
  /** When that was told first. */
  readonly at: string;
  readonly undone: boolean;
}

/** A watch that has done more than warn. */
export interface FiredWatch {
  readonly watch: string;
  readonly node: string;
  readonly measured: number;
  readonly reacted: boolean;
  readonly failure?: Failure;
}

export interface StageState {
  readonly id: string;
  readonly standing: StageStanding;
  readonly attempt: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Names of the gates that have passed in this attempt, by moment. */
  readonly gatesPassed: readonly string[];
  readonly gateWaits?: { readonly why: Failure; readonly since: string; readonly isForPerson: boolean };
  readonly phasesPassed: readonly string[];
  /** Newest program per wire stage and node. */
  readonly programs: Readonly<Record<string, ProgramState>>;
  readonly approved: boolean;
  readonly snapshots: readonly ("before" | "after")[];
  readonly checked: boolean;
  /** Grants given back before anything was touched, since the last order of a person. */
  readonly withdrawals: number;
  /** Ids of the watches that their agents have journalled as armed. */
  readonly armed: readonly string[];
  readonly fired: readonly FiredWatch[];
  /** All that a wait stage waits for was there. */
  readonly waitOver: boolean;
  /** In the order of their first begin; kept over every retry. */
  readonly begun: readonly BegunStep[];
  /** Nodes that were in when their lock was broken: what they did then nobody knows. Kept over every retry. */
  readonly lost: readonly string[];
  /** How often a wait has had it run again, since the last order of a person to go on; and what for, the last time. */
  readonly reopened: number;
  readonly reopenedFor?: Failure;
  /** What its earlier runs, and watches of it that measure on, have told for the end. */
  readonly told: readonly Failure[];
}

/** What a stage keeps when it is begun anew. */
export type Kept = Pick<StageState, "begun" | "lost" | "reopened" | "reopenedFor" | "told">;

/** The lock as this rollout knows that it holds it. */
export interface HeldLock {
  readonly stage: string;
  readonly nonce: string;
  readonly epochs: Readonly<Record<string, number>>;
  readonly nodes: readonly string[];
  readonly scope: LockScope;
  readonly announced: boolean;
  readonly entered: readonly string[];
}

export interface StopNote {
  readonly stage: string;
  readonly node?: string;
  readonly why: Failure;
  readonly hint: string;
  readonly at: string;
}

export interface RolloutState {
  readonly id: string;
  readonly plan: Plan;
  readonly by: string;
  readonly startedAt: string;
  readonly options: RolloutOptions;
  /** Sequence of the newest event. */
  readonly sequence: number;
  readonly words: readonly Word[];
  readonly stages: readonly StageState[];
  readonly lock?: HeldLock;
  readonly stop?: StopNote;
  readonly paused?: { readonly by: string; readonly reason: string; readonly at: string };
  readonly aborting: boolean;
  /** A second abort: what stands is left so, and nobody watches it. */
  readonly givenUp?: true;
  /** One more, where a host did not answer to that: it is asked no more. */
  readonly unguarded?: true;
  /** Digest of the plan that goes back from here and takes over what stands. */
  readonly leftTo?: string;
  /** The cluster whose servers are gone for good. */
  readonly gone?: string;
  readonly end?: "done" | "aborted";
  readonly waiting?: { readonly why: Failure; readonly since: string };
  /** Newest journal position per node and state id: what the agent need not send again. */
  readonly agentSequences: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly skipped: readonly string[];
  /** Nodes whose stage has passed since the start or the last resume; counts for --stop-after. */
  readonly nodesSinceResume: number;
  readonly snapshots: readonly {
    readonly when: "before" | "after";
    readonly stage: string;
    readonly id: string;
  }[];
  readonly notSeen: readonly Failure[];
  /** Answers to the wish to keep a hold, by holdKey. */
  readonly holds: Readonly<Record<string, "permanent" | Failure>>;
  /** Programs that were proven and freed, for agents that missed the message. */
  readonly freed: readonly {
    readonly stage: string;
    readonly nonce: string;
    readonly epochs: Readonly<Record<string, number>>;
  }[];
}

/** A gate within a phase's or a stage's list: the same gate may be asked of several clusters. */
export function gateKey(
  when: GateMoment,
  { gate, cluster }: { readonly gate: string; readonly cluster?: string },
): string {
  return `${when}:${gate}${cluster === undefined ? "" : `@${cluster}`}`;
}

export function programKey(wireStage: string, node: string): string {
  return `${wireStage} ${node}`;
}

/** A hold that an earlier program has made; `stage` is the program's stage on the wire. */
export interface HoldRef {
  readonly node: string;
  readonly stage: string;
  readonly step: string;
}

/** The key of positions that were stored without a state id: they count for every memory of their node. */
export const anyMemory = "";

/** An agent that has lost its memory counts from 1 again: each memory is heard from its first event on. */
export function heardUpTo(
  { agentSequences }: Pick<RolloutState, "agentSequences">,
  node: string,
  stateId: string,
): number {
  const told = agentSequences[node] ?? {};
  return Math.max(told[stateId] ?? 0, told[anyMemory] ?? 0);
}

export function holdKey({ node, stage, step }: HoldRef): string {
  return `${stage} ${node} ${step}`;
}

export function stageState(state: RolloutState, id: string): StageState {
  const found = state.stages.find((stage) => stage.id === id);
  if (found === undefined) throw new Error(`no stage ${id} in rollout ${state.id}`);
  return found;
}

/** A stage id as it stands in the plan, from its name on the wire. */
export function stageOfWire(wireStage: string): string {
  return wireStage.split("/")[0] ?? wireStage;
}
