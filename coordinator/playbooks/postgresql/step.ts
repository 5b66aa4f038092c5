/** A step of PostgreSQL's programs: the verb that the agent runs, and the statement that a person would type for it. */
import type { FailureCode } from "#proto/common/failure.ts";
import type { Call, PlanStep, StepClass } from "../../domain/plan.ts";

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;

interface StepOptions {
  readonly verb?: string;
  readonly class?: StepClass;
  readonly deadlineMs?: number;
  readonly undo?: Call;
  readonly holdLimitMs?: number;
  readonly answeredBy?: FailureCode;
}

/** Each may be the last for now: what it has made is known again, and gone on from. */
export function step(
  id: string,
  args: Call["args"],
  shownAs: string,
  {
    verb = id,
    class: stepClass = "observe",
    deadlineMs = 5 * minute,
    undo,
    holdLimitMs,
    answeredBy,
  }: StepOptions = {},
): PlanStep {
  return {
    id,
    call: { verb: `postgresql.${verb}`, args },
    class: stepClass,
    deadlineMs,
    onDeadline: "end",
    mayStopAfter: true,
    ...(undo === undefined ? {} : { undo }),
    ...(holdLimitMs === undefined ? {} : { holdLimitMs }),
    ...(answeredBy === undefined ? {} : { answeredBy }),
    shownAs,
  };
}

export function call(verb: string, args: Call["args"] = {}): Call {
  return { verb: `postgresql.${verb}`, args };
}

/** What is done while a hold stands ends well before it does: an agent refuses what it would have to undo before. */
export function within(mostMs: number, holdLimitMs: number | undefined): number {
  return holdLimitMs === undefined ? mostMs : Math.min(mostMs, Math.floor(holdLimitMs / 2));
}
