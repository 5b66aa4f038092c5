/** The domain's words in the contract's: programs, watches; and failures back. What agents tell is read in told.ts. */
import type { Failure, FailureCode } from "#proto/common/failure.ts";
import {
  OnDeadline,
  type Program,
  StepClass,
  type Watch,
  type Failure as WireFailure,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { Call, PlanProgram, PlanStep, WatchSpec } from "../../domain/plan.ts";

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
  { id, probe, reaction, warnAt, reactAt, everyMs, goesOn }: WatchSpec,
  { rollout, stage }: { readonly rollout: string; readonly stage: string },
): Watch {
  const calls = { probe: toCall(probe), reaction: toCall(reaction) };
  const more = goesOn === undefined ? {} : { goesOn };
  return { id, rollout, stage, ...calls, warnAt, reactAt, everyMs, ...more };
}

function toCall({ verb, args }: Call): { readonly verb: string; readonly args: Record<string, string> } {
  return { verb, args: { ...args } };
}

export function toFailure({ code, facts }: WireFailure): Failure {
  return { code: code as FailureCode, facts };
}
