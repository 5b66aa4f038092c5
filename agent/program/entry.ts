/**
 * The journal's entries: everything an agent must still know after its own death. Written once, folded into
 * memory.ts. Events for the coordinator are entries too, so that the journal is the only buffer.
 */
import type { Facts, Failure } from "#proto/common/failure.ts";
import type { Program, ProgramOutcome, StepPhase, Watch } from "#proto/gen/lockkeeper/v1/program_pb.ts";

export const journalFormat = 1;

/** One try of one stage on this node. */
export interface ProgramKey {
  readonly rollout: string;
  readonly stage: string;
  readonly attempt: number;
}

/** A moment that can be compared after a restart: exactly within one boot, by wall time otherwise. */
export interface Moment {
  readonly wallMs: number;
  readonly bootId: string;
  readonly uptimeMs: number;
}

/** What started a tool: a step, the undo of one, or the reaction of a watch. */
type Part = "run" | "undo" | "reaction";

export interface ToolRef extends ProgramKey {
  readonly step: string;
  readonly part: Part;
  /** Counts the tries of an undo or a reaction, from 0. */
  readonly again: number;
  /** Counts the tools of one part, from 0. */
  readonly index: number;
}

/** How a process group is known again: the leader's pid and its start time in clock ticks since boot. */
export interface GroupMark {
  readonly pid: number;
  readonly startTicks: number;
}

export type ToolResult = "exited" | "killed" | "deadline" | "lost";

export type Entry =
  | {
      readonly kind: "born";
      readonly format: typeof journalFormat;
      readonly stateId: string;
      readonly nextSequence: number;
    }
  | { readonly kind: "awoke"; readonly bootId: string; readonly version: string }
  | {
      readonly kind: "epoch-seen";
      readonly cluster: string;
      readonly epoch: number;
      readonly nonce: string;
      readonly rollout: string;
      readonly auditHead: string;
    }
  | { readonly kind: "audit-head"; readonly head: string }
  | { readonly kind: "accepted"; readonly program: Program }
  | ({ readonly kind: "enter-asked" } & ProgramKey)
  | ({ readonly kind: "entered" } & ProgramKey)
  | ({
      readonly kind: "step";
      readonly step: string;
      readonly phase: StepPhase;
      readonly moment: Moment;
      readonly elapsedMs: number;
      readonly failure?: Failure;
      readonly outputs: Facts;
      readonly tail: string;
      readonly runner: string;
    } & ProgramKey)
  | ({ readonly kind: "undo-started"; readonly step: string } & ProgramKey)
  | {
      readonly kind: "tool-intended";
      readonly ref: ToolRef;
      readonly name: string;
      readonly runner: "unit" | "group";
      readonly argvDigest: string;
      readonly bootId: string;
    }
  | { readonly kind: "tool-marked"; readonly name: string; readonly mark: GroupMark }
  | {
      readonly kind: "tool-ended";
      readonly name: string;
      readonly exitCode?: number;
      readonly result: ToolResult;
    }
  | ({ readonly kind: "stop-asked"; readonly undo: boolean; readonly ask?: number } & ProgramKey)
  | ({
      readonly kind: "ended";
      readonly epoch: number;
      readonly outcome: ProgramOutcome;
      readonly step: string;
      readonly failure?: Failure;
    } & ProgramKey)
  | ({ readonly kind: "freed" } & ProgramKey)
  | { readonly kind: "closed"; readonly rollout: string }
  | ({
      readonly kind: "hold-answered";
      readonly step: string;
      readonly madePermanent: boolean;
      readonly refusal?: Failure;
    } & ProgramKey)
  | { readonly kind: "watch-armed"; readonly rollout: string; readonly id: string; readonly watch: Watch }
  | { readonly kind: "watch-disarmed"; readonly rollout: string; readonly id: string }
  | {
      readonly kind: "watch-reacting";
      readonly rollout: string;
      readonly id: string;
      readonly measured: number;
    }
  | {
      readonly kind: "watch-fired";
      readonly rollout: string;
      readonly id: string;
      readonly measured: number;
      readonly reacted: boolean;
      readonly failure?: Failure;
      readonly goesOn?: true;
      readonly outputs?: Facts;
    };

/** An entry in its place: `n` rises, with holes where others were compacted away; `at` is ISO 8601, for people. */
export type Recorded = Entry & { readonly n: number; readonly at: string };

/** The rollout that an entry belongs to; undefined for what outlives every rollout. */
export function rolloutOf(entry: Entry): string | undefined {
  switch (entry.kind) {
    case "born":
    case "awoke":
    case "epoch-seen":
    case "audit-head":
    case "tool-marked":
    case "tool-ended":
      return undefined;
    case "accepted":
      return entry.program.rollout;
    case "tool-intended":
      return entry.ref.rollout;
    case "enter-asked":
    case "entered":
    case "step":
    case "undo-started":
    case "stop-asked":
    case "ended":
    case "freed":
    case "closed":
    case "hold-answered":
    case "watch-armed":
    case "watch-disarmed":
    case "watch-reacting":
    case "watch-fired":
      return entry.rollout;
  }
}

export function keyText(key: ProgramKey): string {
  return `${key.rollout}/${key.stage}/${key.attempt}`;
}
