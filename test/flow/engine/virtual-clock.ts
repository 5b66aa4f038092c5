/** A clock that moves only when everything that can run has run: hours pass in milliseconds, in one order. */
import type { Clock } from "#proto/common/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Rounds of the event loop that promises get to settle before time moves. */
const settleRounds = 6;

export class VirtualClock implements Clock {
  readonly #timers = new Map<number, Timer>();
  #nowMs = 0;
  #order = 0;

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    this.#order += 1;
    const order = this.#order;
    this.#timers.set(order, { atMs: this.#nowMs + Math.max(0, ms), order, fire: callback });
    return () => void this.#timers.delete(order);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** Lets time pass until the condition holds; throws when it does not within `limitMs` of virtual time. */
  async until(holds: () => boolean, limitMs = 3_600_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await settled();
      if (holds()) return;
      const next = [...this.#timers.values()].sort(
        (left, right) => left.atMs - right.atMs || left.order - right.order,
      )[0];
      if (next === undefined || next.atMs > endMs) {
        // what it looks at may itself have been read a moment ago
        await settled();
        if (holds()) return;
      }
      if (next === undefined) throw new Error("nothing is waited for, and the condition does not hold");
      if (next.atMs > endMs) throw new Error(`not within ${limitMs} ms of virtual time`);
      this.#timers.delete(next.order);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
  }
}

async function settled(): Promise<void> {
  for (let round = 0; round < settleRounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
