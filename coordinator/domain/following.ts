/** How one server follows another, by what both said last: for whoever asks how far a rollout is, and for scripts. */
import type { Failure } from "#proto/common/failure.ts";

export interface FollowingView {
  readonly databases: readonly FollowedDatabase[];
  readonly kept: readonly KeptLog[];
  /** Nodes that have told nothing, or nothing that can be read: what is missing above may be theirs. */
  readonly unknown: readonly string[];
}

export interface FollowedDatabase {
  readonly database: string;
  /** The node that takes its rows over. */
  readonly node: string;
  readonly standing: "initializing" | "replicating" | "down";
  readonly readyTables: number;
  readonly tables: number;
  readonly copiedBytes: number;
  /** What `node` has not confirmed yet; absent where the other server does not tell. */
  readonly lagBytes?: number;
  /** What keeps it from following, with its cure; absent where nothing does. */
  readonly why?: Failure;
}

/** What a node keeps for whoever follows it, and the file system on which that lies. */
export interface KeptLog {
  readonly node: string;
  /** Of the one that is furthest behind; absent where the server does not tell. */
  readonly bytes?: number;
  readonly disk?: {
    readonly usedPercent: number;
    readonly freeBytes: number;
    /** Written over the last minutes; absent where too little was seen of it. */
    readonly bytesPerS?: number;
    /** At that pace, if nothing more were confirmed from now on. */
    readonly fullInMs?: number;
  };
  /** What has been given up for good. */
  readonly lost: readonly Failure[];
}

const hour = 3_600_000;
const day = 24 * hour;

/**
 * Is the time worth telling? It is what is left if from now on nothing more were confirmed: of a move that keeps up it says nothing. It
 * is told where the pace alone would fill the disk before anybody is awake, and within a day where what is kept has begun to grow.
 */
export function isFullSoon(fullInMs: number, freeBytes: number, kept: number | undefined): boolean {
  if (fullInMs < hour) return true;
  return fullInMs < day && (kept === undefined || kept >= freeBytes / 100);
}
