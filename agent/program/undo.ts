/**
 * Undoing: all that is reversible when a stop asks for it, in reverse order; and each hold by itself when its
 * limit passes, with or without a coordinator. In doubt about the time a hold is undone.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Step, StepClass, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { doDeed } from "./deed.ts";
import type { DeedTools } from "./deed-context.ts";
import type { ProgramKey } from "./entry.ts";
import { keyText } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import type { LockView } from "./lock-view.ts";
import { begunBefore, type ProgramMemory, type StepMemory, startedByUs } from "./memory.ts";
import { elapsedMs, momentOf } from "./moment.ts";
import { earlierOutputs, keyOf, stepEntry } from "./say.ts";

export interface UndoerOptions {
  readonly ledger: Ledger;
  readonly deeds: DeedTools;
  readonly lock: Pick<LockView, "whyOvertaken">;
  /** Is told what no caller waits for; a journal that cannot be written, as a rule. */
  readonly onError: (error: unknown) => void;
}

/** A fence or a paused pooler that stays is an outage: its undo is tried again, but not for ever. */
const maxUndoTries = 10;
const undoPauseMs = 5_000;

export class Undoer {
  readonly #options: UndoerOptions;
  readonly #underway = new Map<string, Promise<Failure | undefined>>();
  readonly #timers = new Map<string, () => void>();

  constructor(options: UndoerOptions) {
    this.#options = options;
  }

  /** Undoes this program's own reversible deeds, last first; stops at the first that cannot be undone. */
  async undoAll(
    of: ProgramMemory,
  ): Promise<{ readonly step: string; readonly failure: Failure } | undefined> {
    for (const step of this.undoable(of)) {
      const why = await this.#undo(of, step);
      if (why !== undefined) return { step: step.id, failure: why };
    }
    return undefined;
  }

