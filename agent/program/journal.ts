/**
 * The agent's memory: an append-only file, durable record by record. What `append` has resolved is there after
 * any crash; what it has not may or may not be. Entries that come while a write is under way share the next one.
 */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, FailureError, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { type Entry, journalFormat, type Recorded } from "./entry.ts";
import { encodeLine, readLines } from "./journal-line.ts";

export interface JournalOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly clock: Clock;
  /** Makes the state id of a first start. */
  readonly makeStateId: () => string;
  /** Is given every record as soon as it is durable, those of the file at opening included, in order. */
  readonly take: (record: Recorded) => void;
}

export interface Opened {
  readonly journal: Journal;
  /** Bytes of a torn last line that were cut off; zero as a rule. */
  readonly cutBytes: number;
}

interface Append {
  readonly job: "append";
  readonly entries: readonly Entry[];
  readonly resolve: (records: readonly Recorded[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Work that must not meet a write: it waits its turn between two of them. */
interface Alone {
  readonly job: "alone";
  readonly work: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Journal {
  readonly #options: JournalOptions;
  #file: DiskFile;
  #bytes: number;
  #seed: number;
  #next: number;
  #queue: (Append | Alone)[] = [];
  #draining = false;
  #broken: Failure | undefined;

  private constructor(
    options: JournalOptions,
    file: DiskFile,
    from: { bytes: number; seed: number; next: number },
  ) {
    this.#options = options;
    this.#file = file;
    this.#bytes = from.bytes;
    this.#seed = from.seed;
    this.#next = from.next;
  }

  /** Refused: `journal.damaged` (not only the last line), `journal.format-unknown`. Throws what the disk throws. */
  static async open(options: JournalOptions): Promise<Outcome<Opened>> {
    const content = (await options.disk.read(options.path)) ?? new Uint8Array();
    const reading = readLines(content);
    if (!reading.ok) return fail(reading.failure.code, { ...reading.failure.facts, path: options.path });
    const { records, goodBytes, tornBytes, seed } = reading.value;
    const born = records[0];
    const file = await options.disk.open(options.path);
    if (tornBytes > 0) {
      await file.truncate(goodBytes);
      await file.sync();
    }
    const next = Math.max(1, born?.kind === "born" ? born.nextSequence : 0, (records.at(-1)?.n ?? 0) + 1);
    const journal = new Journal(options, file, { bytes: goodBytes, seed, next });
    for (const record of records) options.take(record);
    if (born === undefined)
      await journal.append({
        kind: "born",
        format: journalFormat,
        stateId: options.makeStateId(),
        nextSequence: 1,
      });
    return succeed({ journal, cutBytes: tornBytes });
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Durable, in order and together when it resolves. Rejects with FailureError `journal.unwritable`. */
  append(...entries: readonly Entry[]): Promise<readonly Recorded[]> {
    if (this.#broken !== undefined) return Promise.reject(new FailureError(this.#broken));
    return new Promise((resolve, reject) => this.#enqueue({ job: "append", entries, resolve, reject }));
  }

  /** Rewrites the file with a part of its records, in their order, and a new first line; asked when its turn comes. */
  compact(stateId: string, kept: () => readonly Recorded[]): Promise<void> {
    return this.#alone(() => this.#rewrite(stateId, kept()));
  }

  close(): Promise<void> {
    return this.#alone(async () => {
      this.#broken ??= failure("journal.unwritable", { path: this.#options.path, cause: "closed" });
      await this.#file.close();
    });
  }

  #alone(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ job: "alone", work, resolve, reject }));
  }

  #enqueue(job: Append | Alone): void {
    this.#queue.push(job);
    if (this.#draining) return;
    this.#draining = true;
    void this.#drain();
  }

  async #drain(): Promise<void> {
    // One turn of the loop, so that entries appended side by side share one sync.
    await Promise.resolve();
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (first.job === "alone") {
        this.#queue.shift();
        await first.work().then(first.resolve, first.reject);
        continue;
      }
      const alone = this.#queue.findIndex(({ job }) => job === "alone");
      const batch = this.#queue.splice(0, alone < 0 ? this.#queue.length : alone);
      await this.#commit(batch.filter((job) => job.job === "append"));
    }
    this.#draining = false;
  }

  async #commit(batch: readonly Append[]): Promise<void> {
    const at = new Date(this.#options.clock.now()).toISOString();
    let next = this.#next;
    const groups = batch.map(({ entries }) =>
      entries.map((entry): Recorded => ({ n: next++, at, ...entry })),
    );
    const refused = await this.#write(groups.flat());
    if (refused === undefined) {
      this.#next = next;
      for (const record of groups.flat()) this.#options.take(record);
    }
    for (const [i, { resolve, reject }] of batch.entries()) {
      if (refused === undefined) resolve(groups[i] ?? []);
      else reject(new FailureError(refused));
    }
  }

  async #write(records: readonly Recorded[]): Promise<Failure | undefined> {
    if (this.#broken !== undefined) return this.#broken;
    const line = encodeLine(records, this.#seed);
    try {
      await this.#file.append(line.bytes);
    } catch (error) {
      return this.#takeBack(error);
    }
    try {
      await this.#file.sync();
    } catch (error) {
      // After a failed sync nobody knows what is on the disk, and a second sync may lie.
      this.#broken = failure("journal.unwritable", { path: this.#options.path, cause: String(error) });
      return this.#broken;
    }
    this.#bytes += line.bytes.length;
    this.#seed = line.seed;
    return undefined;
  }

  /** A write that the disk refused (full, as a rule) leaves no part of a line behind; the next may succeed. */
  async #takeBack(error: unknown): Promise<Failure> {
    const refused = failure("journal.unwritable", { path: this.#options.path, cause: String(error) });
    try {
      await this.#file.truncate(this.#bytes);
      await this.#file.sync();
    } catch {
      this.#broken = refused;
    }
    return refused;
  }

  async #rewrite(stateId: string, kept: readonly Recorded[]): Promise<void> {
    const at = new Date(this.#options.clock.now()).toISOString();
    const born: Recorded = {
      n: 0,
      at,
      kind: "born",
      format: journalFormat,
      stateId,
      nextSequence: this.#next,
    };
    const lines: Buffer[] = [];
    let seed = 0;
    for (const record of [born, ...kept.filter(({ kind }) => kind !== "born")]) {
      const line = encodeLine([record], seed);
      lines.push(line.bytes);
      seed = line.seed;
    }
    const content = Buffer.concat(lines);
    await this.#options.disk.replace(this.#options.path, content);
    const old = this.#file;
    this.#file = await this.#options.disk.open(this.#options.path);
    this.#bytes = content.length;
    this.#seed = seed;
    await old.close();
  }
}
