/** Programs of the coordinator on this node: taken whole or not at all, begun, dropped, asked to stop, freed. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { type Program, ProgramOutcome } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { whyNotAdmitted } from "./admission.ts";
import type { DeedTools } from "./deed-context.ts";
import { keyText } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import type { LockSide } from "./lock-side.ts";
import { isAtWork, latestProgram, type Memory, type ProgramMemory, unfinishedProgram } from "./memory.ts";
import type { Runner } from "./runner.ts";
import { keyOf } from "./say.ts";
import { wireFailure } from "./wire.ts";

export interface ProgramDeskOptions {
  readonly node: string;
  readonly ledger: Ledger;
  readonly deeds: DeedTools;
  readonly lock: LockSide;
  readonly runner: Runner;
  readonly send: (message: NonNullable<ConnectRequest["message"]>) => boolean;
  /** Told of what this agent cannot go on with, such as a journal that cannot be written. */
  readonly onFatal: (error: unknown) => void;
}

interface Stage {
  readonly rollout: string;
  readonly stage: string;
  readonly epoch: number;
}

export class ProgramDesk {
  readonly #options: ProgramDeskOptions;

  constructor(options: ProgramDeskOptions) {
    this.#options = options;
  }

  /** Taken whole or not at all, and answered either way; one that is known already is not begun a second time. */
  async accept(program: Program): Promise<void> {
    const { ledger, send } = this.#options;
    const known = ledger.memory.programs.get(keyText(program));
    const refusal = known === undefined ? this.#whyNot(program) : whyNotSame(known.program, program);
    if (refusal === undefined && known === undefined) {
      const waiting = unfinishedProgram(ledger.memory);
      if (waiting !== undefined && waiting.ended === undefined)
        await this.drop(waiting, failure("program.overtaken"));
      await ledger.append({ kind: "accepted", program });
    }
    const { rollout, stage, attempt, epoch } = program;
    const said = refusal === undefined ? {} : { refusal: wireFailure(refusal) };
    send({
      $case: "programAccepted",
      value: { rollout, stage, attempt, epoch, accepted: refusal === undefined, ...said },
    });
    const of = ledger.memory.programs.get(keyText(program));
    if (of !== undefined && known === undefined) this.start(of);
  }

  #whyNot(program: Program): Failure | undefined {
    const { deeds, ledger, lock, node } = this.#options;
    if (ledger.full) return failure("journal.full");
    const running = deeds.tools.open().find(({ ref }) => ref.part !== "reaction");
    if (running !== undefined) return failure("agent.tool-still-running", { tool: running.name });
    const malformed = whyNotAdmitted(program, deeds.vocabulary, node);
    if (malformed !== undefined) return malformed;
    const unfinished = unfinishedProgram(ledger.memory);
    const answer = program.epoch === 0 ? undefined : lock.answerProgram(program);
    if (answer?.says === "no") return answer.why;
    // Also one that holds no lock: a node does one program at a time.
    const busy = unfinished !== undefined && isAtWork(unfinished) && answer?.drops === undefined;
    return busy || (answer === undefined && unfinished !== undefined)
      ? failure("agent.busy", { program: keyText(unfinished.program) })
      : undefined;
  }

  /** Runs it from where its journal stands. */
  start(of: ProgramMemory): void {
    this.#options.runner.run(of).catch(this.#options.onFatal);
  }

  /** Ends a program that has not entered: nothing has changed on the node. */
  async drop(of: ProgramMemory, why: Failure): Promise<void> {
    const { lock, runner } = this.#options;
    runner.forsake(of);
    lock.giveUp(of, why);
    await runner.drop(of, { outcome: ProgramOutcome.NEVER_BEGUN, step: "", failure: why });
    lock.lookAgain();
  }

  /** At its next safe boundary; one that has ended may still be asked, once, to undo what it has done. */
  async stop({
    rollout,
    stage,
    epoch,
    undo,
    ask,
  }: Stage & { readonly epoch: number; readonly undo: boolean; readonly ask: number }): Promise<void> {
    const { memory } = this.#options.ledger;
    const of = latestProgram([...memory.programs.values()], rollout, stage);
    if (of === undefined || of.program.epoch !== epoch || !isUnderLock(memory, of)) return;
    if (of.undoing || (ask > 0 && ask <= (of.stopAsked?.ask ?? 0))) return;
    if (of.ended === undefined && !of.entered && this.#options.lock.isOut(of)) {
      return this.drop(of, failure("program.stopped-before-enter"));
    }
    await this.#options.ledger.append({ kind: "stop-asked", ...keyOf(of.program), undo, ask });
    if (of.undoing) this.undo(of);
  }

  /** Undoes what an ended program has left behind; after a restart of the agent too. */
  undo(of: ProgramMemory): void {
    this.#options.runner.undoEnded(of).catch(this.#options.onFatal);
  }

  /** The lock is free again. One message frees a stage with all its phases. */
  async free({ rollout, stage, epoch }: Stage & { readonly epoch: number }): Promise<void> {
    const of = unfinishedProgram(this.#options.ledger.memory);
    if (of === undefined || of.program.rollout !== rollout || of.program.epoch !== epoch) return;
    if (of.program.stage !== stage && !of.program.stage.startsWith(`${stage}/`)) return;
    if (of.undoing) return;
    if (of.ended !== undefined) await this.#options.ledger.append({ kind: "freed", ...keyOf(of.program) });
    else if (this.#options.lock.isOut(of)) await this.drop(of, failure("program.withdrawn"));
  }
}

/** Not freed, or followed by another try or phase under the same lock; one that only looked has not entered it. */
function isUnderLock(memory: Memory, of: ProgramMemory): boolean {
  if (!of.freed) return true;
  const present = unfinishedProgram(memory)?.program;
  return present?.epoch === of.program.epoch && present.nonce === of.program.nonce;
}

/** The same program may come twice, when the answer was lost; another one under its name may not. */
function whyNotSame(known: Program, program: Program): Failure | undefined {
  return JSON.stringify(known) === JSON.stringify(program)
    ? undefined
    : failure("program.differs", { program: keyText(program) });
}
