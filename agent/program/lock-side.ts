/**
 * This node's side of the lock: fence.ts decides, this file makes each answer durable before it is given and asks
 * to enter. An agent that gives up asking ends the program as never begun, and tells that until it is stored.
 */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectRequest, EpochNotice } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Program } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import {
  type Answer,
  answerEnter,
  answerNotice,
  answerProgram,
  enterLimitMs,
  type FencedProgram,
  type FenceView,
  type Fencing,
  mayChange,
} from "./fence.ts";
import type { Ledger } from "./ledger.ts";
import type { LockView } from "./lock-view.ts";
import { isAtWork, type ProgramMemory, unfinishedProgram } from "./memory.ts";
import { keyOf } from "./say.ts";

export interface LockSideOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** False when there is no stream; what was sent may still be lost. */
  readonly send: (message: NonNullable<ConnectRequest["message"]>) => boolean;
  readonly attached: () => boolean;
}

type EnterAnswer = "granted" | "gave-up" | { readonly refused: Failure };

interface Question {
  readonly fencing: Fencing;
  readonly sinceMs: number;
  readonly settle: (answer: EnterAnswer) => void;
}

export class LockSide implements LockView {
  readonly #options: LockSideOptions;
  #question: Question | undefined;
  /** Let in, and the entry for it is on its way to the disk: for the fence it has entered already. */
  #letIn: Program | undefined;
  #wake: () => void = () => undefined;

  constructor(options: LockSideOptions) {
    this.#options = options;
  }

  answerNotice(notice: EpochNotice): Answer {
    return answerNotice(this.#view(), notice);
  }

  async take({ cluster, epoch, nonce, rollout, auditHead }: EpochNotice): Promise<void> {
    await this.#options.ledger.append({ kind: "epoch-seen", cluster, epoch, nonce, rollout, auditHead });
  }

  /** For a program that changes things. */
  answerProgram(program: Program): Answer {
    return answerProgram(this.#view(), program);
  }

  whyOvertaken(program: Program): Failure | undefined {
    const answer = mayChange(this.#view(), program);
    return answer.says === "yes" ? undefined : answer.why;
  }

  /** A stream has become the live one, or a waiting program was dropped: who waits to ask looks again. */
  lookAgain(): void {
    this.#wake();
  }

  async enter(of: ProgramMemory): Promise<"entered" | { readonly refused: Failure }> {
    const { ledger, send, attached } = this.#options;
    const { program } = of;
    // Nobody there to ask: the program waits, and may be dropped meanwhile, but does not use up its deadline.
    while (!attached() && of.ended === undefined) await this.#nextStream();
    if (of.ended !== undefined) return { refused: of.ended.failure ?? failure("program.overtaken") };
    const overtaken = this.whyOvertaken(program);
    if (overtaken !== undefined) return { refused: overtaken };
    await ledger.append({ kind: "enter-asked", ...keyOf(program) });
    const answered = this.#ask(program);
    const { cluster, epoch, nonce, rollout, stage } = program;
    send({ $case: "enterRequest", value: { cluster, rollout, stage, epoch, nonce } });
    const answer = await answered;
    if (answer === "gave-up")
      return { refused: failure("enter.unanswered", { limitMs: String(enterLimitMs) }) };
    if (answer !== "granted") return answer;
    await ledger.append({ kind: "entered", ...keyOf(program) }).finally(() => {
      this.#letIn = undefined;
    });
    return "entered";
  }

  /** Not entered, nor about to be: it can still be dropped. */
  isOut(of: ProgramMemory): boolean {
    return !of.entered && this.#letIn !== of.program;
  }

  /** Stops asking for a program that is dropped; a yes that comes now is not listened to. */
  giveUp(of: ProgramMemory, why: Failure): void {
    if (this.#question?.fencing === of.program) this.#question.settle({ refused: why });
  }

  granted(granted: Fencing): void {
    const question = this.#question;
    if (question === undefined) return;
    const waitedMs = this.#options.clock.monotonicMs() - question.sinceMs;
    if (answerEnter(this.#view(), granted, waitedMs).says === "yes") question.settle("granted");
  }

  refused({ epoch, nonce }: Fencing, why: Failure): void {
    const question = this.#question;
    if (question?.fencing.epoch === epoch && question.fencing.nonce === nonce)
      question.settle({ refused: why });
  }

  #nextStream(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #ask(program: Program): Promise<EnterAnswer> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const settle = (answer: EnterAnswer) => {
        cancel();
        this.#question = undefined;
        if (answer === "granted") this.#letIn = program;
        resolve(answer);
      };
      const cancel = clock.after(enterLimitMs, () => settle("gave-up"));
      this.#question = { fencing: program, sinceMs: clock.monotonicMs(), settle };
    });
  }

  #view(): FenceView {
    const { memory } = this.#options.ledger;
    const unfinished = unfinishedProgram(memory);
    const fenced =
      unfinished === undefined || unfinished.program.epoch === 0 ? undefined : this.#fenced(unfinished);
    return { highest: memory.highest, program: fenced };
  }

  #fenced(of: ProgramMemory): FencedProgram {
    const { rollout, stage, attempt, cluster, epoch, nonce } = of.program;
    const entered = of.entered || this.#letIn === of.program;
    const standing = !isAtWork(of) ? "ended" : entered ? "in-flight" : of.enterAsked ? "entering" : "waiting";
    return { rollout, stage, attempt, cluster, epoch, nonce, standing };
  }
}
