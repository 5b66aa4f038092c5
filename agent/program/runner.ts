/**
 * Runs a program to its end: steps in order, each recorded before and after, the lock entered before the first
 * change, the epoch looked at before every one. It needs no coordinator once it has entered, and after a restart
 * it goes on from the journal. A failure stops it; nothing is undone unless that was asked for.
 */
import { type Facts, type Failure, failure } from "#proto/common/failure.ts";
import {
  OnDeadline,
  type Program,
  ProgramOutcome,
  type Step,
  StepPhase,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { doDeed, Leaving } from "./deed.ts";
import type { DeedTools } from "./deed-context.ts";
import { type Entry, keyText } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import type { LockView } from "./lock-view.ts";
import { begunBefore, changesThings, type ProgramMemory, type ToolMemory } from "./memory.ts";
import { momentOf } from "./moment.ts";
import { Progress } from "./progress.ts";
import { earlierOutputs, keyOf, stepEntry } from "./say.ts";
import type { Undoer } from "./undo.ts";

export interface RunnerOptions {
  readonly ledger: Ledger;
  readonly deeds: DeedTools;
  readonly lock: LockView;
  readonly undoer: Undoer;
}

/** How a step went, for the loop: `stop` means that the end of the program is journalled. */
type Verdict = "next" | "stop";

export interface Ending {
  readonly outcome: ProgramOutcome;
  readonly step: string;
  readonly failure?: Failure;
}

export class Runner {
  readonly #options: RunnerOptions;
  #running: Promise<void> = Promise.resolve();
  #present: { readonly of: ProgramMemory; readonly dropped: AbortController } | undefined;
  readonly #forsaken = new WeakSet<ProgramMemory>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Runs it after whatever runs now. Resolves at its journalled end, or when the agent leaves. */
  run(of: ProgramMemory): Promise<void> {
    this.#running = this.#running.then(() => this.#runAlone(of)).catch(leavingOnly);
    return this.#running;
  }

  /** From now on nothing more is done or said for this program here; its end is said by `drop`. */
  forsake(of: ProgramMemory): void {
    this.#forsaken.add(of);
    if (this.#present?.of === of) this.#present.dropped.abort();
  }

  /** Ends a forsaken program that has not entered: what it observes is left, nothing has changed. */
  async drop(of: ProgramMemory, ending: Ending): Promise<void> {
    if (of.ended === undefined) await this.#end(of, ending);
    const { tools } = this.#options.deeds;
    const ended = AbortSignal.abort();
    await Promise.all(
      tools
        .open()
        .filter(({ ref }) => keyText(ref) === keyText(of.program))
        .map((tool) => tools.finish(tool, ended)),
    );
  }

  /** Waits for a tool that an ended program has left running, and tells how it ended. */
  async watchOn(of: ProgramMemory, tool: ToolMemory): Promise<void> {
    const run = await this.#options.deeds.tools.finish(tool, new AbortController().signal);
    const outputs = {
      endedLater: run.result,
      ...(run.exitCode === undefined ? {} : { exitCode: String(run.exitCode) }),
    };
    const said = { outputs, tail: run.tail, runner: run.runner };
    await this.#options.ledger.append(
      stepEntry(of.program, tool.ref.step, StepPhase.PROGRESS, this.#moment(), said),
    );
  }

  /** Undoes what an ended program has left behind, and says so with a new end. */
  undoEnded(of: ProgramMemory): Promise<void> {
    this.#running = this.#running.then(() => this.#stopped(of, of.ended?.step ?? "")).catch(leavingOnly);
    return this.#running;
  }

  async #runAlone(of: ProgramMemory): Promise<void> {
    if (this.#isOver(of)) return;
    this.#present = { of, dropped: new AbortController() };
    await this.#drive(of).finally(() => {
      this.#present = undefined;
    });
  }

  async #drive(of: ProgramMemory): Promise<void> {
    const { steps } = of.program;
    for (const [i, step] of steps.entries()) {
      if (this.#isOver(of)) return;
      const before = steps[i - 1];
      if (of.stopAsked !== undefined && this.#isSafe(of, before)) return this.#stopped(of, step.id);
      if (isDone(of, step)) continue;
      const expired = this.#options.undoer.expiredHold(of);
      if (expired !== undefined) {
        return this.#end(of, {
          outcome: ProgramOutcome.FAILED,
          step: step.id,
          failure: failure("hold.limit-passed", { step: expired }),
        });
      }
      if ((await this.#step(of, step)) === "stop") return;
    }
    if (of.stopAsked?.undo === true && this.#options.undoer.undoable(of).length > 0)
      return this.#stopped(of, steps.at(-1)?.id ?? "");
    await this.#end(of, { outcome: ProgramOutcome.DONE, step: "" });
  }

  async #step(of: ProgramMemory, step: Step): Promise<Verdict> {
    if (changesThings(step.class) && !of.entered && !(await this.#enter(of, step))) return "stop";
    const end = await doDeed(this.#deed(of, step), this.#deedTools());
    const event = stepEntry(of.program, step.id, phaseOf[end.end], this.#moment(), end);
    if (end.end === "done" || end.end === "found-done") {
      await this.#options.ledger.append(event);
      this.#options.undoer.watchHold(of, step);
      return "next";
    }
    const outcome = end.end === "failed" ? ProgramOutcome.FAILED : ProgramOutcome.UNKNOWN;
    const why = end.failure === undefined ? {} : { failure: end.failure };
    await this.#options.ledger.append(event, endEntry(of.program, { outcome, step: step.id, ...why }));
    this.#options.undoer.watchHold(of, step);
    return "stop";
  }

  #deedTools(): DeedTools {
    const { deeds } = this.#options;
    const dropped = this.#present?.dropped.signal;
    return dropped === undefined ? deeds : { ...deeds, leaving: AbortSignal.any([deeds.leaving, dropped]) };
  }

  async #enter(of: ProgramMemory, step: Step): Promise<boolean> {
    const answer = await this.#options.lock.enter(of);
    if (answer === "entered") return true;
    if (!this.#isOver(of))
      await this.#end(of, { outcome: ProgramOutcome.NEVER_BEGUN, step: step.id, failure: answer.refused });
    return false;
  }

  #deed(of: ProgramMemory, step: Step): Parameters<typeof doDeed>[0] {
    const { ledger, lock } = this.#options;
    const key = keyOf(of.program);
    const begunAt = of.steps.get(step.id)?.startedAt;
    const say = (phase: StepPhase, outputs: Facts) =>
      ledger.append(stepEntry(of.program, step.id, phase, this.#moment(), { outputs }));
    return {
      part: { ...key, step: step.id, part: "run", again: 0 },
      call: step.call,
      changes: changesThings(step.class),
      deadlineMs: step.deadlineMs,
      onDeadline: step.onDeadline === OnDeadline.OBSERVE ? "observe" : "end",
      ...(begunAt === undefined ? {} : { begunAt }),
      begin: () => say(StepPhase.STARTED, {}),
      mayChange: () => lock.whyOvertaken(of.program),
      earlier: earlierOutputs(of),
      begunBefore: begunBefore(ledger.memory, key),
      progress: new Progress(this.#options.deeds.time.clock, (facts) => say(StepPhase.PROGRESS, facts)).tell,
      endedLater: (facts) => void say(StepPhase.PROGRESS, facts),
    };
  }

  /** Safe: nothing has changed yet, or the step before says that the node may be left so. */
  #isSafe(of: ProgramMemory, before: Step | undefined): boolean {
    return before === undefined || !of.entered || before.mayStopAfter;
  }

  async #stopped(of: ProgramMemory, step: string): Promise<void> {
    if (!of.entered) {
      return this.#end(of, {
        outcome: ProgramOutcome.NEVER_BEGUN,
        step,
        failure: failure("program.stopped-before-enter"),
      });
    }
    const failed = of.stopAsked?.undo === true ? await this.#options.undoer.undoAll(of) : undefined;
    if (failed === undefined) return this.#end(of, { outcome: ProgramOutcome.STOPPED, step });
    await this.#end(of, { outcome: ProgramOutcome.UNKNOWN, ...failed });
  }

  #isOver(of: ProgramMemory): boolean {
    return of.ended !== undefined || this.#forsaken.has(of);
  }

  #end(of: ProgramMemory, ending: Ending): Promise<void> {
    return this.#options.ledger.append(endEntry(of.program, ending));
  }

  #moment() {
    return momentOf(this.#options.deeds.time);
  }
}

const phaseOf = {
  done: StepPhase.DONE,
  "found-done": StepPhase.FOUND_DONE,
  failed: StepPhase.FAILED,
  unknown: StepPhase.UNKNOWN,
} as const;

function isDone(of: ProgramMemory, step: Step): boolean {
  const ended = of.steps.get(step.id)?.ended;
  return ended === StepPhase.DONE || ended === StepPhase.FOUND_DONE;
}

function endEntry(program: Program, ending: Ending): Entry {
  return { kind: "ended", ...keyOf(program), epoch: program.epoch, ...ending };
}

function leavingOnly(error: unknown): void {
  if (!(error instanceof Leaving)) throw error;
}
