/**
 * This node's side of the lock: which epochs it has seen, which programs it takes, and the question it asks before
 * the first change. Every answer is durable before it is given. A grant that comes after the agent gave up asking
 * is not listened to; that it gave up is said on this stream or in the next Hello.
 */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectRequest, EpochNotice } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Program } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { keyText } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import type { LockView } from "./lock-view.ts";
import { type ProgramMemory, unfinishedProgram } from "./memory.ts";
import { keyOf } from "./say.ts";

export const enterLimitMs = 5_000;

export interface LockSideOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** False when there is no stream; what was sent may still be lost. */
  readonly send: (message: NonNullable<ConnectRequest["message"]>) => boolean;
  readonly enterLimitMs?: number;
}

interface Ticket {
  readonly cluster: string;
  readonly epoch: number;
  readonly nonce: string;
}

type EnterAnswer = "granted" | "gave-up" | { readonly refused: Failure };

export class LockSide implements LockView {
  readonly #options: LockSideOptions;
  #asking: { readonly ticket: Ticket; readonly answer: (answer: EnterAnswer) => void } | undefined;

  constructor(options: LockSideOptions) {
    this.#options = options;
  }

  /** Takes an epoch, or says why not; `waiting` is a program that must be dropped for it first. */
  whyNotAnnounced(notice: EpochNotice): { readonly refusal?: Failure; readonly waiting?: ProgramMemory } {
    const { memory } = this.#options.ledger;
    const seen = memory.highest.get(notice.cluster);
    if (seen !== undefined && notice.epoch < seen.epoch)
      return { refusal: failure("epoch.too-low", { epoch: String(notice.epoch), seen: String(seen.epoch) }) };
    if (seen !== undefined && notice.epoch === seen.epoch) {
      return notice.nonce === seen.nonce
        ? {}
        : { refusal: failure("epoch.other-nonce", { epoch: String(notice.epoch) }) };
    }
    const unfinished = unfinishedProgram(memory);
    if (unfinished === undefined) return {};
    if (unfinished.entered)
      return { refusal: failure("epoch.program-unfinished", { program: keyText(unfinished.program) }) };
    return unfinished.program.cluster === notice.cluster && unfinished.program.epoch > 0
      ? { waiting: unfinished }
      : {};
  }

  async take(notice: EpochNotice): Promise<void> {
    const { cluster, epoch, nonce, rollout, auditHead } = notice;
    await this.#options.ledger.append({ kind: "epoch-seen", cluster, epoch, nonce, rollout, auditHead });
  }

  whyNotTaken(program: Program): Failure | undefined {
    const unfinished = unfinishedProgram(this.#options.ledger.memory);
    const retries =
      unfinished !== undefined && unfinished.ended !== undefined && isSameStage(unfinished.program, program);
    if (unfinished !== undefined && !retries)
      return failure("agent.busy", { program: keyText(unfinished.program) });
    return program.epoch === 0 ? undefined : this.whyOvertaken(program);
  }

  whyOvertaken({ cluster, epoch, nonce }: Program): Failure | undefined {
    const seen = this.#options.ledger.memory.highest.get(cluster);
    if (seen?.epoch === epoch && seen.nonce === nonce) return undefined;
    return failure("program.epoch-overtaken", { epoch: String(epoch), seen: String(seen?.epoch ?? 0) });
  }

  async enter(program: Program): Promise<"entered" | { readonly refused: Failure }> {
    const { ledger } = this.#options;
    const { cluster, epoch, nonce, rollout, stage } = program;
    const overtaken = this.whyOvertaken(program);
    if (overtaken !== undefined) return { refused: overtaken };
    await ledger.append({ kind: "enter-asked", ...keyOf(program) });
    const answered = this.#wait({ cluster, epoch, nonce });
    this.#options.send({ $case: "enterRequest", value: { cluster, rollout, stage, epoch, nonce } });
    const answer = await answered;
    if (answer === "gave-up") {
      await this.abandon(program);
      return {
        refused: failure("enter.unanswered", { limitMs: String(this.#options.enterLimitMs ?? enterLimitMs) }),
      };
    }
    if (answer !== "granted") return answer;
    await ledger.append({ kind: "entered", ...keyOf(program) });
    return "entered";
  }

  /** Journals that the question is not waited for any longer, and says so. */
  async abandon({ cluster, epoch, nonce }: Ticket): Promise<void> {
    await this.#options.ledger.append({ kind: "enter-abandoned", cluster, epoch, nonce });
    this.#options.send({ $case: "enterAbandoned", value: { cluster, epoch, nonce } });
  }

  /** An answer to the present question; any other is late or strange and is not listened to. */
  answer(ticket: Ticket, answer: "granted" | { readonly refused: Failure }): void {
    const asking = this.#asking;
    if (asking === undefined || asking.ticket.cluster !== ticket.cluster) return;
    if (asking.ticket.epoch !== ticket.epoch || asking.ticket.nonce !== ticket.nonce) return;
    asking.answer(answer);
  }

  #wait(ticket: Ticket): Promise<EnterAnswer> {
    return new Promise<EnterAnswer>((resolve) => {
      const { clock, enterLimitMs: limitMs = enterLimitMs } = this.#options;
      const cancel = clock.after(limitMs, () => resolve("gave-up"));
      this.#asking = {
        ticket,
        answer: (answer) => {
          cancel();
          resolve(answer);
        },
      };
    }).finally(() => {
      this.#asking = undefined;
    });
  }
}

function isSameStage(a: Program, b: Program): boolean {
  return a.rollout === b.rollout && a.stage === b.stage && a.attempt < b.attempt;
}
