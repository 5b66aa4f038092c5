/** An event log in memory, held to the same contract suite as the one on NATS. */
import type { EventLog, SwapResult } from "#coordinator/engine/ports.ts";
import { FailureError, failure } from "#proto/common/failure.ts";

export interface MemoryEventLog<E> extends EventLog<E> {
  loseNextAck(): void;
  setLeaderless(leaderless: boolean): void;
  /** All of a subject is lost. */
  forget(subject: string): void;
  /** For the eyes of a test alone: what is stored, leader or not. */
  stored(subject: string): readonly E[];
}

export function memoryEventLog<E extends { readonly sequence: number }>(): MemoryEventLog<E> {
  const logs = new Map<string, E[]>();
  const waiting = new Set<() => void>();
  let losesAck = false;
  let leaderless = false;
  const of = (subject: string): E[] => logs.get(subject) ?? [];
  return {
    async read(subject, afterSequence = 0) {
      if (leaderless) throw new FailureError(failure("store.unreachable", { cause: "no leader" }));
      return structuredClone(of(subject).filter(({ sequence }) => sequence > afterSequence));
    },
    async append(subject, events, afterSequence): Promise<SwapResult> {
      if (leaderless) return { result: "unknown", cause: "no leader" };
      if ((of(subject).at(-1)?.sequence ?? 0) !== afterSequence) return { result: "lost" };
      logs.set(subject, [...of(subject), ...structuredClone(events)]);
      for (const wake of [...waiting]) wake();
      if (losesAck) {
        losesAck = false;
        return { result: "unknown", cause: "acknowledgement lost" };
      }
      return { result: "written", revision: events.at(-1)?.sequence ?? afterSequence };
    },
    async subjects() {
      return [...logs.keys()].sort();
    },
    async *follow(subject, afterSequence, signal) {
      let after = afterSequence;
      while (!signal.aborted) {
        const next = of(subject).filter(({ sequence }) => sequence > after);
        for (const event of next) {
          after = event.sequence;
          yield structuredClone(event);
        }
        if (next.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            const wake = () => {
              waiting.delete(wake);
              signal.removeEventListener("abort", wake);
              resolve();
            };
            waiting.add(wake);
            signal.addEventListener("abort", wake, { once: true });
          });
        }
      }
    },
    loseNextAck: () => {
      losesAck = true;
    },
    setLeaderless: (now) => {
      leaderless = now;
    },
    forget: (subject) => {
      logs.delete(subject);
    },
    stored: of,
  };
}
