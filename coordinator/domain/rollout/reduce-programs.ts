/** What agents tell of their programs, folded in: sent, entered, stepping, ended, and undone. */
import { inProgram, inStage } from "./alter.ts";
import type { RolloutFact, ToldFact } from "./event.ts";
import {
  anyMemory,
  heardUpTo,
  type ProgramState,
  programKey,
  type RolloutState,
  stageOfWire,
} from "./state.ts";

export function heard(
  state: RolloutState,
  { node, stateId = anyMemory, agentSequence }: ToldFact,
): RolloutState {
  if (agentSequence <= heardUpTo(state, node, stateId)) return state;
  // what was stored without a state id was told by the memory that goes on now
  const { [anyMemory]: _settled, ...told } = state.agentSequences[node] ?? {};
  const newest = { ...told, [stateId]: agentSequence };
  return { ...state, agentSequences: { ...state.agentSequences, [node]: newest } };
}

export function sent(
  state: RolloutState,
  fact: Extract<RolloutFact, { kind: "program-sent" }>,
): RolloutState {
  const wireStage = fact.phase === undefined ? fact.stage : `${fact.stage}/${fact.phase}`;
  const program: ProgramState = {
    node: fact.node,
    attempt: fact.attempt,
    wireStage,
    standing: "sent",
    steps: {},
  };
  return inStage(state, fact.stage, (stage) => ({
    ...stage,
    attempt: Math.max(stage.attempt, fact.attempt),
    programs: { ...stage.programs, [programKey(wireStage, fact.node)]: program },
  }));
}

/** Nobody enters before all have said yes, so that much is known too, should the log have forgotten it. */
export function entered(state: RolloutState, stage: string, node: string): RolloutState {
  const { lock } = state;
  const held =
    lock === undefined || lock.entered.includes(node)
      ? state
      : { ...state, lock: { ...lock, announced: true, entered: [...lock.entered, node] } };
  return inStage(held, stageOfWire(stage), (each) => ({
    ...each,
    programs: Object.fromEntries(
      Object.entries(each.programs).map(([key, program]) => [
        key,
        program.node === node && program.standing === "sent"
          ? { ...program, standing: "entered" as const }
          : program,
      ]),
    ),
  }));
}

export function stepTold(state: RolloutState, fact: Extract<RolloutFact, { kind: "step" }>): RolloutState {
  return inProgram(state, fact.stage, fact, (program) => {
    const outputs = { ...program.steps[fact.step]?.outputs, ...fact.outputs };
    return {
      ...program,
      lastStep: fact.step,
      steps: { ...program.steps, [fact.step]: { phase: fact.phase, outputs } },
    };
  });
}

export function programEnded(
  state: RolloutState,
  fact: Extract<RolloutFact, { kind: "program-ended" }>,
): RolloutState {
  const ended = inProgram(state, fact.stage, fact, (program) => ({
    ...program,
    standing: "ended",
    outcome: fact.outcome,
    ...(fact.step === "" ? {} : { lastStep: fact.step }),
    ...(fact.failure === undefined ? {} : { failure: fact.failure }),
  }));
  if (fact.outcome !== "never-begun" || (state.lock?.entered.length ?? 0) === 0) return ended;
  // others are in: it is asked again, not for ever
  return inStage(ended, stageOfWire(fact.stage), (stage) => ({
    ...stage,
    withdrawals: stage.withdrawals + 1,
  }));
}

/** It works again, backwards: its next end counts. */
export function undoAsked(
  state: RolloutState,
  fact: Extract<RolloutFact, { kind: "undo-asked" }>,
): RolloutState {
  return inProgram(state, fact.stage, fact, ({ outcome: _ended, failure: _why, ...program }) => ({
    ...program,
    standing: "entered",
    undoAsked: true,
  }));
}