  /**
   * Our own reversible deeds, last first, back to the last irreversible one; none where the node may not be left
   * as that one leaves it: what stood before it cannot be had again.
   */
  undoable(of: ProgramMemory): readonly Step[] {
    const { steps } = of.program;
    const begun = (step: Step) => startedByUs(this.#options.ledger.memory, keyOf(of.program), step.id);
    const last = steps.findLastIndex((step) => step.class === StepClass.IRREVERSIBLE && begun(step));
    if (last >= 0 && steps[last]?.mayStopAfter !== true) return [];
    return steps
      .slice(last + 1)
      .filter((step) => step.undo !== undefined && step.class === StepClass.REVERSIBLE && begun(step))
      .toReversed();
  }

  /** Watches over a hold from now on; nothing happens for a step that is none, or that never began. */
  watchHold(of: ProgramMemory, step: Step): void {
    const memory = of.steps.get(step.id);
    if (!isHeld(step, memory)) return;
    const key = `${keyText(of.program)}/${step.id}`;
    this.#timers.get(key)?.();
    const why = failure("hold.limit-passed", { limitMs: String(step.holdLimitMs) });
    const inMs =
      memory.undo === undefined ? this.#remainingMs(step, memory) : memory.undoFailures * undoPauseMs;
    const again = () => this.watchHold(of, step);
    const passed = () => void this.#undo(of, step, why).then(again, this.#options.onError);
    this.#timers.set(key, this.#options.deeds.time.clock.after(inMs, passed));
  }

  /** After a start of the agent: every hold of the journal that still stands. */
  watchAllHolds(): void {
    for (const of of this.#options.ledger.memory.programs.values()) {
      for (const step of of.program.steps) this.watchHold(of, step);
    }
  }

  /** The answer is journalled, and the same for ever. Refused once the limit has passed or the undo has begun. */
  async makePermanent(key: ProgramKey, stepId: string): Promise<void> {
    const of = this.#options.ledger.memory.programs.get(keyText(key));
    const step = of?.program.steps.find(({ id }) => id === stepId);
    const memory = of?.steps.get(stepId);
    const why = this.#whyNotPermanent(step, memory);
    if (why === undefined) this.#timers.get(`${keyText(key)}/${stepId}`)?.();
    const refusal = why === undefined ? {} : { refusal: why };
    await this.#options.ledger.append({
      kind: "hold-answered",
      ...key,
      step: stepId,
      madePermanent: why === undefined,
      ...refusal,
    });
  }

  /** A hold of this program that stands no longer, so that nothing may be built on it. */
  expiredHold(of: ProgramMemory): string | undefined {
    return of.program.steps.find(
      ({ id, holdLimitMs }) => holdLimitMs > 0 && of.steps.get(id)?.undo !== undefined,
    )?.id;
  }

  /** Holds of a rollout that still stand. */
  standing(rollout: string): readonly { readonly of: ProgramMemory; readonly step: Step }[] {
    const programs = [...this.#options.ledger.memory.programs.values()].filter(
      ({ program }) => program.rollout === rollout,
    );
    return programs.flatMap((of) =>
      of.program.steps.filter((step) => isHeld(step, of.steps.get(step.id))).map((step) => ({ of, step })),
    );
  }

  /** Ends every hold of a rollout now. */
  async release(rollout: string): Promise<void> {
    for (const { of, step } of this.standing(rollout))
      await this.#undo(of, step, failure("hold.rollout-closed"));
  }

  #whyNotPermanent(step: Step | undefined, memory: StepMemory | undefined): Failure | undefined {
    if (step === undefined || memory?.startedAt === undefined || step.holdLimitMs === 0)
      return failure("hold.unknown", { step: step?.id ?? "" });
    if (memory.permanent === true) return undefined;
    if (memory.undo !== undefined) return failure("hold.undone", { step: step.id });
    if (memory.ended !== StepPhase.DONE && memory.ended !== StepPhase.FOUND_DONE)
      return failure("hold.not-standing", { step: step.id });
    if (this.#remainingMs(step, memory) <= 0) return failure("hold.limit-passed", { step: step.id });
    return undefined;
  }

  /** Another boot, or a clock that ran backwards, is doubt: then nothing remains. */
  #remainingMs(step: Step, { startedAt }: StepMemory): number {
    const now = momentOf(this.#options.deeds.time);
    if (startedAt === undefined || startedAt.bootId !== now.bootId || now.wallMs < startedAt.wallMs) return 0;
    const spent = Math.max(elapsedMs(startedAt, now) ?? step.holdLimitMs, now.wallMs - startedAt.wallMs);
    return Math.max(0, step.holdLimitMs - spent);
  }

  #undo(of: ProgramMemory, step: Step, because?: Failure): Promise<Failure | undefined> {
    const key = `${keyText(of.program)}/${step.id}`;
    const underway =
      this.#underway.get(key) ?? this.#undoOnce(of, step, because).finally(() => this.#underway.delete(key));
    this.#underway.set(key, underway);
    return underway;
  }

  async #undoOnce(of: ProgramMemory, step: Step, because?: Failure): Promise<Failure | undefined> {
    const { ledger, deeds } = this.#options;
    const memory = of.steps.get(step.id);
    if (memory?.undo === "undone") return undefined;
    // what was made permanent outlives its limit and its rollout, not a wish to have it undone
    if (memory?.permanent === true && because !== undefined) return undefined;
    const moment = momentOf(deeds.time);
    const end = await doDeed(
      {
        part: { ...keyOf(of.program), step: step.id, part: "undo", again: memory?.undoFailures ?? 0 },
        call: step.undo,
        changes: true,
        deadlineMs: step.deadlineMs,
        onDeadline: "end",
        begin: () =>
          memory?.undo === "started"
            ? Promise.resolve()
            : ledger.append({ kind: "undo-started", ...keyOf(of.program), step: step.id }),
        // A hold's own limit outranks the lock: taking a fence down again is what the limit is for.
        mayChange: () => (because === undefined ? this.#options.lock.whyOvertaken(of.program) : undefined),
        earlier: earlierOutputs(of),
        begunBefore: begunBefore(ledger.memory, keyOf(of.program)),
        progress: () => undefined,
        endedLater: () => undefined,
      },
      deeds,
    );
    const undone = end.end === "done" || end.end === "found-done";
    const why = undone ? because : end.failure;
    const said = why === undefined ? end : { ...end, failure: why };
    await ledger.append(
      stepEntry(of.program, step.id, undone ? StepPhase.UNDONE : StepPhase.UNDO_FAILED, moment, said),
    );
    return undone ? undefined : (end.failure ?? failure("step.without-reason"));
  }
}

function isHeld(step: Step, memory: StepMemory | undefined): memory is StepMemory {
  if (step.holdLimitMs === 0 || memory?.startedAt === undefined || memory.permanent === true) return false;
  return memory.undo !== "undone" && memory.undoFailures < maxUndoTries;
}
