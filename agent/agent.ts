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
import { type Program, ProgramOutcome } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { whyNotAdmitted } from "./program/admission.ts";
import type { DeedTools } from "./program/deed-context.ts";
import { keyText } from "./program/entry.ts";
import type { Ledger } from "./program/ledger.ts";
import type { LockSide } from "./program/lock-side.ts";
import { type Memory, type ProgramMemory, unfinishedProgram } from "./program/memory.ts";
import type { Runner } from "./program/runner.ts";
import { keyOf } from "./program/say.ts";
import type { Undoer } from "./program/undo.ts";
import type { Watches } from "./program/watches.ts";
import { helloOf, type Self } from "./program/wire.ts";

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
  /** Told of what this agent cannot go on with, such as a journal that cannot be written. */
  readonly onFatal: (error: unknown) => void;
}

interface Stage {
  readonly rollout: string;
  readonly stage: string;
}

export class Agent {
  readonly #options: AgentOptions;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    this.#options = options;
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
    if (of !== undefined && of.ended === undefined) {
      if (of.enterAsked && !of.entered) {
        await this.#drop(of, failure("enter.unanswered", { cause: "the agent was restarted" }));
      } else this.#start(of);
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
        return message.value.program === undefined ? undefined : this.#accept(message.value.program);
      case "stopProgram":
        return this.#stop(message.value);
      case "programFreed":
        return this.#free(message.value);
      case "rolloutClosed":
        return this.#close(message.value.rollout);
      case "makeHoldPermanent": {
        const { rollout, stage, step } = message.value;
        const programs = [...ledger.memory.programs.values()];
        // a later attempt may only have found it made
        const makers = programs.filter(({ steps }) => steps.get(step)?.startedAt !== undefined);
        const of = latest(makers, rollout, stage);
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
        await this.#drop(dropped, failure("fence.epoch-too-low", { cluster, seen: String(epoch) }));
      await lock.take(notice);
    }
    const said =
      answer.says === "yes" ? { accepted: true } : { accepted: false, refusal: wireFailure(answer.why) };
    send({ $case: "epochSeen", value: { cluster, epoch, nonce, ...said } });
  }

  async #accept(program: Program): Promise<void> {
    const { ledger, send } = this.#options;
    const known = ledger.memory.programs.get(keyText(program));
    const refusal = known === undefined ? this.#whyNot(program) : whyNotSame(known.program, program);
    if (refusal === undefined && known === undefined) {
      const waiting = unfinishedProgram(ledger.memory);
      if (waiting !== undefined && waiting.ended === undefined)
        await this.#drop(waiting, failure("program.overtaken"));
      await ledger.append({ kind: "accepted", program });
    }
    const { rollout, stage, attempt, epoch } = program;
    const said = refusal === undefined ? {} : { refusal: wireFailure(refusal) };
    send({
      $case: "programAccepted",
      value: { rollout, stage, attempt, epoch, accepted: refusal === undefined, ...said },
    });
    const of = ledger.memory.programs.get(keyText(program));
    if (of !== undefined && known === undefined) this.#start(of);
  }

  #whyNot(program: Program): Failure | undefined {
    const { deeds, ledger, lock, self } = this.#options;
    if (ledger.full) return failure("journal.full");
    const running = deeds.tools.open().find(({ ref }) => ref.part !== "reaction");
    if (running !== undefined) return failure("agent.tool-still-running", { tool: running.name });
    const malformed = whyNotAdmitted(program, deeds.vocabulary, self.node);
    if (malformed !== undefined) return malformed;
    const unfinished = unfinishedProgram(ledger.memory);
    const answer = program.epoch === 0 ? undefined : lock.answerProgram(program);
    if (answer?.says === "no") return answer.why;
    // Also one that holds no lock: a node does one program at a time.
    const busy = unfinished !== undefined && unfinished.ended === undefined && answer?.drops === undefined;
    return busy || (answer === undefined && unfinished !== undefined)
      ? failure("agent.busy", { program: keyText(unfinished.program) })
      : undefined;
  }

  #start(of: ProgramMemory): void {
    this.#options.runner.run(of).catch(this.#options.onFatal);
  }

  /** Ends a program that has not entered: nothing has changed on the node. */
  async #drop(of: ProgramMemory, why: Failure): Promise<void> {
    const { lock, runner } = this.#options;
    runner.forsake(of);
    lock.giveUp(of, why);
    if (of.enterAsked) await lock.abandon(of.program);
    await runner.drop(of, { outcome: ProgramOutcome.NEVER_BEGUN, step: "", failure: why });
    lock.lookAgain();
  }

  async #stop({
    rollout,
    stage,
    epoch,
    undo,
  }: Stage & { readonly epoch: number; readonly undo: boolean }): Promise<void> {
    const { memory } = this.#options.ledger;
    const of = latest([...memory.programs.values()], rollout, stage);
    if (of === undefined || of.program.epoch !== epoch || !isUnderLock(memory, of)) return;
    if (of.ended === undefined && !of.entered && this.#options.lock.isOut(of)) {
      return this.#drop(of, failure("program.stopped-before-enter"));
    }
    await this.#options.ledger.append({ kind: "stop-asked", ...keyOf(of.program), undo });
    if (of.ended !== undefined && undo) this.#options.runner.undoEnded(of).catch(this.#options.onFatal);
  }

  /** The lock is free again. One message frees a stage with all its phases. */
  async #free({ rollout, stage, epoch }: Stage & { readonly epoch: number }): Promise<void> {
    const of = unfinishedProgram(this.#options.ledger.memory);
    if (of === undefined || of.program.rollout !== rollout || of.program.epoch !== epoch) return;
    if (of.program.stage !== stage && !of.program.stage.startsWith(`${stage}/`)) return;
    if (of.ended !== undefined) await this.#options.ledger.append({ kind: "freed", ...keyOf(of.program) });
    else if (this.#options.lock.isOut(of)) await this.#drop(of, failure("program.withdrawn"));
  }

  async #close(rollout: string): Promise<void> {
    const { ledger, undoer } = this.#options;
    const unfinished = unfinishedProgram(ledger.memory);
    // A coordinator that closes what still runs here has lost its memory; this agent has not.
    if (unfinished?.program.rollout === rollout) return;
    await undoer.release(rollout);
    this.#options.watches.forget(rollout);
    await this.#options.deeds.tools.discardAll(rollout);
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

function latest(
  programs: readonly ProgramMemory[],
  rollout: string,
  stage: string,
): ProgramMemory | undefined {
  return programs.filter(({ program }) => program.rollout === rollout && program.stage === stage).at(-1);
}

/** Not freed, or followed by another try or phase under the lock that it entered. */
function isUnderLock(memory: Memory, of: ProgramMemory): boolean {
  if (!of.freed) return true;
  const present = unfinishedProgram(memory)?.program;
  return of.entered && present?.epoch === of.program.epoch && present.nonce === of.program.nonce;
}

/** The same program may come twice, when the answer was lost; another one under its name may not. */
function whyNotSame(known: Program, program: Program): Failure | undefined {
  return JSON.stringify(known) === JSON.stringify(program)
    ? undefined
    : failure("program.differs", { program: keyText(program) });
}

function wireFailure({ code, facts }: Failure): {
  readonly code: string;
  readonly facts: Record<string, string>;
} {
  return { code, facts: { ...facts } };
}

function reason(
  given: { readonly code: string; readonly facts: Readonly<Record<string, string>> } | undefined,
): Failure {
  return failure("enter.refused", { ...given?.facts, reason: given?.code ?? "" });
}
