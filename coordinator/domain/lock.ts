/**
 * The record of the lock: one permanent key per cluster, changed only by compare-and-swap.
 * States: free → granted → entered → free; granted → free (withdrawn, abandoned).
 */

export const lockFormat = 1;

export type LockScope = "node" | "cluster";

export interface LockRecord {
  readonly format: typeof lockFormat;
  /** The fencing number; only ever rises. */
  readonly epoch: number;
  readonly state: "free" | "granted" | "entered";
  readonly scope: LockScope;
  /** All that may be touched under this epoch. */
  readonly nodes: readonly string[];
  /** Those that have entered. */
  readonly entered: readonly string[];
  readonly rollout: string;
  readonly stage: string;
  readonly nonce: string;
  /** ISO 8601, for people. */
  readonly since: string;
  readonly by: string;
  /** Set by `lock break` and kept until the node is proven: who, why, when, which nodes. */
  readonly broken?: BreakNote;
}

export interface BreakNote {
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  readonly nodes: readonly string[];
}
