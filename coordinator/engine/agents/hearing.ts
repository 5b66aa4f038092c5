/** What the agents say: stored once, answered, and acknowledged. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectResponse, EnterRequest, ProgramAccepted } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { ToldFact } from "../../domain/rollout/event.ts";
import { heardUpTo, stageOfWire, stageState } from "../../domain/rollout/state.ts";
import type { RolloutDesk } from "../rollout-desk.ts";
import type { Mail } from "./inbox.ts";
import { toldFact } from "./told.ts";
import { toFailure } from "./wire.ts";

type Said = Extract<Mail, { kind: "said" }>;

export async function hear(desk: RolloutDesk, { node, stateId, message }: Said): Promise<void> {
  const fact = toldFact(node, message);
  if (fact !== undefined) return store(desk, stateId, fact);
  if (message.$case === "enterRequest") return enter(desk, node, message.value);
  if (message.$case === "programAccepted" && !message.value.accepted)
    return refused(desk, node, message.value);
}

/** A program that was not taken has ended, with nothing done. */
function refused(desk: RolloutDesk, node: string, answer: ProgramAccepted): Promise<void> {
  const { stage, attempt, epoch, refusal } = answer;
  const why = refusal === undefined ? failure("program.refused", { node }) : toFailure(refusal);
  const end = { agentSequence: 0, epoch, outcome: "failed", step: "", failure: why } as const;
  return desk.append(
    { kind: "program-refused", stage: stageOfWire(stage), node, attempt, why },
    { kind: "program-ended", node, stage, attempt, ...end },
  );
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
  // stopped, or ordered to go on and not yet begun anew: its program is sent again then, under a person's eyes
  if (stageState(desk.state, lock.stage).standing !== "started" && !lock.entered.includes(node))
    return refuse(failure("rollout.stopped", { rollout: desk.state.id }));
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
