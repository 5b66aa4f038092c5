/**
 * Tools of steps, each started at most once: the journal holds the intention before anything begins, the group's
 * mark before the tool itself does, and the result before the unit or group is released. What an earlier life of
 * this agent has started is found again by the same name.
 */
import { createHash } from "node:crypto";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import type { ToolOrder, ToolRunner, ToolState, ToolTrace } from "../host/tool-runner.ts";
import type { ToolRequest, ToolRun } from "../verb.ts";
import { keyText, type ToolRef } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import type { ToolMemory } from "./memory.ts";
import type { Timekeeper } from "./moment.ts";

export interface ToolsOptions {
  readonly ledger: Ledger;
  readonly time: Timekeeper;
  /** New tools go to `preferred`; those of an earlier life to the runner that began them. */
  readonly preferred: ToolRunner;
  readonly runners: readonly ToolRunner[];
}

export interface ToolUse {
  /** A limit that ends the tool even while the agent is dead; absent where the deadline only observes. */
  readonly limitMs?: number;
  /** Aborts when the tool is to be ended. */
  readonly end: AbortSignal;
  /** Asked immediately before the start; a failure forbids it. */
  readonly mayBegin: () => Failure | undefined;
}

export type PartRef = Omit<ToolRef, "index">;

export class Tools {
  readonly #options: ToolsOptions;

  constructor(options: ToolsOptions) {
    this.#options = options;
  }

  /** Starts the tool or finds it again, and waits for its end. Throws FailureError when it may not begin. */
  async run(ref: ToolRef, request: ToolRequest, use: ToolUse): Promise<ToolRun> {
    const name = toolName(ref);
    const known = this.#options.ledger.memory.tools.get(name);
    const argvDigest = createHash("sha256").update(JSON.stringify(request)).digest("hex");
    if (known === undefined) await this.#intend({ ref, name, argvDigest }, use);
    else if (known.argvDigest !== argvDigest || !samePart(known.ref, ref))
      throw new FailureError(failure("tool.differs-after-restart", { tool: name }));
    const tool = this.#options.ledger.memory.tools.get(name) as ToolMemory;
    if (tool.ended !== undefined) return this.#report(tool);
    let state = known === undefined ? ({ state: "never" } as const) : await this.#over(tool, use.end);
    if (state?.state === "never") {
      const refused = await this.#start(tool, request, use);
      if (refused !== undefined) return { exitCode: 127, result: "exited", tail: refused, runner: name };
      state = await this.#over(tool, use.end);
    }
    return this.#conclude(tool, state);
  }

