/**
 * How far a step is, told at a bounded rate: once a second at first, then ever more rarely, so that a step of
 * hours leaves some hundred records and not thousands.
 */
import type { Clock } from "#proto/common/clock.ts";
import type { Facts } from "#proto/common/failure.ts";

export class Progress {
  readonly #clock: Clock;
  readonly #say: (facts: Facts) => Promise<void>;
  readonly #sinceMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, say: (facts: Facts) => Promise<void>) {
    this.#clock = clock;
    this.#say = say;
    this.#sinceMs = clock.monotonicMs();
  }

  readonly tell = (facts: Facts): void => {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastMs < Math.max(1_000, (nowMs - this.#sinceMs) / 60)) return;
    this.#lastMs = nowMs;
    // Lost progress is no loss; a journal that cannot be written is noticed at the step's end.
    this.#say(facts).catch(() => undefined);
  };
}
