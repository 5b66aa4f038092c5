/**
 * What an agent does with each message of the coordinator, and what it does on its own when it wakes up. Messages
 * are dealt with one after the other, so that an answer is never given before its journal entry is durable.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import type {
  ConnectRequest,
  ConnectResponse,
  EpochNotice,
  Hello,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { DeedTools } from "./program/deed-context.ts";
import { keyText } from "./program/entry.ts";
import type { Ledger } from "./program/ledger.ts";
import type { LockSide } from "./program/lock-side.ts";
import { latestProgram, unfinishedProgram } from "./program/memory.ts";
import { ProgramDesk } from "./program/program-desk.ts";
import type { Runner } from "./program/runner.ts";
import type { Undoer } from "./program/undo.ts";
import type { Watches } from "./program/watches.ts";
import { helloOf, type Self, wireFailure } from "./program/wire.ts";

type Received = NonNullable<ConnectResponse["message"]>;
type Sent = NonNullable<ConnectRequest["message"]>;

export interface AgentOptions {
  readonly self: Self;
  readonly ledger: Ledger;
  readonly deeds: DeedTools;
  readonly lock: LockSide;
  readonly runner: Runner;
  readonly undoer: Undoer;
  readonly watches: Watches;
  readonly send: (message: Sent) => boolean;
  readonly takeHealth: (request: Extract<Received, { $case: "takeHealth" }>["value"]) => void;
  /** Files of a rollout that is over. */
  readonly discardParcels: (rollout: string) => Promise<void>;
  /** Told of what this agent cannot go on with, such as a journal that cannot be written. */
  readonly onFatal: (error: unknown) => void;
}

export class Agent {
  readonly #options: AgentOptions;
  readonly #programs: ProgramDesk;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#programs = new ProgramDesk({ ...options, node: options.self.node });
  }

  hello(): Hello {
    return helloOf(this.#options.self, this.#options.ledger.memory);
  }

  /** Goes on with what the journal says is under way. */
  async wake(): Promise<void> {
    const { ledger, undoer, watches, deeds } = this.#options;
    await deeds.tools.releaseLeftOvers();
    undoer.watchAllHolds();
    watches.resumeAll();
    const of = unfinishedProgram(ledger.memory);
    if (of?.undoing === true) this.#programs.undo(of);
    else if (of !== undefined && of.ended === undefined) {
      if (of.enterAsked && !of.entered) {
        await this.#programs.drop(of, failure("enter.unanswered", { cause: "the agent was restarted" }));
      } else this.#programs.start(of);
    }
    this.#watchLeftRunning();
  }

  receive(message: Received): void {
    const { lock, takeHealth, onFatal } = this.#options;
    // These answer what waits inside the queue, so they must not wait behind it.
    if (message.$case === "enterGranted") lock.granted(message.value);
    else if (message.$case === "enterRefused") lock.refused(message.value, reason(message.value.reason));
    else if (message.$case === "takeHealth") takeHealth(message.value);
    else this.#queue = this.#queue.then(() => this.#handle(message)).catch(onFatal);
  }

  async #handle(
    message: Exclude<Received, { $case: "enterGranted" | "enterRefused" | "takeHealth" }>,
  ): Promise<void> {
    const { ledger, undoer, watches } = this.#options;
    switch (message.$case) {
      case "welcome":
      case "ack":
        return;
      case "keepAuditHead": {
        const { head } = message.value;
        await ledger.append({ kind: "audit-head", head });
        this.#options.send({ $case: "auditHeadKept", value: { head } });
        return;
      }
      case "epochNotice":
        return this.#announce(message.value);
      case "runProgram":
        return message.value.program === undefined ? undefined : this.#programs.accept(message.value.program);
      case "stopProgram":
        return this.#programs.stop(message.value);
      case "programFreed":
        return this.#programs.free(message.value);
      case "rolloutClosed":
        return this.#close(message.value.rollout);
      case "makeHoldPermanent": {
        const { rollout, stage, step } = message.value;
        const programs = [...ledger.memory.programs.values()];
        // a later attempt may only have found it made
        const makers = programs.filter(({ steps }) => steps.get(step)?.startedAt !== undefined);
        const of = latestProgram(makers, rollout, stage);
        return undoer.makePermanent({ rollout, stage, attempt: of?.program.attempt ?? 1 }, step);
      }
      case "armWatch":
        return message.value.watch === undefined ? undefined : watches.arm(message.value.watch);
      case "disarmWatch":
        return watches.disarm(message.value);
    }
  }

  async #announce(notice: EpochNotice): Promise<void> {
    const { ledger, lock, send } = this.#options;
    const { cluster, epoch, nonce } = notice;
    const answer = lock.answerNotice(notice);
    if (answer.says === "yes") {
      const dropped =
        answer.drops === undefined ? undefined : ledger.memory.programs.get(keyText(answer.drops));
      if (dropped !== undefined)
        await this.#programs.drop(dropped, failure("fence.epoch-too-low", { cluster, seen: String(epoch) }));
      await lock.take(notice);
    }
    const said =
      answer.says === "yes" ? { accepted: true } : { accepted: false, refusal: wireFailure(answer.why) };
    send({ $case: "epochSeen", value: { cluster, epoch, nonce, ...said } });
  }

  async #close(rollout: string): Promise<void> {
    const { ledger, undoer } = this.#options;
    const unfinished = unfinishedProgram(ledger.memory);
    // A coordinator that closes what still runs here has lost its memory; this agent has not.
    if (unfinished?.program.rollout === rollout) return;
    await undoer.release(rollout);
    this.#options.watches.forget(rollout);
    await this.#options.deeds.tools.discardAll(rollout);
    await this.#options.discardParcels(rollout);
    await ledger.closeRollout(rollout);
  }

  /** Tools left running at a deadline that only observes: their later end is still journalled. */
  #watchLeftRunning(): void {
    const { deeds, ledger, runner } = this.#options;
    for (const tool of deeds.tools.open()) {
      const of = ledger.memory.programs.get(keyText(tool.ref));
      if (of?.ended !== undefined) runner.watchOn(of, tool).catch(this.#options.onFatal);
    }
  }
}

function reason(
  given: { readonly code: string; readonly facts: Readonly<Record<string, string>> } | undefined,
): Failure {
  return failure("enter.refused", { ...given?.facts, reason: given?.code ?? "" });
}
