/**
 * A register in memory, held to the same contract suite as the one on NATS, with the faults that a real
 * store shows: a lost acknowledgement, no leader, and forgetting, after which revisions repeat.
 */
import type { Register, SwapResult, Versioned } from "#coordinator/engine/ports.ts";
import { FailureError, failure } from "#proto/common/failure.ts";

export interface MemoryRegister<T> extends Register<T> {
  /** The next swap is done, and its acknowledgement lost. */
  loseNextAck(): void;
  setLeaderless(leaderless: boolean): void;
  /** Undoes the newest writes of a key; the next write gets a revision that was used before. */
  forget(key: string, writes: number): void;
}

export function memoryRegister<T>(): MemoryRegister<T> {
  const histories = new Map<string, Versioned<T>[]>();
  let revision = 0;
  let losesAck = false;
  let leaderless = false;
  const newest = (key: string) => histories.get(key)?.at(-1);
  return {
    async read(key) {
      if (leaderless) throw new FailureError(failure("store.unreachable", { cause: "no leader" }));
      return structuredClone(newest(key));
    },
    async swap(key, value, expected): Promise<SwapResult> {
      if (leaderless) return { result: "unknown", cause: "no leader" };
      if ((newest(key)?.revision ?? 0) !== expected) return { result: "lost" };
      revision += 1;
      histories.set(key, [...(histories.get(key) ?? []), { value: structuredClone(value), revision }]);
      if (!losesAck) return { result: "written", revision };
      losesAck = false;
      return { result: "unknown", cause: "acknowledgement lost" };
    },
    async keys() {
      return [...histories.keys()].sort();
    },
    loseNextAck: () => {
      losesAck = true;
    },
    setLeaderless: (now) => {
      leaderless = now;
    },
    forget: (key, writes) => {
      const kept = (histories.get(key) ?? []).slice(0, -writes);
      if (kept.length === 0) histories.delete(key);
      else histories.set(key, kept);
      revision = Math.max(0, ...[...histories.values()].flat().map((each) => each.revision));
    },
  };
}
