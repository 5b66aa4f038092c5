/**
 * What the engine needs of the world, as narrow as its use. Adapters live in coordinator/nats and
 * coordinator/api; fakes in test/doubles are held to the same contract suites.
 */
import type { Outcome } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { ConnectRequest, ConnectResponse, Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Depth } from "#proto/gen/lockkeeper/v1/health_pb.ts";

export interface Versioned<T> {
  readonly value: T;
  readonly revision: number;
}

/**
 * Result of a compare-and-swap. `lost`: another write came first. `unknown`: the acknowledgement did not
 * come; the write may have happened: re-read and compare the nonce, then decide.
 */
export type SwapResult =
  | { readonly result: "written"; readonly revision: number }
  | { readonly result: "lost" }
  | { readonly result: "unknown"; readonly cause: string };

/** A register per key: permanent, never deleted, read from the leader of the store, changed by CAS only. */
export interface Register<T> {
  /** undefined: no record. Throws FailureError `store.unreachable`, `store.unreadable` or `store.format-unknown`. */
  read(key: string): Promise<Versioned<T> | undefined>;
  /** `expected` is the revision read before, or 0 for a key that must not exist yet. */
  swap(key: string, value: T, expected: number): Promise<SwapResult>;
  keys(): Promise<readonly string[]>;
}

/** An append-only log per subject whose appends name the sequence they follow. */
export interface EventLog<E> {
  /** Events after `afterSequence`, in order. Throws like a register's read, and `store.log-damaged`. */
  read(subject: string, afterSequence?: number): Promise<readonly E[]>;
  /** Refused (`lost`) when the log has moved on: another coordinator writes this history. */
  append(subject: string, events: readonly E[], afterSequence: number): Promise<SwapResult>;
  subjects(): Promise<readonly string[]>;
  /** Live tail, from `afterSequence`, until the signal aborts. */
  follow(subject: string, afterSequence: number, signal: AbortSignal): AsyncIterable<E>;
}

/** Documents too large for a register, by name. */
export interface DocumentStore<T> {
  put(name: string, document: T): Promise<void>;
  /** undefined: no document. Throws like a register's read. */
  get(name: string): Promise<T | undefined>;
  list(
    prefix: string,
  ): Promise<readonly { readonly name: string; readonly storedAtMs: number; readonly bytes: number }[]>;
  remove(name: string): Promise<void>;
}

/** One attached agent, from its Hello until its stream ends. */
export interface Presence {
  readonly node: string;
  readonly hello: Hello;
  /** Where its stream comes from, as seen from here: an address without its port. */
  readonly from: string;
  /** A number that is new with each stream: "present stream" means this. */
  readonly stream: number;
  /** Coordinator's monotonic ms of the last word from it. */
  readonly lastWordMs: number;
}

/** The agents, as the engine sees them. */
export interface Fleet {
  presence(node: string): Presence | undefined;
  /** False when the node has no stream. The message may still be lost. */
  send(node: string, message: NonNullable<ConnectResponse["message"]>): boolean;
  /** Asks for a report; a failure is `node.unreachable` or `node.silent`. */
  takeReport(node: string, depth: Depth, limitMs: number): Promise<Outcome<NodeReport>>;
  /** The newest report of any depth, with its age; undefined when none has come on the present stream. */
  lastReport(node: string): { readonly report: NodeReport; readonly ageMs: number } | undefined;
}

/** What the engine is told of the agents, in the order in which each stream brings it. */
export interface AgentEvents {
  attached(presence: Presence): void;
  /** `lost`: the stream ended without Goodbye. */
  detached(node: string, how: "goodbye" | "lost"): void;
  said(node: string, message: NonNullable<ConnectRequest["message"]>): void;
  /** The newest journal position stored for each open rollout of this node, for its Welcome. */
  positions(node: string): readonly { readonly rollout: string; readonly sequence: number }[];
}
