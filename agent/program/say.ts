/** Events of a program as journal entries. */
import type { Facts, Failure } from "#proto/common/failure.ts";
import type { Program, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { Entry, Moment, ProgramKey } from "./entry.ts";
import type { ProgramMemory } from "./memory.ts";

export function earlierOutputs(of: ProgramMemory): Readonly<Record<string, Facts>> {
  return Object.fromEntries([...of.steps].map(([id, { outputs }]) => [id, outputs]));
}

export function keyOf({ rollout, stage, attempt }: Program): ProgramKey {
  return { rollout, stage, attempt };
}

type Said = {
  readonly elapsedMs?: number;
  readonly outputs?: Facts;
  readonly tail?: string;
  readonly runner?: string;
  readonly failure?: Failure;
};

/** Journalled tails are shorter than what a look may hold: they stay until the rollout is closed. */
const journalTailChars = 16 * 1024;

export function stepEntry(
  program: Program,
  step: string,
  phase: StepPhase,
  moment: Moment,
  said: Said,
): Entry {
  const { elapsedMs = 0, outputs = {}, tail = "", runner = "" } = said;
  const why = said.failure === undefined ? {} : { failure: said.failure };
  const event = { phase, moment, elapsedMs, outputs, tail: tail.slice(-journalTailChars), runner, ...why };
  return { kind: "step", ...keyOf(program), step, ...event };
}
