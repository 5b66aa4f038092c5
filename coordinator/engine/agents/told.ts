/** What an agent tells from its journal, as a fact of the rollout: steps, ends, watches, holds. */
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import {
  type ProgramEnded,
  ProgramOutcome,
  type StepEvent,
  StepPhase,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { ProgramOutcome as Outcome, StepPhase as Phase, ToldFact } from "../../domain/rollout/event.ts";
import { toFailure } from "./wire.ts";

type Message = NonNullable<ConnectRequest["message"]>;
type Value<Case extends Message["$case"]> = Extract<Message, { $case: Case }>["value"];

/** Undefined for messages that are not of the journal. */
export function toldFact(node: string, message: Message): ToldFact | undefined {
  switch (message.$case) {
    case "stepEvent":
      return toStepFact(node, message.value);
    case "programEnded":
      return toEndedFact(node, message.value);
    case "watchFired":
      return toFiredFact(node, message.value);
    case "watchAnswered": {
      const { sequence: agentSequence, id: watch, armed } = message.value;
      return { kind: "watch-answered", watch, node, agentSequence, armed };
    }
    case "holdMadePermanent":
      return toHoldFact(node, message.value);
    case "hello":
    case "health":
    case "epochSeen":
    case "programAccepted":
    case "enterRequest":
    case "auditHeadKept":
    case "goodbye":
      return undefined;
  }
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

function toStepFact(node: string, event: StepEvent): ToldFact {
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

function toEndedFact(node: string, ended: ProgramEnded): ToldFact {
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

function toFiredFact(node: string, fired: Value<"watchFired">): ToldFact {
  const { sequence: agentSequence, id: watch, measured, reacted, failure, goesOn, outputs } = fired;
  const why = failure === undefined ? {} : { failure: toFailure(failure) };
  const more = goesOn === true ? { goesOn, outputs } : {};
  return { kind: "watch-fired", watch, node, agentSequence, measured, reacted, ...why, ...more };
}

function toHoldFact(node: string, answer: Value<"holdMadePermanent">): ToldFact {
  const { sequence: agentSequence, stage, step, madePermanent, refusal } = answer;
  const why = refusal === undefined ? {} : { refusal: toFailure(refusal) };
  return { kind: "hold-made-permanent", stage, node, agentSequence, step, madePermanent, ...why };
}
