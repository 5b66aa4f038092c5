/** The one thing that the engine does next for a rollout. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { GateSpec, PlanProgram, WatchSpec } from "../plan.ts";
import type { GateMoment } from "./event.ts";
import type { StopHint } from "./hint.ts";
import { gateKey, type HeldLock, type HoldRef, type ProgramState, type StageState } from "./state.ts";

export type Action =
  /** Nothing happens until a person or the fleet moves it. */
  | { readonly do: "rest" }
  | { readonly do: "start-stage"; readonly stage: string; readonly attempt: number }
  | { readonly do: "snapshot"; readonly stage: string; readonly when: "before" | "after" }
  | { readonly do: "take-gate"; readonly stage: string; readonly gate: GateSpec; readonly when: GateMoment }
  /** Drift, checks, window, freeze and blockers, immediately before a grant. */
  | { readonly do: "look-before-grant"; readonly stage: string }
  | {
      readonly do: "grant";
      readonly stage: string;
      readonly clusters: readonly string[];
      readonly nodes: readonly string[];
      readonly scope: HeldLock["scope"];
    }
  | { readonly do: "announce"; readonly stage: string }
  | {
      readonly do: "send";
      readonly stage: string;
      readonly phase?: string;
      readonly programs: readonly PlanProgram[];
      readonly attempt: number;
      readonly lock?: HeldLock;
    }
  | { readonly do: "await-programs"; readonly stage: string; readonly nodes: readonly string[] }
  | { readonly do: "ask-to-stop"; readonly stage: string; readonly nodes: readonly string[] }
  /** Ended programs undo what they have done: of the last phase, of one node where nodes go one by one. */
  | { readonly do: "undo"; readonly stage: string; readonly programs: readonly ProgramState[] }
  | {
      readonly do: "arm-watches";
      readonly stage: string;
      readonly watches: readonly WatchSpec[];
      /** Their agents know them already, as having told that they measure nothing. */
      readonly anew?: boolean;
    }
  /** A stage that has passed is run once more: it mends what the wait `by` cannot go on for. */
  | {
      readonly do: "reopen-stage";
      readonly stage: string;
      readonly by: string;
      readonly why: Failure;
    }
  /** All that a wait stage waits for is there. */
  | { readonly do: "end-wait"; readonly stage: string }
  | { readonly do: "disarm-watches"; readonly stage: string; readonly watches: readonly WatchSpec[] }
  | { readonly do: "keep-hold"; readonly stage: string; readonly hold: HoldRef }
  | { readonly do: "withdraw"; readonly stage: string; readonly lock: HeldLock; readonly why: Failure }
  | { readonly do: "free"; readonly stage: string; readonly lock: HeldLock }
  | { readonly do: "pass-phase"; readonly stage: string; readonly phase: string }
  | { readonly do: "pass-stage"; readonly stage: string }
  | {
      readonly do: "await-approval";
      readonly stage: string;
      readonly why: Failure;
      /** All have passed, and are looked at for as long as nobody answers. */
      readonly gates: readonly GateSpec[];
    }
  | { readonly do: "pause"; readonly reason: string }
  | {
      readonly do: "stop";
      readonly stage: string;
      readonly node?: string;
      readonly why: Failure;
      readonly hint: StopHint;
    }
  | { readonly do: "finish-abort" }
  | { readonly do: "finish" };

export const rest: Action = { do: "rest" };

export function nextGate(
  stage: string,
  gates: readonly GateSpec[],
  { gatesPassed }: StageState,
  when: GateMoment,
): Action | undefined {
  const gate = gates.find((each) => !gatesPassed.includes(gateKey(when, each)));
  return gate === undefined ? undefined : { do: "take-gate", stage, gate, when };
}

/** Why a program did not do its work; one that ended without a reason is told by its outcome. */
export function whyEnded({ failure: why, outcome = "unknown", node }: ProgramState): Failure {
  return why ?? failure("program.ended", { outcome, node });
}

/** The stop for a program that ended without its work done, with its node and its last step. */
export function stopAtEnd(stage: string, program: ProgramState, hint: StopHint): Action {
  const { node, lastStep: step = "" } = program;
  const { code, facts } = whyEnded(program);
  return { do: "stop", stage, node, why: { code, facts: { ...facts, node, step } }, hint };
}
