/** The audit log on an event log: one writer wins each place, so the chain has no forks. */
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { type AuditDeed, type AuditEntry, brokenAt, type Hash, nextEntry } from "../domain/audit.ts";
import type { EventLog } from "./ports.ts";

const subject = "audit";
const maxTries = 10;

export class AuditTrail {
  readonly #log: EventLog<AuditEntry>;
  readonly #hash: Hash;
  readonly #clock: Clock;
  #last: AuditEntry | undefined;
  #loaded = false;

  constructor(log: EventLog<AuditEntry>, hash: Hash, clock: Clock) {
    this.#log = log;
    this.#hash = hash;
    this.#clock = clock;
  }

  /** Stored before the deed is done: an order that cannot be recorded is not carried out. */
  async record(deed: Omit<AuditDeed, "at">): Promise<void> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      if (!this.#loaded) this.#last = (await this.#log.read(subject)).at(-1);
      this.#loaded = true;
      const entry = nextEntry(
        this.#last,
        { ...deed, at: new Date(this.#clock.now()).toISOString() },
        this.#hash,
      );
      const { result } = await this.#log.append(subject, [entry], entry.sequence - 1);
      if (result === "written") {
        this.#last = entry;
        return;
      }
      this.#loaded = false;
    }
    throw new FailureError(failure("store.unreachable", { cause: "the audit log could not be written" }));
  }

  /** The newest hash: what agents are given to keep. */
  get head(): string {
    return this.#last?.hash ?? "";
  }

  async read(
    limit: number,
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly chainHolds: boolean }> {
    const all = await this.#log.read(subject);
    return { entries: all.slice(-limit), chainHolds: brokenAt(all, this.#hash) === undefined };
  }
}
