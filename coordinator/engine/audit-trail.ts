/** The audit log on an event log: one writer wins each place, so the chain has no forks. */
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { type AuditDeed, type AuditEntry, type Hash, isWhole, nextEntry } from "../domain/audit.ts";
import type { EventLog } from "./ports.ts";

const subject = "audit";
const maxTries = 10;

export class AuditTrail {
  readonly #log: EventLog<AuditEntry>;
  readonly #hash: Hash;
  readonly #clock: Clock;
  readonly #places = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #last: AuditEntry | undefined;
  #loaded = false;

  constructor(log: EventLog<AuditEntry>, hash: Hash, clock: Clock) {
    this.#log = log;
    this.#hash = hash;
    this.#clock = clock;
  }

  /** Reads the log anew: a coordinator that begins to lead knows what the one before it has written. */
  async load(): Promise<void> {
    const all = await this.#log.read(subject);
    this.#places.clear();
    for (const { hash, sequence } of all) this.#places.set(hash, sequence);
    this.#last = all.at(-1);
    this.#loaded = true;
  }

  /** Stored before the deed is done: an order that cannot be recorded is not carried out. */
  async record(deed: Omit<AuditDeed, "at">): Promise<void> {
    const dated = { ...deed, at: new Date(this.#clock.now()).toISOString() };
    let entry: AuditEntry | undefined;
    for (let tries = 0; tries < maxTries; tries += 1) {
      if (!this.#loaded) await this.load();
      // only the acknowledgement of the write was lost
      if (entry !== undefined && this.#places.has(entry.hash)) return this.#tell();
      entry = nextEntry(this.#last, dated, this.#hash);
      const { result } = await this.#log.append(subject, [entry], entry.sequence - 1);
      if (result === "written") {
        this.#last = entry;
        this.#places.set(entry.hash, entry.sequence);
        return this.#tell();
      }
      this.#loaded = false;
    }
    throw new FailureError(failure("store.unreachable", { cause: "the audit log could not be written" }));
  }

  /** The newest hash: what agents are given to keep. Empty before the first entry. */
  get head(): string {
    return this.#last?.hash ?? "";
  }

  /** Where the entry with this hash stands, from 1; undefined when the log has none, as it was last read. */
  placeOf(hash: string): number | undefined {
    return this.#places.get(hash);
  }

  /** Calls back after each new entry. */
  onEntry(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async read(
    limit = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly chainHolds: boolean }> {
    const all = await this.#log.read(subject);
    return { entries: all.slice(-limit), chainHolds: isWhole(all, this.#hash) };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
