/**
 * What the coordinator shows of itself: the answers of its control service, as plain documents. Views
 * carry codes, facts and instants; tables and sentences are made from them at the command line.
 */
import type { Failure } from "#proto/common/failure.ts";
import type { Word } from "./check.ts";
import type { FollowingView } from "./following.ts";
import type { LockScope } from "./lock.ts";

export interface NodeView {
  readonly name: string;
  readonly address: string;
  readonly attached: boolean;
  /** Milliseconds since its last word; absent when it never spoke to this coordinator. */
  readonly lastWordAgeMs?: number;
  readonly agentVersion?: string;
  /** Version of the running process, or of the version file where nothing runs; "?" when UNKNOWN. */
  readonly version: string;
  /** One word of the playbook: ready, draining, stopped, … or "unknown". */
  readonly state: string;
  readonly findings: readonly Failure[];
  /** Worth knowing, and nothing odd. */
  readonly notes?: readonly Failure[];
}

export interface ClusterView {
  readonly name: string;
  readonly engine: string;
  readonly topology: string;
  readonly deployment: string;
  readonly nodes: readonly NodeView[];
  readonly claim?: { readonly rollout: string; readonly by: string; readonly since: string };
  readonly lock?: LockView;
  readonly freeze?: string;
  readonly wordsInForce: readonly Word[];
  readonly findings: readonly Failure[];
}

/** An agent that dials in under a name that the inventory does not have. */
export interface StrangerView {
  readonly name: string;
  /** The address that it comes from. */
  readonly from: string;
  readonly engine: string;
  readonly agentVersion: string;
  readonly lastWordAgeMs: number;
}

export interface FleetView {
  readonly takenAt: string;
  readonly clusters: readonly ClusterView[];
  /** Absent where one cluster was asked for. */
  readonly strangers?: readonly StrangerView[];
  /** The coordinator listens beyond loopback without certificates: said in every table. */
  readonly insecure: boolean;
}

export interface LockView {
  readonly cluster: string;
  readonly epoch: number;
  readonly state: "free" | "granted" | "entered" | "missing";
  readonly scope: LockScope;
  readonly nodes: readonly string[];
  readonly entered: readonly string[];
  readonly rollout: string;
  readonly stage: string;
  /** The step that the holder last told of. */
  readonly step?: string;
  readonly since: string;
  readonly by: string;
  readonly lastWordAgeMs: Readonly<Record<string, number>>;
  readonly broken?: {
    readonly reason: string;
    readonly by: string;
    readonly at: string;
    readonly nodes: readonly string[];
  };
  /** The command that would move it, when one would. */
  readonly command?: string;
}

export type StageStanding =
  | "pending"
  | "gating"
  | "granted"
  | "running"
  | "judging"
  | "waiting"
  | "passed"
  | "failed"
  | "skipped";

export interface StageView {
  readonly id: string;
  readonly kind: "preflight" | "node" | "cluster" | "wait" | "finish";
  readonly nodes: readonly string[];
  readonly standing: StageStanding;
  readonly attempt: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Newest step per node, with its place among the steps of its program. */
  readonly steps: readonly {
    readonly node: string;
    readonly step: string;
    readonly phase: string;
    readonly number: number;
    readonly of: number;
  }[];
}

export type RolloutPhase = "running" | "waiting" | "paused" | "aborting" | "stopped" | "aborted" | "done";

/** What a rollout has done to the nodes of its plan, as far as their agents have told. */
export interface TouchedView {
  /** Nothing that changes anything was begun there. */
  readonly untouched: readonly string[];
  /** Their newest stage is done and proven. */
  readonly done: readonly string[];
  /** Work was begun there and is not proven: its steps in order, and which of them were undone. */
  readonly begun: readonly {
    readonly node: string;
    readonly steps: readonly string[];
    readonly undone: readonly string[];
    /** Its program has told its end; otherwise it may have gone further. */
    readonly told: boolean;
  }[];
  /** Let in, or within reach of a tool that was begun on another node; what was done there nobody has told. */
  readonly unknown: readonly string[];
  /** A watch has done its prepared reaction there. */
  readonly reacted: readonly { readonly node: string; readonly watch: string }[];
}

export interface StopView {
  readonly stage: string;
  readonly node?: string;
  readonly why: Failure;
  /** Code of a text: what stands now and what goes on from there. */
  readonly hint: string;
  readonly at: string;
  readonly touched: TouchedView;
  /** What to type next. */
  readonly command: string;
  /** The other way, where something was begun that cannot be undone: the way back as a plan. */
  readonly otherwise?: string;
}

export interface RolloutView {
  readonly id: string;
  readonly clusters: readonly string[];
  readonly engine: string;
  readonly from: string;
  readonly to: string;
  readonly strategy: string;
  readonly method: string;
  readonly planDigest: string;
  readonly phase: RolloutPhase;
  readonly startedAt: string;
  readonly by: string;
  readonly lastSequence: number;
  readonly stages: readonly StageView[];
  readonly stop?: StopView;
  /** Of one that was given up: what it has made still stands, and the command that takes it away. */
  readonly leftStanding?: { readonly why: Failure; readonly command: string };
  readonly waitingFor?: { readonly why: Failure; readonly since: string };
  /** The gate that is measured now; absent where a person is waited for. */
  readonly gate?: GateView;
  /** A gate that is not green; beside a person's answer that is waited for, it holds up what that answer does. */
  readonly gateWaits?: { readonly why: Failure; readonly since: string };
  readonly words: readonly Word[];
  readonly snapshots: readonly {
    readonly when: "before" | "after";
    readonly stage: string;
    readonly id: string;
  }[];
  readonly notSeen: readonly Failure[];
  /** Of one that is open: how far its servers follow each other. */
  readonly following?: FollowingView;
  /** What it has mended by itself so far; told in `notSeen` at the end. Absent from a coordinator that does not say so. */
  readonly mended?: readonly Failure[];
}

/** A gate that is being measured: it is through when it was green for `dwellMs` in a row, and refuses after `limitMs`. */
export interface GateView {
  readonly stage: string;
  /** Code of the gate's words, with its arguments. */
  readonly what: Failure;
  readonly everyMs: number;
  readonly dwellMs: number;
  readonly limitMs: number;
}

/** Waiting for what, since when, who can change it, and with which command. */
export interface WhyView {
  readonly subject: string;
  readonly answers: readonly {
    readonly waitingFor: Failure;
    readonly since?: string;
    /** Code of who can change it: `who.nobody-needed`, `who.operator`, `who.host-owner`, … */
    readonly who: string;
    readonly command?: string;
    /** What is behind it, with what to do. */
    readonly because?: Failure;
    /** The gate that is measured. */
    readonly gate?: GateView;
    /** Of a rollout that has stopped. */
    readonly stop?: Pick<StopView, "hint" | "touched" | "otherwise">;
  }[];
}