  /** Those of one part of a step, in the order of their start. */
  of(part: PartRef): readonly ToolMemory[] {
    return [...this.#options.ledger.memory.tools.values()].filter(({ ref }) => samePart(ref, part));
  }

  open(): readonly ToolMemory[] {
    return [...this.#options.ledger.memory.tools.values()].filter(({ ended }) => ended === undefined);
  }

  stateOf(tool: ToolMemory): Promise<ToolState> {
    return this.#runner(tool).look(traceOf(tool));
  }

  /** Waits until the tool is over, or `end` aborts and ends it; journals the result, then releases it. */
  async finish(tool: ToolMemory, end: AbortSignal): Promise<ToolRun> {
    return this.#conclude(tool, await this.#over(tool, end));
  }

  async #conclude(tool: ToolMemory, state: ToolState | undefined): Promise<ToolRun> {
    const runner = this.#runner(tool);
    const ended =
      state === undefined
        ? ({ result: "deadline" } as const)
        : state.state === "ended"
          ? { result: state.result, ...(state.exitCode === undefined ? {} : { exitCode: state.exitCode }) }
          : ({ result: "lost" } as const);
    if (state === undefined) await runner.end(traceOf(tool));
    await this.#options.ledger.append({ kind: "tool-ended", name: tool.name, ...ended });
    await runner.release(traceOf(tool));
    return this.#report(tool);
  }

  /** Ends what outlived tools whose result was journalled just before this agent's last death. */
  async releaseLeftOvers(): Promise<void> {
    const { ledger, time } = this.#options;
    for (const tool of ledger.memory.tools.values()) {
      const freed = ledger.memory.programs.get(keyText(tool.ref))?.freed === true;
      if (tool.ended !== undefined && tool.bootId === time.bootId && !freed)
        await this.#runner(tool).release(traceOf(tool));
    }
  }

  /** Outputs go with the rollout that they belong to; called before it is forgotten. */
  async discardAll(rollout: string): Promise<void> {
    const tools = [...this.#options.ledger.memory.tools.values()].filter(
      ({ ref }) => ref.rollout === rollout,
    );
    await Promise.all(tools.map((tool) => this.#runner(tool).discard(tool.name)));
  }

  async #intend(of: { ref: ToolRef; name: string; argvDigest: string }, use: ToolUse): Promise<void> {
    const { ledger, preferred, time } = this.#options;
    const before = use.mayBegin();
    if (before !== undefined) throw new FailureError(before);
    await ledger.append({ kind: "tool-intended", ...of, runner: preferred.kind, bootId: time.bootId });
  }

  async #start(tool: ToolMemory, request: ToolRequest, use: ToolUse): Promise<string | undefined> {
    const { ledger } = this.#options;
    // Asked again: the entry took its time to become durable.
    const forbidden = use.mayBegin();
    if (forbidden !== undefined) throw new FailureError(forbidden);
    const order: ToolOrder = {
      name: tool.name,
      ...request,
      ...(use.limitMs === undefined ? {} : { limitMs: use.limitMs }),
    };
    const begun = await this.#runner(tool).start(order, (mark) =>
      ledger.append({ kind: "tool-marked", name: tool.name, mark }),
    );
    if ("started" in begun) return undefined;
    await ledger.append({ kind: "tool-ended", name: tool.name, exitCode: 127, result: "exited" });
    return begun.refused;
  }

  /** How it ended; undefined when `end` aborted first. */
  async #over(tool: ToolMemory, end: AbortSignal): Promise<ToolState | undefined> {
    const { clock } = this.#options.time;
    const since = clock.monotonicMs();
    while (!end.aborted) {
      const state = await this.stateOf(tool);
      if (state.state !== "running") return state;
      // Quick tools are noticed quickly; one that runs for minutes costs no more than four looks a second.
      const pauseMs = Math.min(250, Math.max(5, (clock.monotonicMs() - since) / 10));
      await clock.sleep(pauseMs, end).catch(() => undefined);
    }
    const last = await this.stateOf(tool);
    return last.state === "running" ? undefined : last;
  }

  async #report(tool: ToolMemory): Promise<ToolRun> {
    const tail = await this.#runner(tool).tail(tool.name);
    return { exitCode: tool.ended?.exitCode, result: tool.ended?.result ?? "lost", tail, runner: tool.name };
  }

  #runner(tool: ToolMemory): ToolRunner {
    return this.#options.runners.find(({ kind }) => kind === tool.runner) ?? this.#options.preferred;
  }
}

function samePart(a: PartRef, b: PartRef): boolean {
  return (
    a.rollout === b.rollout &&
    a.stage === b.stage &&
    a.attempt === b.attempt &&
    a.step === b.step &&
    a.part === b.part &&
    a.again === b.again
  );
}

function traceOf({ name, bootId, mark }: ToolMemory): ToolTrace {
  return { name, bootId, ...(mark === undefined ? {} : { mark }) };
}

/** A valid unit name without its suffix. Long ones are cut and told apart by a digest. */
function toolName({ rollout, stage, step, part, attempt, again, index }: ToolRef): string {
  const ends = [
    String(attempt),
    ...(part === "run" ? [] : [`${part}${again + 1}`]),
    ...(index === 0 ? [] : [`n${index}`]),
  ];
  const whole = `lockkeeper-${[rollout, stage, step, ...ends].join("-")}`;
  const clean = whole.replace(/[^A-Za-z0-9:_.-]/g, "_");
  if (clean === whole && clean.length <= 200) return clean;
  return `${clean.slice(0, 180)}-${createHash("sha256").update(whole).digest("hex").slice(0, 12)}`;
}
