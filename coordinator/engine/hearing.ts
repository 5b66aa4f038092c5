/** What the agents say: stored once, answered, and acknowledged. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectResponse, EnterRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { RolloutFact, ToldFact } from "../domain/rollout/event.ts";
import { heardUpTo, stageOfWire } from "../domain/rollout/state.ts";
import type { Mail } from "./inbox.ts";
import type { RolloutDesk } from "./rollout-desk.ts";
import { toEndedFact, toFailure, toStepFact } from "./wire.ts";

type Said = Extract<Mail, { kind: "said" }>;

export async function hear(desk: RolloutDesk, { node, stateId, message }: Said): Promise<void> {
  switch (message.$case) {
    case "stepEvent":
      return store(desk, stateId, toStepFact(node, message.value));
    case "programEnded":
      return store(desk, stateId, toEndedFact(node, message.value));
    case "watchFired": {
      const { sequence, id, measured, reacted, failure: why } = message.value;
      return store(desk, stateId, {
        kind: "watch-fired",
        watch: id,
        node,
        agentSequence: sequence,
        measured,
        reacted,
        ...(why === undefined ? {} : { failure: toFailure(why) }),
      });
    }
    case "watchAnswered": {
      const { sequence, id: watch, armed } = message.value;
      return store(desk, stateId, {
        kind: "watch-answered",
        watch,
        node,
        agentSequence: sequence,
        armed,
      });
    }
    case "holdMadePermanent": {
      const { sequence, stage, step, madePermanent, refusal } = message.value;
      return store(desk, stateId, {
        kind: "hold-made-permanent",
        stage,
        node,
        agentSequence: sequence,
        step,
        madePermanent,
        ...(refusal === undefined ? {} : { refusal: toFailure(refusal) }),
      });
    }
    case "programAccepted": {
      const { accepted, stage, attempt, refusal } = message.value;
      if (accepted) return;
      const why = refusal === undefined ? failure("program.refused", { node }) : toFailure(refusal);
      const refused: RolloutFact = {
        kind: "program-refused",
        stage: stageOfWire(stage),
        node,
        attempt,
        why,
      };
      const ended: RolloutFact = {
        kind: "program-ended",
        node,
        stage,
        attempt,
        agentSequence: 0,
        epoch: message.value.epoch,
        outcome: "failed",
        step: "",
        failure: why,
      };
      return desk.append(refused, ended);
    }
    case "enterRequest":
      return enter(desk, node, message.value);
    case "enterAbandoned":
      return;
    case "auditHeadKept":
    case "hello":
    case "health":
    case "epochSeen":
    case "goodbye":
      return;
  }
}

/** Stored once, however often it is sent; only then may the agent stop resending. */
async function store(desk: RolloutDesk, stateId: string, fact: ToldFact): Promise<void> {
  const { node, agentSequence: sequence } = fact;
  if (sequence > heardUpTo(desk.state, node, stateId)) await desk.append({ ...fact, stateId });
  desk.means.fleet.send(node, { $case: "ack", value: { rollout: desk.state.id, sequence } });
}

async function enter(
  desk: RolloutDesk,
  node: string,
  { cluster, rollout, stage, epoch, nonce }: EnterRequest,
): Promise<void> {
  const { lock } = desk.state;
  const refuse = (reason: Failure) =>
    reply(desk, node, {
      $case: "enterRefused",
      value: { cluster, epoch, nonce, reason: { code: reason.code, facts: { ...reason.facts } } },
    });
  if (lock?.nonce !== nonce || lock.epochs[cluster] !== epoch)
    return refuse(failure("lock.not-yours", { cluster, epoch: String(epoch) }));
  if (desk.state.aborting && !lock.entered.includes(node))
    return refuse(failure("rollout.aborted", { rollout: desk.state.id }));
  const record = await desk.means.deeds.enter(cluster, { epoch, nonce }, node);
  if (!record.ok) return refuse(record.failure);
  desk.means.reports.programStands(node, { cluster, rollout, stage, epoch, nonce, standing: "in-flight" });
  if (!lock.entered.includes(node)) await desk.append({ kind: "entered", stage: lock.stage, node, epoch });
  reply(desk, node, { $case: "enterGranted", value: { cluster, epoch, nonce } });
}

function reply(desk: RolloutDesk, node: string, message: NonNullable<ConnectResponse["message"]>): void {
  desk.means.fleet.send(node, message);
}

/** An agent that missed the word "freed" would refuse every later epoch: it is told again when it attaches. */
export function tellFreedAgain(desk: RolloutDesk, node: string): void {
  const unfinished = desk.means.reports.unfinished(node);
  if (unfinished === undefined || unfinished.rollout !== desk.state.id) return;
  const { stage, epoch, nonce } = unfinished;
  const over = desk.state.freed.find((freed) => freed.nonce === nonce);
  if (over === undefined) return;
  const value = { rollout: desk.state.id, stage: over.stage, epoch };
  if (desk.means.fleet.send(node, { $case: "programFreed", value }) && stageOfWire(stage) === over.stage)
    desk.means.reports.programGone(node);
}
