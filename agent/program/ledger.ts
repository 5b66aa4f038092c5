/**
 * Journal and memory as one: an entry is durable before the memory knows it, and the memory knows it before
 * anyone is told. Nothing below decides; it only remembers.
 */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import { type Entry, type Recorded, rolloutOf } from "./entry.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { type AgentEvent, emptyMemory, type Memory } from "./memory.ts";
import { remember } from "./remember.ts";

/** Above this a closed rollout is worth rewriting the file for. */
const compactAboveBytes = 256 * 1024;

/** Above this no new program is taken: the journal forgets only what is closed, so it must not fill the disk. */
const fullAboveBytes = 32 * 1024 * 1024;

export class Ledger {
  readonly memory: Memory = emptyMemory();
  #journal: Journal | undefined;
  #records: Recorded[] = [];
  readonly #listeners = new Set<() => void>();

  private constructor() {}

  static async open(
    options: Omit<JournalOptions, "take">,
  ): Promise<Outcome<{ readonly ledger: Ledger; readonly cutBytes: number }>> {
    const ledger = new Ledger();
    const opened = await Journal.open({ ...options, take: (record) => ledger.#take(record) });
    if (!opened.ok) return opened;
    ledger.#journal = opened.value.journal;
    return succeed({ ledger, cutBytes: opened.value.cutBytes });
  }

  get full(): boolean {
    return (this.#journal?.bytes ?? 0) > fullAboveBytes;
  }

  async append(...entries: readonly Entry[]): Promise<void> {
    await this.#journal?.append(...entries);
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after each append; returns the way to stop. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first event after `sequence`, over all open rollouts: how a stream walks through the journal. */
  nextEvent(sequence: number): AgentEvent | undefined {
    const { events } = this.memory;
    let low = 0;
    for (let high = events.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((events[middle] as AgentEvent).n <= sequence) low = middle + 1;
      else high = middle;
    }
    return events[low];
  }

  /** Forgets a rollout; the file shrinks when it has grown. */
  async closeRollout(rollout: string): Promise<void> {
    await this.append({ kind: "closed", rollout });
    if (this.#journal === undefined || this.#journal.bytes < compactAboveBytes) return;
    await this.#journal.compact(this.memory.stateId, () => {
      this.#records = this.#records.filter((record) => this.#stillNeeded(record));
      return this.#records;
    });
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  #take(record: Recorded): void {
    this.#records.push(record);
    remember(this.memory, record);
  }

  #stillNeeded(record: Recorded): boolean {
    const { highest, tools, auditHead } = this.memory;
    if (record.kind === "born") return true;
    if (record.kind === "awoke" || record.kind === "closed") return false;
    if (record.kind === "epoch-seen") return highest.get(record.cluster)?.epoch === record.epoch;
    if (record.kind === "audit-head") return record.head === auditHead;
    if (record.kind === "tool-marked" || record.kind === "tool-ended") return tools.has(record.name);
    return this.#isOpen(rolloutOf(record));
  }

  #isOpen(rollout: string | undefined): boolean {
    const { programs, watches, events } = this.memory;
    const inProgram = [...programs.values()].some(({ program }) => program.rollout === rollout);
    const inWatch = [...watches.values()].some(({ watch }) => watch.rollout === rollout);
    return inProgram || inWatch || events.some((event) => event.rollout === rollout);
  }
}
