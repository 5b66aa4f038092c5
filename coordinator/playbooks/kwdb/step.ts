/** A step of KWDB's programs: the verb that the agent runs, and the command that a person would type for it. */
import type { Call, PlanStep, StepClass } from "../../domain/plan.ts";

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
  readonly holdLimitMs?: number;
  readonly service?: PlanStep["service"];
}

export function step(id: string, args: Call["args"], shownAs: string, options: StepOptions): PlanStep {
  const {
    class: stepClass = "observe",
    deadlineMs,
    onDeadline = "end",
    undo,
    holdLimitMs,
    service,
  } = options;
  return {
    id,
    call: { verb: `kwdb.${options.verb ?? id}`, args },
    class: stepClass,
    deadlineMs,
    onDeadline,
    mayStopAfter: options.mayStopAfter ?? stepClass === "observe",
    ...(undo === undefined ? {} : { undo }),
    ...(holdLimitMs === undefined ? {} : { holdLimitMs }),
    ...(service === undefined ? {} : { service }),
    shownAs,
  };
}
