/** For what a person's word is asked, and which words would answer for nothing: who gave those meant something else. */
import { type CheckResult, needsAnswer, type Word } from "./check.ts";
import type { GateSpec, Plan, Stage } from "./plan.ts";
import type { Playbook } from "./playbook.ts";
import { isAnswerable } from "./rollout/answered.ts";

export interface Asked {
  readonly plan: Pick<Plan, "stages" | "asks">;
  readonly checks: readonly CheckResult[];
  readonly playbook: Pick<Playbook, "answeredAtGates"> | undefined;
  /** Code of what a rollout has stopped at. */
  readonly stop?: string;
}

/** Ids of checks, each once: of words that nothing waits for, neither a check nor a gate nor a stop. */
export function idleWords(words: readonly Pick<Word, "check">[], asked: Asked): readonly string[] {
  const wanted = new Set([...askedFor(asked), ...atGates(asked)]);
  return [...new Set(words.map(({ check }) => check))].filter((check) => !wanted.has(check));
}

/** What a person is asked for now, whether it was answered already or not. */
export function askedFor({ plan, checks, stop }: Asked): readonly string[] {
  const standing = checks.filter((result) => needsAnswer(result) && result.yields !== "never");
  const ofStop = stop !== undefined && isAnsweredByWord(stop, plan) ? [stop] : [];
  return [...new Set([...ofStop, ...plan.asks, ...standing.map(({ id }) => id)])];
}

/** Stops that nothing moves but a person's word: for the node, or for what a step has found. */
export function isAnsweredByWord(code: string, plan: Pick<Plan, "stages">): boolean {
  return code === "node.unproven" || code === "lock.broken" || isAnswerable(plan, code);
}

/** What is good when the plan is made may be missing when its gate is taken: a word for it is never idle. */
function atGates({ plan, playbook }: Asked): readonly string[] {
  const gates = plan.stages.flatMap(gatesOf).map(({ gate }) => gate);
  return [...new Set(gates)].flatMap((gate) => playbook?.answeredAtGates?.[gate] ?? []);
}

function gatesOf(stage: Stage): readonly GateSpec[] {
  switch (stage.kind) {
    case "preflight":
      return [];
    case "node":
      return [...stage.before, ...stage.after];
    case "cluster":
      return [...stage.before, ...stage.phases.flatMap(({ after }) => after)];
    case "wait":
    case "finish":
      return stage.gates;
  }
}
