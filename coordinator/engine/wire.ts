/** Between the domain's words and the contract's: programs out, facts in. */
import type { Failure, FailureCode } from "#proto/common/failure.ts";
import {
  OnDeadline,
  type Program,
  type ProgramEnded,
  ProgramOutcome,
  StepClass,
  type StepEvent,
  StepPhase,
  type Watch,
  type Failure as WireFailure,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { Call, PlanProgram, PlanStep, WatchSpec } from "../domain/plan.ts";
import type { ProgramOutcome as Outcome, StepPhase as Phase, ToldFact } from "../domain/rollout/event.ts";

const classes = {
  observe: StepClass.OBSERVE,
  reversible: StepClass.REVERSIBLE,
  irreversible: StepClass.IRREVERSIBLE,
} as const;
const onDeadlines = { end: OnDeadline.END, observe: OnDeadline.OBSERVE } as const;

export interface ProgramHead {
  readonly rollout: string;
  readonly stage: string;
  readonly attempt: number;
  /** 0 and "" for a program that needs no lock. */
  readonly epoch: number;
  readonly nonce: string;
}

export function toProgram(program: PlanProgram, head: ProgramHead): Program {
  return { ...head, cluster: program.cluster, node: program.node, steps: program.steps.map(toStep) };
}

function toStep(step: PlanStep) {
  return {
    id: step.id,
    call: toCall(step.call),
    class: classes[step.class],
    deadlineMs: step.deadlineMs,
    onDeadline: onDeadlines[step.onDeadline],
    mayStopAfter: step.mayStopAfter,
    undo: step.undo === undefined ? undefined : toCall(step.undo),
    holdLimitMs: step.holdLimitMs ?? 0,
  };
}

export function toWatch(
  { id, probe, reaction, warnAt, reactAt, everyMs }: WatchSpec,
  { rollout, stage }: { readonly rollout: string; readonly stage: string },
): Watch {
  return { id, rollout, stage, probe: toCall(probe), reaction: toCall(reaction), warnAt, reactAt, everyMs };
}

function toCall({ verb, args }: Call): { readonly verb: string; readonly args: Record<string, string> } {
  return { verb, args: { ...args } };
}

const phases: Readonly<Record<StepPhase, Phase>> = {
  [StepPhase.UNSPECIFIED]: "unknown",
  [StepPhase.STARTED]: "started",
  [StepPhase.PROGRESS]: "progress",
  [StepPhase.DONE]: "done",
  [StepPhase.FOUND_DONE]: "found-done",
  [StepPhase.FAILED]: "failed",
  [StepPhase.UNKNOWN]: "unknown",
  [StepPhase.UNDONE]: "undone",
  [StepPhase.UNDO_FAILED]: "undo-failed",
};

export function toStepFact(node: string, event: StepEvent): ToldFact {
  const { stage, attempt, step, phase, at, elapsedMs, failure, outputs, tail, runner, sequence } = event;
  return {
    kind: "step",
    node,
    stage,
    attempt,
    agentSequence: sequence,
    step,
    phase: phases[phase],
    measuredAt: at?.toISOString() ?? "",
    elapsedMs,
    outputs,
    tail,
    runner,
    ...(failure === undefined ? {} : { failure: toFailure(failure) }),
  };
}

const outcomes: Readonly<Record<ProgramOutcome, Outcome>> = {
  [ProgramOutcome.UNSPECIFIED]: "unknown",
  [ProgramOutcome.DONE]: "done",
  [ProgramOutcome.FAILED]: "failed",
  [ProgramOutcome.UNKNOWN]: "unknown",
  [ProgramOutcome.STOPPED]: "stopped",
  [ProgramOutcome.NEVER_BEGUN]: "never-begun",
};

export function toEndedFact(node: string, ended: ProgramEnded): ToldFact {
  const { stage, attempt, epoch, outcome, step, failure, sequence } = ended;
  return {
    kind: "program-ended",
    node,
    stage,
    attempt,
    agentSequence: sequence,
    epoch,
    outcome: outcomes[outcome],
    step,
    ...(failure === undefined ? {} : { failure: toFailure(failure) }),
  };
}

export function toFailure({ code, facts }: WireFailure): Failure {
  return { code: code as FailureCode, facts };
}
