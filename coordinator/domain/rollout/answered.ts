/** What a person has answered for of a step's finding goes to the step itself: it passes over that, and over nothing else. */
import type { Plan, PlanProgram } from "../plan.ts";
import { programsOf } from "../stage-programs.ts";
import type { RolloutState } from "./state.ts";

/** Whether a step of this plan ends so, and goes on by a person's word. */
export function isAnswerable({ stages }: Pick<Plan, "stages">, code: string): boolean {
  return stages
    .flatMap(programsOf)
    .some(({ program: { steps } }) => steps.some(({ answeredBy }) => answeredBy === code));
}

/** The program with what was told by the stop that the newest such word has answered; a word that was given to no stop counts for none. */
export function withAnswers({ words }: Pick<RolloutState, "words">, program: PlanProgram): PlanProgram {
  const steps = program.steps.map((step) => {
    if (step.answeredBy === undefined) return step;
    const answered = words.findLast(
      ({ kind, check, about }) =>
        kind === "acknowledgement" && check === step.answeredBy && about !== undefined,
    )?.about?.["found"];
    return answered === undefined
      ? step
      : { ...step, call: { ...step.call, args: { ...step.call.args, answered } } };
  });
  return { ...program, steps };
}
