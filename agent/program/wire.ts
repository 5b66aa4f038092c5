/** Memory and journal as messages of the contract. */
import type { Failure } from "#proto/common/failure.ts";
import type { ConnectRequest, Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ProgramStanding } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { type AgentEvent, type Memory, type ProgramMemory, unfinishedProgram } from "./memory.ts";

type Message = NonNullable<ConnectRequest["message"]>;

export function eventMessage(event: AgentEvent): Message {
  const { rollout, n: sequence } = event;
  const why = "failure" in event ? { failure: wireFailure(event.failure) } : {};
  switch (event.kind) {
    case "step": {
      const { stage, attempt, step, phase, elapsedMs, tail, runner } = event;
      const at = new Date(event.moment.wallMs);
      const outputs = { ...event.outputs };
      return {
        $case: "stepEvent",
        value: {
          sequence,
          rollout,
          stage,
          attempt,
          step,
          phase,
          at,
          elapsedMs,
          outputs,
          tail,
          runner,
          ...why,
        },
      };
    }
    case "ended": {
      const { stage, attempt, epoch, outcome, step } = event;
      return {
        $case: "programEnded",
        value: { sequence, rollout, stage, attempt, epoch, outcome, step, at: new Date(event.at), ...why },
      };
    }
    case "hold-answered": {
      const { stage, step, madePermanent } = event;
      const refusal = event.refusal === undefined ? {} : { refusal: wireFailure(event.refusal) };
      return {
        $case: "holdMadePermanent",
        value: { sequence, rollout, stage, step, madePermanent, ...refusal },
      };
    }
    case "watch-armed":
    case "watch-disarmed":
      return {
        $case: "watchAnswered",
        value: { sequence, rollout, id: event.id, armed: event.kind === "watch-armed" },
      };
    case "watch-fired": {
      const { id, measured, reacted, goesOn } = event;
      const more = goesOn === undefined ? {} : { goesOn };
      const outputs = { ...event.outputs };
      return {
        $case: "watchFired",
        value: { sequence, rollout, id, measured, reacted, outputs, ...more, ...why },
      };
    }
  }
}

export interface Self {
  readonly node: string;
  readonly agentVersion: string;
  readonly contract: number;
  readonly bootId: string;
  readonly engine: string;
}

export function helloOf(self: Self, memory: Memory): Hello {
  const unfinished = unfinishedProgram(memory);
  return {
    ...self,
    stateId: memory.stateId,
    highest: [...memory.highest.values()].map(({ cluster, epoch, nonce }) => ({ cluster, epoch, nonce })),
    auditHead: memory.auditHead,
    ...(unfinished === undefined ? {} : { unfinished: standingOf(unfinished) }),
  };
}

function standingOf(of: ProgramMemory): NonNullable<Hello["unfinished"]> {
  const { rollout, stage, attempt, cluster, epoch, nonce } = of.program;
  const known = { rollout, stage, attempt, cluster, epoch, nonce };
  if (of.ended !== undefined && !of.undoing)
    return { ...known, standing: ProgramStanding.ENDED, outcome: of.ended.outcome };
  return { ...known, standing: of.entered ? ProgramStanding.IN_FLIGHT : ProgramStanding.WAITING };
}

export function wireFailure({ code, facts }: Failure): {
  readonly code: string;
  readonly facts: Record<string, string>;
} {
  return { code, facts: { ...facts } };
}
