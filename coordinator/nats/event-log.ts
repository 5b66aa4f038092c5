/**
 * An append-only log per subject on one JetStream stream. One append is one message, so that a batch of
 * events is stored whole or not at all, and its expected last sequence makes it a compare-and-swap: two
 * coordinators cannot both write one history.
 */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { EventLog, SwapResult } from "../engine/ports.ts";
import { causeOf, isLost, isMissing } from "./errors.ts";
import { followEvents, lastMessage, type ReaderMeans, readEvents } from "./log-reader.ts";
import { readStored, type StoredFormat } from "./stored.ts";
import { subjectCounts } from "./subjects.ts";

export interface Sequenced {
  readonly sequence: number;
}

export interface LogOptions {
  readonly stream: string;
  /** First tokens of every subject, for example `rollouts`. */
  readonly prefix: string;
  readonly replicas: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

interface Connected {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** Where a subject ends: the sequence of its newest event, and of the stream's message that holds it. */
interface End {
  readonly sequence: number;
  readonly message: number;
}

export async function openEventLog<E extends Sequenced>(
  connected: Connected,
  as: StoredFormat<E>,
  options: LogOptions,
): Promise<EventLog<E>> {
  const { manager } = connected;
  const { stream, prefix, replicas } = options;
  const wanted = {
    name: stream,
    subjects: [`${prefix}.>`],
    num_replicas: replicas,
    allow_direct: false,
    deny_delete: true,
    deny_purge: true,
  };
  await manager.streams.info(stream).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return manager.streams.add(wanted);
  });
  const log = new JetStreamLog<E>(connected, as, options);
  return {
    read: (subject, afterSequence = 0) => log.read(subject, afterSequence),
    append: (subject, events, afterSequence) => log.append(subject, events, afterSequence),
    subjects: () => log.subjects(),
    follow: (subject, afterSequence, signal) => log.follow(subject, afterSequence, signal),
  };
}

class JetStreamLog<E extends Sequenced> {
  readonly #as: StoredFormat<E>;
  readonly #options: LogOptions;
  readonly #reader: ReaderMeans;
  /** Only a shortcut, asked anew when it does not fit: a stale one would lose the compare-and-swap. */
  readonly #ends = new Map<string, End>();

  constructor(connected: Connected, as: StoredFormat<E>, options: LogOptions) {
    this.#as = as;
    this.#options = options;
    this.#reader = { ...connected, ...options };
  }

  async read(name: string, afterSequence: number): Promise<readonly E[]> {
    const events = await readEvents(this.#reader, this.#subject(name));
    return checked(
      name,
      events.map((kept) => readStored(this.#as, name, kept)),
    ).filter(({ sequence }) => sequence > afterSequence);
  }

  async append(name: string, events: readonly E[], afterSequence: number): Promise<SwapResult> {
    const last = events.at(-1);
    if (last === undefined) return { result: "written", revision: afterSequence };
    try {
      const end = await this.#end(name, afterSequence);
      if (end.sequence !== afterSequence) return { result: "lost" };
      const { seq } = await this.#reader.client.publish(this.#subject(name), JSON.stringify(events), {
        // the stream's sequence of the subject's last message, which is not the event's own
        expect: { lastSubjectSequence: end.message, streamName: this.#options.stream },
        timeout: this.#options.timeoutMs,
      });
      this.#remember(name, { sequence: last.sequence, message: seq });
      return { result: "written", revision: last.sequence };
    } catch (error) {
      this.#ends.delete(name);
      return isLost(error) ? { result: "lost" } : { result: "unknown", cause: causeOf(error) };
    }
  }

  async subjects(): Promise<readonly string[]> {
    const { prefix, stream } = this.#options;
    const counts = await subjectCounts(this.#reader.manager, stream, `${prefix}.>`);
    return [...counts.keys()].map((subject) => decodeName(subject.slice(prefix.length + 1))).sort();
  }

  async *follow(name: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<E> {
    let told = afterSequence;
    for await (const kept of followEvents(this.#reader, this.#subject(name), signal)) {
      const event = readStored(this.#as, name, kept);
      if (event.sequence <= told) continue;
      told = event.sequence;
      yield event;
    }
  }

  async #end(name: string, afterSequence: number): Promise<End> {
    const remembered = this.#ends.get(name);
    if (remembered?.sequence === afterSequence) return remembered;
    const message = await lastMessage(this.#reader, this.#subject(name));
    const found =
      message === null
        ? { sequence: 0, message: 0 }
        : { sequence: message.json<readonly E[]>().at(-1)?.sequence ?? 0, message: message.seq };
    this.#remember(name, found);
    return found;
  }

  #remember(name: string, end: End): void {
    this.#ends.delete(name);
    this.#ends.set(name, end);
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > maxEnds && oldest !== undefined) this.#ends.delete(oldest);
  }

  #subject(name: string): string {
    return `${this.#options.prefix}.${encodeName(name)}`;
  }
}

const maxEnds = 1_000;

/** A hole or a repeat means that the store lost or doubled something: nothing may be decided from it. */
function checked<E extends Sequenced>(name: string, events: readonly E[]): readonly E[] {
  const wrong = events.findIndex(({ sequence }, index) => sequence !== index + 1);
  if (wrong !== -1)
    throw new FailureError(failure("store.log-damaged", { log: name, at: String(wrong + 1) }));
  return events;
}

/** Rollout ids are plain; the audit log and cluster names may not be. */
function encodeName(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : `=${Buffer.from(name, "utf8").toString("base64url")}`;
}

function decodeName(name: string): string {
  return name.startsWith("=") ? Buffer.from(name.slice(1), "base64url").toString("utf8") : name;
}
