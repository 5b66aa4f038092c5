/**
 * The events of a rollout: the only memory the coordinator has of it. Written once, folded into state by
 * reduce.ts, read for ever. Names are in the past tense; a new kind of event is a new member here.
 */
import type { Facts, Failure } from "#proto/common/failure.ts";
import type { CheckResult, Word } from "../check.ts";
import type { LockScope } from "../lock.ts";
import type { Plan } from "../plan.ts";

export const eventFormat = 1;

export type StepPhase =
  | "started"
  | "progress"
  | "done"
  | "found-done"
  | "failed"
  | "unknown"
  | "undone"
  | "undo-failed";

export type ProgramOutcome = "done" | "failed" | "unknown" | "stopped" | "never-begun";

export interface RolloutOptions {
  readonly stopAfterNodes?: number;
  readonly approveEach: boolean;
}

/** Where a node's agent said it: the coordinator's resend filter. */
interface JournalPlace {
  readonly node: string;
  /** The memory that has counted; absent in events of before it was written. */
  readonly stateId?: string;
  readonly agentSequence: number;
}

interface FromAgent extends JournalPlace {
  readonly stage: string;
  readonly attempt: number;
}

export type RolloutFact =
  | {
      readonly kind: "rollout-started";
      readonly plan: Plan;
      readonly by: string;
      readonly options: RolloutOptions;
      readonly words: readonly Word[];
    }
  | { readonly kind: "stage-started"; readonly stage: string; readonly attempt: number }
  /** In a wait also of one that has passed: it is taken anew. */
  | {
      readonly kind: "gate-waited";
      readonly stage: string;
      readonly gate: string;
      readonly when: GateMoment;
      readonly why: Failure;
      readonly isForPerson?: true;
    }
  | {
      readonly kind: "gate-passed";
      readonly stage: string;
      readonly gate: string;
      /** Absent in events of before it was written. */
      readonly cluster?: string;
      readonly when: GateMoment;
      readonly dwellMs: number;
      readonly lastSampleAt: string;
    }
  | {
      readonly kind: "gate-failed";
      readonly stage: string;
      readonly gate: string;
      readonly when: GateMoment;
      readonly why: Failure;
      readonly hint: string;
    }
  | {
      readonly kind: "granted";
      readonly stage: string;
      readonly clusters: readonly string[];
      readonly nodes: readonly string[];
      readonly scope: LockScope;
      readonly epochs: Readonly<Record<string, number>>;
      readonly nonce: string;
    }
  | { readonly kind: "announced"; readonly stage: string; readonly nonce: string }
  | { readonly kind: "withdrawn"; readonly stage: string; readonly nonce: string; readonly why: Failure }
  | {
      readonly kind: "program-sent";
      readonly stage: string;
      readonly phase?: string;
      readonly node: string;
      readonly attempt: number;
      readonly epoch: number;
    }
  | {
      readonly kind: "program-refused";
      readonly stage: string;
      readonly node: string;
      readonly attempt: number;
      readonly why: Failure;
    }
  | { readonly kind: "entered"; readonly stage: string; readonly node: string; readonly epoch: number }
  | ({
      readonly kind: "step";
      readonly step: string;
      readonly phase: StepPhase;
      readonly measuredAt: string;
      readonly elapsedMs: number;
      readonly failure?: Failure;
      readonly outputs: Facts;
      readonly tail: string;
      readonly runner: string;
    } & FromAgent)
  | ({
      readonly kind: "program-ended";
      readonly epoch: number;
      readonly outcome: ProgramOutcome;
      readonly step: string;
      readonly failure?: Failure;
    } & FromAgent)
  /** An ended program is asked to undo what it has done: its next end says how that went. */
  | {
      readonly kind: "undo-asked";
      readonly stage: string;
      readonly node: string;
      readonly attempt: number;
    }
  | { readonly kind: "phase-passed"; readonly stage: string; readonly phase: string }
  | { readonly kind: "freed"; readonly stage: string; readonly nonce: string }
  | { readonly kind: "stage-passed"; readonly stage: string }
  | {
      readonly kind: "snapshot-taken";
      readonly stage: string;
      readonly snapshot: string;
      readonly when: "before" | "after";
    }
  | { readonly kind: "checks-judged"; readonly stage: string; readonly blocking: readonly CheckResult[] }
  | {
      readonly kind: "drift-found";
      readonly stage: string;
      readonly fields: readonly {
        readonly field: string;
        readonly planned: string;
        readonly found: string;
      }[];
    }
  | ({
      readonly kind: "watch-fired";
      readonly watch: string;
      readonly measured: number;
      readonly reacted: boolean;
      readonly failure?: Failure;
      /** It has reacted and measures on; what its reaction has told. */
      readonly goesOn?: true;
      readonly outputs?: Facts;
    } & JournalPlace)
  | { readonly kind: "wait-over"; readonly stage: string }
  /** A stage that had passed is run once more, since it mends what a wait further on cannot go on for. */
  | {
      readonly kind: "stage-reopened";
      readonly stage: string;
      /** Id of that wait. */
      readonly by: string;
      readonly why: Failure;
    }
  | ({
      readonly kind: "watch-answered";
      readonly watch: string;
      readonly armed: boolean;
    } & JournalPlace)
  | ({
      readonly kind: "hold-made-permanent";
      /** Its name on the wire. */
      readonly stage: string;
      readonly step: string;
      readonly madePermanent: boolean;
      readonly refusal?: Failure;
    } & JournalPlace)
  | { readonly kind: "waited"; readonly stage: string; readonly why: Failure }
  | {
      readonly kind: "stopped";
      readonly stage: string;
      readonly node?: string;
      readonly why: Failure;
      readonly hint: string;
    }
  | { readonly kind: "paused"; readonly by: string; readonly reason: string }
  | { readonly kind: "resumed"; readonly by: string; readonly words: readonly Word[] }
  | {
      readonly kind: "abort-asked";
      readonly by: string;
      readonly reason: string;
      /** Digest of the plan that goes back from this rollout: it is left as it stands, for that plan to mend. */
      readonly leftTo?: string;
      /** The cluster whose servers are gone for good, by the word of who applies that plan: nobody is asked there. */
      readonly gone?: string;
    }
  | { readonly kind: "aborted" }
  | { readonly kind: "approved"; readonly stage: string; readonly by: string; readonly reason: string }
  | {
      readonly kind: "retried";
      readonly stage: string;
      readonly node: string;
      readonly by: string;
      readonly words: readonly Word[];
    }
  | { readonly kind: "skipped"; readonly node: string; readonly by: string; readonly reason: string }
  | {
      readonly kind: "lock-broken";
      readonly cluster: string;
      /** When it was broken, as its record says; absent in events of before it was written. */
      readonly brokenAt?: string;
      readonly nodes: readonly string[];
      readonly by: string;
      readonly reason: string;
      readonly reached: boolean;
    }
  | { readonly kind: "taken-over"; readonly coordinator: string }
  | { readonly kind: "finished"; readonly notSeen: readonly Failure[] };

/** `again`: in a wait, after a person's yes; it has passed `before` that. */
export type GateMoment = "before" | "after" | "again";

export interface RolloutEvent {
  readonly format: typeof eventFormat;
  readonly rollout: string;
  /** Position in the rollout's log, from 1, without holes. */
  readonly sequence: number;
  /** ISO 8601, the coordinator's clock. */
  readonly at: string;
  readonly fact: RolloutFact;
}

/** What an agent has journalled and told. */
export type ToldFact = Extract<RolloutFact, { readonly agentSequence: number }>;
