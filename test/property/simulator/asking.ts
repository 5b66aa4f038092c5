/**
 * A coordinator's deeds as generators: each `yield` is a place where the process may be paused, killed, or kept
 * waiting, and where the store may answer late, wrongly late, or not at all. The deeds themselves are the
 * engine's: the same steps in the same order around the same pure transitions.
 */
import type { LockRecord } from "#coordinator/domain/lock.ts";
import type { Down, Up } from "./network.ts";
import type { Versioned } from "./register.ts";

/** What a cluster's rollouts know of their lock: the fold of the log, as one record. */
export interface Log {
  readonly held: Held | undefined;
  /** Stopped with the code of the reason, until a person orders to go on. */
  readonly stop: string | undefined;
  readonly freed: readonly { readonly nonce: string; readonly stage: string; readonly epoch: number }[];
  readonly attempts: number;
  /** Newest journal position of each node that is stored here. */
  readonly heard: Readonly<Record<string, number>>;
  /** Makes each state another than all others. */
  readonly mark: string;
}

export interface Held {
  readonly stage: string;
  readonly nonce: string;
  readonly epoch: number;
  readonly nodes: readonly string[];
  readonly scope: LockRecord["scope"];
  readonly announced: boolean;
  /** Of the newest try; 0 while nothing was sent. */
  readonly attempt: number;
  readonly entered: readonly string[];
  readonly ended: Readonly<Record<string, "done" | "never-begun" | "failed">>;
}

export interface Buckets {
  readonly lock: LockRecord;
  readonly log: Log;
  /** State ids under which the nodes were proven. */
  readonly standings: Readonly<Record<string, string>>;
}

export type Mail =
  | { readonly kind: "said"; readonly node: string; readonly message: Up }
  | { readonly kind: "attached"; readonly node: string }
  | { readonly kind: "ordered"; readonly answersFor: Readonly<Record<string, string>> };

export type Ask =
  | { readonly ask: "read"; readonly key: keyof Buckets }
  | {
      readonly ask: "swap";
      readonly key: keyof Buckets;
      readonly value: Buckets[keyof Buckets];
      readonly expected: number;
    }
  | { readonly ask: "sleep"; readonly ms: number }
  | { readonly ask: "mail"; readonly ms: number };

export type Answer =
  | { readonly read: Versioned<Buckets[keyof Buckets]> | undefined }
  | { readonly swap: "written" | "lost" | "unknown" }
  | { readonly mail: Mail | undefined }
  | "unreachable";

export type Steps<R> = Generator<Ask, R, Answer>;

/** Carries `store.unreachable` out of a deed: the driver is started anew from the log. */
export class Unreachable extends Error {}
/** Another coordinator writes the log. */
export class Deposed extends Error {}

export interface Clocked {
  readonly nowMs: number;
}

const electionLimitMs = 15_000;

export function* sleep(ms: number): Steps<void> {
  yield { ask: "sleep", ms };
}

export function* takeOne(ms: number): Steps<Mail | undefined> {
  const answer = yield { ask: "mail", ms };
  return answer !== "unreachable" && "mail" in answer ? answer.mail : undefined;
}

function* readOnce<K extends keyof Buckets>(
  key: K,
): Steps<Versioned<Buckets[K]> | undefined | "unreachable"> {
  const answer = yield { ask: "read", key };
  if (answer === "unreachable" || !("read" in answer)) return "unreachable";
  return answer.read as Versioned<Buckets[K]> | undefined;
}

export function* readSurely<K extends keyof Buckets>(
  clock: Clocked,
  key: K,
  limitMs = electionLimitMs,
): Steps<Versioned<Buckets[K]> | undefined> {
  const endMs = clock.nowMs + limitMs;
  for (;;) {
    const found = yield* readOnce(key);
    if (found !== "unreachable") return found;
    if (clock.nowMs >= endMs) throw new Unreachable();
    yield* sleep(1_000);
  }
}

export interface Swap<K extends keyof Buckets> {
  readonly key: K;
  readonly before: Versioned<Buckets[K]> | undefined;
  readonly next: Buckets[K];
  readonly isOurs: (found: Buckets[K]) => boolean;
  readonly limitMs?: number;
}

/** As swapSurely of the engine: an acknowledgement that is lost is not a race that is lost. */
export function* swapSurely<K extends keyof Buckets>(
  clock: Clocked,
  { key, before, next, isOurs, limitMs = electionLimitMs }: Swap<K>,
): Steps<"written" | "lost" | "unreachable"> {
  const expected = before?.revision ?? 0;
  const endMs = clock.nowMs + limitMs;
  for (;;) {
    const answer = yield { ask: "swap", key, value: next, expected };
    const result = answer !== "unreachable" && "swap" in answer ? answer.swap : "unknown";
    if (result === "written") return "written";
    const found = yield* readOnce(key);
    if (found !== "unreachable") {
      if (found !== undefined && isOurs(found.value)) return "written";
      if (result === "lost" || (found?.revision ?? 0) !== expected) return "lost";
    }
    if (clock.nowMs >= endMs) return "unreachable";
    yield* sleep(1_000);
  }
}

export type Sender = (node: string, message: Down) => boolean;
