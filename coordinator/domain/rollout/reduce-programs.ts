/** What agents tell of their programs, folded in: sent, entered, stepping, ended, and undone. */
import { stepsOf } from "../stage-programs.ts";
import { inProgram, inStage } from "./alter.ts";
import type { RolloutFact, ToldFact } from "./event.ts";
import {
  anyMemory,
  type BegunStep,
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
    ...(state.lock?.entered.includes(fact.node) === true ? { nodeWasIn: true } : {}),
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

type StepFact = Extract<RolloutFact, { kind: "step" }>;

export function stepTold(state: RolloutState, fact: StepFact, at: string): RolloutState {
  return inProgram(withBegun(state, fact, at), fact.stage, fact, (program) => {
    const outputs = { ...program.steps[fact.step]?.outputs, ...fact.outputs };
    return {
      ...program,
      lastStep: fact.step,
      steps: { ...program.steps, [fact.step]: { phase: fact.phase, outputs } },
    };
  });
}

/** Probed only, a step has not begun: found done before, or with an unknown state. */
const beginnings: ReadonlySet<string> = new Set(["started", "progress", "done", "undone", "undo-failed"]);

function withBegun(
  state: RolloutState,
  { stage: wireStage, node, step, phase }: StepFact,
  at: string,
): RolloutState {
  const id = stageOfWire(wireStage);
  const spec = state.plan.stages.find((each) => each.id === id);
  const changes =
    spec !== undefined &&
    stepsOf(spec, { wireStage, node }).some((each) => each.id === step && each.class !== "observe");
  if (!changes || !beginnings.has(phase)) return state;
  const isIt = (each: BegunStep) => each.wireStage === wireStage && each.node === node && each.step === step;
  const undone = phase === "undone";
  return inStage(state, id, (stage) => ({
    ...stage,
    begun: stage.begun.some(isIt)
      ? stage.begun.map((each) => (isIt(each) ? { ...each, undone } : each))
      : [...stage.begun, { wireStage, node, step, at, undone }],
  }));
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
    undoAsked: state.sequence + 1,
  }));
}
