/**
 * Holds or seeks the leader's lease. Acting is allowed by the holder's own monotonic clock alone; a renewal
 * that is not acknowledged in time ends it, whatever the record says.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import {
  candidacy,
  type LeaderRecord,
  lease,
  mayAct,
  nextLeader,
  type Observation,
  observe,
  resign,
  type Timing,
} from "../domain/leader.ts";
import type { Register } from "../engine/ports.ts";

export interface LeadershipOptions {
  readonly register: Register<LeaderRecord>;
  readonly clock: Clock;
  readonly random: Random;
  readonly coordinator: string;
  readonly address: string;
  readonly timing?: Timing;
  /** Called when this coordinator begins to lead, and must settle before it answers as leader. */
  readonly begin: (term: number) => Promise<void>;
  /** Called when it no longer may act. */
  readonly end: () => Promise<void>;
}

const key = "leader";

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #timing: Timing;
  #seen: Observation | undefined;
  #record: LeaderRecord | undefined;
  #renewedAtMs: number | undefined;
  #leads = false;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#timing = options.timing ?? lease;
  }

  get leads(): boolean {
    return this.#leads && mayAct(this.#renewedAtMs, this.#options.clock.monotonicMs(), this.#timing);
  }

  /** Where the leader listens, as far as this coordinator knows; empty for nobody. */
  get leaderAddress(): string {
    return this.leads ? this.#options.address : (this.#record?.address ?? "");
  }

  /** Beats until the signal aborts, then gives the lease back, so that another need not wait it out. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      await this.#beat();
      const waitMs = this.#timing.beatMs * (0.5 + 0.5 * random());
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
    await this.#resign();
  }

  async #beat(): Promise<void> {
    const { register, clock, coordinator, address } = this.#options;
    const beganMs = clock.monotonicMs();
    try {
      const found = await register.read(key);
      this.#record = found?.value;
      this.#seen = observe(this.#seen, found?.revision ?? 0, clock.monotonicMs());
      const next = candidacy(coordinator, found?.value, this.#seen, clock.monotonicMs(), this.#timing);
      if (next !== "wait") {
        const record = nextLeader(
          found?.value,
          { coordinator, address },
          new Date(clock.now()).toISOString(),
        );
        const swapped = await register.swap(key, record, found?.revision ?? 0);
        if (swapped.result === "written") {
          this.#record = record;
          this.#renewedAtMs = beganMs;
        }
      }
    } catch {
      // no answer is no renewal: the lease runs out by our own clock
    }
    await this.#settle();
  }

  async #settle(): Promise<void> {
    const holds =
      this.#record?.coordinator === this.#options.coordinator &&
      mayAct(this.#renewedAtMs, this.#options.clock.monotonicMs(), this.#timing);
    if (holds === this.#leads) return;
    this.#leads = holds;
    if (holds) await this.#options.begin(this.#record?.term ?? 0);
    else await this.#options.end();
  }

  async #resign(): Promise<void> {
    const { register, coordinator } = this.#options;
    if (this.#leads) await this.#options.end();
    this.#leads = false;
    const found = await register.read(key).catch(() => undefined);
    if (found?.value.coordinator === coordinator)
      await register.swap(key, resign(found.value), found.revision);
  }
}
