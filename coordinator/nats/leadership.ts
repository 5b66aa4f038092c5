/**
 * Holds or seeks the leader's lease. Acting is allowed by the holder's own monotonic clock alone; a renewal that
 * is not acknowledged in time ends it, whatever the record says, and at that moment, not at the next beat. A term
 * belongs to the process that began it: another process under this coordinator's name is another coordinator.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import {
  candidacy,
  type LeaderRecord,
  lease,
  mayAct,
  mayActForMs,
  nextLeader,
  type Observation,
  observe,
  resign,
  type Timing,
} from "../domain/leader.ts";
import type { Register, Versioned } from "../engine/ports.ts";

export interface LeadershipOptions {
  readonly register: Register<LeaderRecord>;
  readonly clock: Clock;
  readonly random: Random;
  /** The same after a restart: nobody else may act under it. */
  readonly coordinator: string;
  readonly address: string;
  readonly timing?: Timing;
  /** Called when this coordinator begins to lead; it answers as leader only after that. Tried again when it throws. */
  readonly begin: (term: number) => Promise<void>;
  /** Called when it no longer may act, and after a `begin` that failed. */
  readonly end: () => Promise<void>;
  readonly warn: (text: string, facts: Readonly<Record<string, unknown>>) => void;
}

const key = "leader";

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #timing: Timing;
  #seen: Observation | undefined;
  #record: LeaderRecord | undefined;
  /** The term that this process began, told from a namesake's by the moment of its beginning. */
  #mine: Pick<LeaderRecord, "term" | "since"> | undefined;
  #renewedAtMs: number | undefined;
  #leads = false;
  #turning = Promise.resolve();
  #cancelStepDown = () => {};

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#timing = options.timing ?? lease;
  }

  get leads(): boolean {
    return this.#leads && this.#mayAct();
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
    const { register, clock } = this.#options;
    const beganMs = clock.monotonicMs();
    try {
      const found = await register.read(key);
      this.#seen = observe(this.#seen, found?.revision ?? 0, clock.monotonicMs());
      this.#record = found?.value;
      const next = this.#next(found?.value);
      if (next !== undefined && (await register.swap(key, next, found?.revision ?? 0)).result === "written")
        this.#renewed(next, beganMs);
    } catch {
      // no answer is no renewal: the lease runs out by our own clock
    }
    this.#turn();
  }

  /** The record to write, or undefined while somebody else leads. */
  #next(found: LeaderRecord | undefined): LeaderRecord | undefined {
    const { clock, coordinator, address } = this.#options;
    const me = { coordinator, address };
    const since = new Date(clock.now()).toISOString();
    if (this.#isMine(found)) return nextLeader(found, me, since);
    // our name in a process that has not led yet is what our former life left; later it is a namesake's
    const left = found?.coordinator === coordinator && this.#renewedAtMs === undefined;
    const seat = left ? "lead" : candidacy("", found, this.#seen, clock.monotonicMs(), this.#timing);
    return seat === "wait" ? undefined : this.#claim(nextLeader(vacant(found), me, since));
  }

  /** Remembered before it is written: its acknowledgement may be lost, and the term ours all the same. */
  #claim(record: LeaderRecord): LeaderRecord {
    this.#mine = { term: record.term, since: record.since };
    return record;
  }

  #isMine(found: LeaderRecord | undefined): boolean {
    return (
      found?.coordinator === this.#options.coordinator &&
      found.term === this.#mine?.term &&
      found.since === this.#mine.since
    );
  }

  #renewed(record: LeaderRecord, beganMs: number): void {
    const { clock } = this.#options;
    this.#record = record;
    this.#renewedAtMs = beganMs;
    this.#cancelStepDown();
    const leftMs = mayActForMs(beganMs, clock.monotonicMs(), this.#timing);
    this.#cancelStepDown = clock.after(leftMs, () => this.#turn());
  }

  #mayAct(): boolean {
    const { clock } = this.#options;
    return this.#isMine(this.#record) && mayAct(this.#renewedAtMs, clock.monotonicMs(), this.#timing);
  }

  /** Beginnings and ends come one after the other, and never hold up a beat. */
  #turn(): void {
    this.#turning = this.#turning.then(() => this.#settle());
  }

  async #settle(): Promise<void> {
    if (this.#mayAct() === this.#leads) return;
    if (this.#leads) return this.#stepDown();
    try {
      await this.#options.begin(this.#record?.term ?? 0);
      this.#leads = true;
    } catch (error) {
      this.#options.warn("could not begin to lead", { cause: String(error) });
    }
    if (!this.#leads || !this.#mayAct()) await this.#stepDown();
  }

  async #stepDown(): Promise<void> {
    this.#leads = false;
    await this.#options.end().catch((error: unknown) => {
      this.#options.warn("did not stop leading well", { cause: String(error) });
    });
  }

  async #resign(): Promise<void> {
    const { register } = this.#options;
    this.#cancelStepDown();
    await this.#turning;
    if (this.#leads) await this.#stepDown();
    const found: Versioned<LeaderRecord> | undefined = await register.read(key).catch(() => undefined);
    if (found !== undefined && this.#isMine(found.value))
      await register.swap(key, resign(found.value), found.revision);
  }
}

/** The same record with nobody in it: whoever comes next begins a new term. */
function vacant(record: LeaderRecord | undefined): LeaderRecord | undefined {
  return record === undefined ? undefined : { ...record, coordinator: "" };
}
