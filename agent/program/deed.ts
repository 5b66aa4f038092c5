/**
 * One deed: a call of a verb with its deadline, done at most once. A deed that changes things is probed before its
 * first start and judged by its probe after a crash; where a tool of it may have run and is lost, nothing is
 * started again in the same attempt. Used for steps, undos and reactions alike.
 */
import { type Facts, type Failure, FailureError, failure } from "#proto/common/failure.ts";
import type { Probe, StepResult, Verb } from "../verb.ts";
import { contextOf, type Deed, type DeedEnd, type DeedTools } from "./deed-context.ts";
import { elapsedMs, momentOf } from "./moment.ts";
import { readCall } from "./vocabulary.ts";

/** Thrown out of a deed when the agent leaves: there is no result, and none may be journalled. */
export class Leaving extends Error {}

/** For a verb that does not come back after its deadline has ended its tools. */
const settleMs = 15_000;
const shortestProbeMs = 10_000;

type Ending = {
  readonly end: DeedEnd["end"];
  readonly outputs?: Facts;
  readonly failure?: Failure;
  readonly tail?: string;
};

export async function doDeed(deed: Deed, given: DeedTools): Promise<DeedEnd> {
  // Followed, not used: the agent's own signal lives as long as the agent, and so would every listener on it.
  const gone = new AbortController();
  const leave = () => gone.abort();
  given.leaving.addEventListener("abort", leave, { once: true });
  if (given.leaving.aborted) gone.abort();
  try {
    return await timeDeed(deed, { ...given, leaving: gone.signal });
  } finally {
    given.leaving.removeEventListener("abort", leave);
  }
}

async function timeDeed(deed: Deed, use: DeedTools): Promise<DeedEnd> {
  const now = momentOf(use.time);
  const begunAt = deed.begunAt ?? now;
  const spentMs = elapsedMs(begunAt, now) ?? deed.deadlineMs;
  const ending = await decide(deed, use, Math.max(0, deed.deadlineMs - spentMs));
  const undone = ending.end === "failed" || ending.end === "unknown";
  return {
    end: ending.end,
    ...(undone ? { failure: ending.failure ?? failure("step.without-reason") } : {}),
    elapsedMs: Math.round(elapsedMs(begunAt, momentOf(use.time)) ?? 0),
    outputs: ending.outputs ?? {},
    tail: ending.tail ?? "",
    runner: use.tools.of(deed.part).at(-1)?.name ?? "",
  };
}

async function decide(deed: Deed, use: DeedTools, remainingMs: number): Promise<Ending> {
  const call = readCall(use.vocabulary, deed.call);
  if (!call.ok) return { end: "failed", failure: call.failure };
  const { verb, args } = call.value;
  if (deed.changes) {
    const judged = await judge(deed, use, { verb, args, remainingMs });
    if (judged !== undefined) return judged;
    const forbidden = deed.mayChange();
    if (forbidden !== undefined) return { end: "failed", failure: forbidden };
  }
  if (deed.begunAt === undefined) await deed.begin();
  const overtaken = deed.changes ? deed.mayChange() : undefined;
  if (overtaken !== undefined) return { end: "failed", failure: overtaken };
  return settle(deed, use, { verb, args, remainingMs });
}

interface Run {
  readonly verb: Verb;
  readonly args: unknown;
  readonly remainingMs: number;
}

/** What the journal and the world say before a start; undefined when running it is right. */
async function judge(deed: Deed, use: DeedTools, run: Run): Promise<Ending | undefined> {
  const tools = use.tools.of(deed.part);
  let lost = false;
  for (const tool of tools) {
    const state =
      tool.ended?.result === "lost"
        ? "lost"
        : tool.ended === undefined
          ? (await use.tools.stateOf(tool)).state
          : "ended";
    if (state === "lost") {
      lost = true;
      if (tool.ended === undefined) await use.tools.finish(tool, use.leaving);
    }
  }
  // Its tools are still to be had: the verb goes on where it was.
  if (tools.length > 0 && !lost) return undefined;
  const found = await probe(deed, use, run);
  if (found.state === "done") return { end: "found-done", outputs: found.outputs };
  if (found.state === "unknown") return { end: "unknown", failure: found.failure };
  return lost ? { end: "failed", failure: failure("step.interrupted", { step: deed.part.step }) } : undefined;
}

