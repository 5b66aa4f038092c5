/** What a deed is, what it needs, and what its verb may touch while it is done. */
import { type Facts, type Failure, FailureError, fail, failure } from "#proto/common/failure.ts";
import type { Call } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { BegunBefore, Host, Parcels, StepContext } from "../verb.ts";
import type { Moment } from "./entry.ts";
import type { Timekeeper } from "./moment.ts";
import type { PartRef, Tools } from "./tools.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface DeedTools {
  readonly vocabulary: Vocabulary;
  readonly host: Host;
  readonly tools: Tools;
  readonly time: Timekeeper;
  readonly fetchArtefact: (digest: string, signal: AbortSignal) => ReturnType<StepContext["fetchArtefact"]>;
  /** Absent: this agent carries none. */
  readonly parcels?: (rollout: string, signal: AbortSignal) => Parcels;
  /** Aborts when the agent is leaving: nothing more is said of what is under way; its next life finds it. */
  readonly leaving: AbortSignal;
}

export interface Deed {
  readonly part: PartRef;
  readonly call: Call | undefined;
  readonly changes: boolean;
  readonly deadlineMs: number;
  readonly onDeadline: "end" | "observe";
  /** Set when an earlier life of this agent has begun it. */
  readonly begunAt?: Moment;
  /** Journals the beginning; called before anything changes, unless it was begun before. */
  readonly begin: () => Promise<void>;
  /** Asked immediately before each change. */
  readonly mayChange: () => Failure | undefined;
  /** A deed that is done again and again can have no tool: tools are known again by their name. */
  readonly withoutTools?: true;
  readonly earlier: Readonly<Record<string, Facts>>;
  readonly begunBefore: BegunBefore;
  readonly progress: (facts: Facts) => void;
  /** Told when a deed left running at its deadline has come to its end after all. */
  readonly endedLater: (facts: Facts) => void;
}

export interface DeedEnd {
  readonly end: "done" | "found-done" | "failed" | "unknown";
  /** Present unless it is done. */
  readonly failure?: Failure;
  readonly elapsedMs: number;
  readonly outputs: Facts;
  readonly tail: string;
  readonly runner: string;
}

export function contextOf(
  deed: Deed,
  use: DeedTools,
  {
    end,
    deadlineMs,
    mayStart,
  }: { readonly end: AbortSignal; readonly deadlineMs: number; readonly mayStart: boolean },
): StepContext {
  let index = 0;
  const signal = AbortSignal.any([end, use.leaving]);
  return {
    host: use.host,
    signal,
    deadlineMs,
    rollout: deed.part.rollout,
    stage: deed.part.stage,
    attempt: deed.part.attempt,
    begunBefore: deed.begunBefore,
    earlier: deed.earlier,
    progress: deed.progress,
    fetchArtefact: (digest) => use.fetchArtefact(digest, signal),
    parcels: use.parcels?.(deed.part.rollout, signal) ?? noParcels,
    tool: (request) => {
      if (!mayStart || deed.withoutTools === true)
        return Promise.reject(new FailureError(failure("probe.starts-tool", { step: deed.part.step })));
      const mayBegin = () =>
        use.leaving.aborted ? failure("agent.leaving") : deed.changes ? deed.mayChange() : undefined;
      const limit = deed.onDeadline === "end" ? { limitMs: deadlineMs + 1_000 } : {};
      return use.tools.run({ ...deed.part, index: index++ }, request, { ...limit, end, mayBegin });
    },
  };
}

const noParcels: Parcels = {
  folder: "",
  send: () => Promise.resolve(fail("parcel.not-carried", { cause: "this agent carries none" })),
  find: () => Promise.resolve(fail("parcel.not-carried", { cause: "this agent carries none" })),
  fetch: () => Promise.resolve(fail("parcel.not-carried", { cause: "this agent carries none" })),
};
