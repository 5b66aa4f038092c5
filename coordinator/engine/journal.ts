/** A rollout's log with its folded state: appends are compare-and-swaps, and a lost one means deposed. */
import type { Clock, Random } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { eventFormat, type RolloutEvent, type RolloutFact } from "../domain/rollout/event.ts";
import { fold, reduce } from "../domain/rollout/reduce.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import { electionLimitMs } from "./lock/swap.ts";
import type { EventLog } from "./ports.ts";

/** Another coordinator writes this history: this one must stop acting on it at once. */
export class Deposed extends Error {}

export class RolloutJournal {
  readonly rollout: string;
  readonly #log: EventLog<RolloutEvent>;
  readonly #clock: Clock;
  readonly #random: Random;
  #state: RolloutState;
  /** Already in the state, not yet in the log: stored in front of what is appended next. */
  #held: readonly RolloutEvent[] = [];

  private constructor(rollout: string, state: RolloutState, means: JournalMeans) {
    this.rollout = rollout;
    this.#state = state;
    this.#log = means.log;
    this.#clock = means.clock;
    this.#random = means.random;
  }

  static async load(rollout: string, means: JournalMeans): Promise<RolloutJournal> {
    const state = fold(await means.log.read(rollout));
    if (state === undefined) throw new FailureError(failure("rollout.unknown", { name: rollout }));
    return new RolloutJournal(rollout, state, means);
  }

  get state(): RolloutState {
    return this.#state;
  }

  async append(...facts: readonly RolloutFact[]): Promise<void> {
    if (facts.length === 0) return;
    const events = this.#next(facts);
    const all = [...this.#held, ...events];
    await this.#store(all, this.#state.sequence - this.#held.length);
    this.#held = [];
    for (const event of events) this.#state = reduce(this.#state, event);
  }

  /**
   * Taken into the state now and stored with the next append, in one message. Only for facts that may be lost: the
   * next driver would find out or do the same again, and nobody is told or sent anything because of them before.
   */
  hold(...facts: readonly RolloutFact[]): void {
    const events = this.#next(facts);
    this.#held = [...this.#held, ...events];
    for (const event of events) this.#state = reduce(this.#state, event);
  }

  /** Stores what is held. */
  async flush(): Promise<void> {
    if (this.#held.length === 0) return;
    await this.#store(this.#held, this.#state.sequence - this.#held.length);
    this.#held = [];
  }

  #next(facts: readonly RolloutFact[]): readonly RolloutEvent[] {
    const after = this.#state.sequence;
    return facts.map((fact, index): RolloutEvent => this.#event(fact, after + 1 + index));
  }

  #event(fact: RolloutFact, sequence: number): RolloutEvent {
    return {
      format: eventFormat,
      rollout: this.rollout,
      sequence,
      at: new Date(this.#clock.now()).toISOString(),
      fact,
    };
  }

  /** An unknown result is settled by reading: our events are there, or others are, or the append is tried again. */
  async #store(events: readonly RolloutEvent[], after: number): Promise<void> {
    const endMs = this.#clock.monotonicMs() + electionLimitMs * 4;
    for (let tries = 1; ; tries += 1) {
      const { result } = await this.#log.append(this.rollout, events, after);
      if (result === "written") return;
      const found = await this.#log.read(this.rollout, after).catch(() => undefined);
      if (found !== undefined && found.length > 0) {
        if (JSON.stringify(found.slice(0, events.length)) === JSON.stringify(events)) return;
        throw new Deposed(`another coordinator writes ${this.rollout}`);
      }
      if (this.#clock.monotonicMs() >= endMs)
        throw new FailureError(failure("store.unreachable", { cause: "an event could not be stored" }));
      await this.#clock.sleep(Math.min(2_000, 100 * 2 ** tries) * (0.5 + this.#random()));
    }
  }
}

export interface JournalMeans {
  readonly log: EventLog<RolloutEvent>;
  readonly clock: Clock;
  readonly random: Random;
}