async function probe(deed: Deed, use: DeedTools, { verb, args, remainingMs }: Run): Promise<Probe> {
  const ended = new AbortController();
  const limitMs = Math.max(remainingMs, shortestProbeMs);
  const cancel = use.time.clock.after(limitMs, () => ended.abort());
  const context = contextOf(deed, use, { end: ended.signal, deadlineMs: limitMs, mayStart: false });
  const unknown = (why: Failure): Probe => ({ state: "unknown", failure: why });
  try {
    const asked =
      verb.probe?.(context, args) ??
      Promise.resolve(unknown(failure("verb.without-probe", { verb: verb.name })));
    return await Promise.race([
      asked,
      whenAborted(ended.signal, () =>
        unknown(failure("probe.deadline-passed", { verb: verb.name, limitMs: String(limitMs) })),
      ),
      whenAborted<Probe>(use.leaving, () => {
        throw new Leaving();
      }),
    ]);
  } catch (error) {
    if (error instanceof Leaving) throw error;
    return unknown(thrown(error, verb));
  } finally {
    cancel();
  }
}

/** Runs the verb against its deadline and the agent's leaving. */
async function settle(deed: Deed, use: DeedTools, { verb, args, remainingMs }: Run): Promise<Ending> {
  const deadline = new AbortController();
  const end = new AbortController();
  const cancel = use.time.clock.after(remainingMs, () => {
    deadline.abort();
    if (deed.onDeadline === "end") end.abort();
  });
  const context = contextOf(deed, use, { end: end.signal, deadlineMs: remainingMs, mayStart: true });
  const work = started(() => verb.run(context, args)).catch(
    (error: unknown): StepResult => afterThrow(deed, thrown(error, verb)),
  );
  const leaving = whenAborted<"leaving">(use.leaving, () => "leaving");
  try {
    const first = await Promise.race([
      work,
      whenAborted<"deadline">(deadline.signal, () => "deadline"),
      leaving,
    ]);
    // What a verb says while the agent leaves may only be the echo of its leaving.
    if (first === "leaving" || use.leaving.aborted) throw new Leaving();
    if (first !== "deadline") return toEnding(first);
    const passed = failure("step.deadline-passed", {
      step: deed.part.step,
      deadlineMs: String(deed.deadlineMs),
    });
    if (deed.onDeadline === "observe") return observe(deed, work, passed);
    const late = await Promise.race([
      work,
      use.time.clock.sleep(settleMs).then(() => "silent" as const),
      leaving,
    ]);
    if (late === "leaving") throw new Leaving();
    if (late === "silent")
      return { end: "unknown", failure: failure("step.did-not-end", { step: deed.part.step }) };
    const tail = late.tail === undefined ? {} : { tail: late.tail };
    return { end: late.result === "unknown" ? "unknown" : "failed", failure: passed, ...tail };
  } finally {
    cancel();
  }
}

function observe(deed: Deed, work: Promise<StepResult>, passed: Failure): Ending {
  void work.then((result) => {
    const why = result.result === "done" ? {} : { failure: result.failure.code };
    deed.endedLater({
      endedLater: result.result,
      ...why,
      ...(result.result === "unknown" ? {} : result.outputs),
    });
  });
  return { end: "unknown", failure: { code: "step.still-running", facts: passed.facts } };
}

function toEnding(result: StepResult): Ending {
  const tail = result.tail === undefined ? {} : { tail: result.tail };
  if (result.result === "unknown") return { end: "unknown", failure: result.failure, ...tail };
  const outputs = result.outputs === undefined ? {} : { outputs: result.outputs };
  return result.result === "done"
    ? { end: "done", ...outputs, ...tail }
    : { end: "failed", failure: result.failure, ...outputs, ...tail };
}

/** A verb that throws has lost its way: of a change, nobody knows how far it came. */
function afterThrow(deed: Deed, why: Failure): StepResult {
  return deed.changes ? { result: "unknown", failure: why } : { result: "failed", failure: why };
}

function thrown(error: unknown, verb: Verb): Failure {
  if (error instanceof FailureError) return error.failure;
  return failure("verb.threw", {
    verb: verb.name,
    cause: error instanceof Error ? error.message : String(error),
  });
}

/** Turns a throw before the first await into a rejection like any other. */
async function started<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

function whenAborted<T>(signal: AbortSignal, value: () => T): Promise<T> {
  return new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  }).then(value);
}
