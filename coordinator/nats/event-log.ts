/**
 * An append-only log per subject on one JetStream stream. One append is one message, so that a batch of
 * events is stored whole or not at all, and its expected last sequence makes it a compare-and-swap: two
 * coordinators cannot both write one history.
 */
import {
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { EventLog, SwapResult } from "../engine/ports.ts";
import { causeOf, isLost, unreachable } from "./errors.ts";

export interface Sequenced {
  readonly sequence: number;
}

export interface LogOptions {
  readonly stream: string;
  /** First token of every subject, for example `rollouts`. */
  readonly prefix: string;
  readonly replicas: number;
  readonly timeoutMs: number;
}

/** Where a subject ends: the sequence of its newest event, and of the stream's message that holds it. */
interface End {
  readonly sequence: number;
  readonly message: number;
}

export async function openEventLog<E extends Sequenced>(
  client: JetStreamClient,
  manager: JetStreamManager,
  options: LogOptions,
): Promise<EventLog<E>> {
  const { stream, prefix, replicas } = options;
  const wanted = {
    name: stream,
    subjects: [`${prefix}.>`],
    num_replicas: replicas,
    allow_direct: false,
    deny_delete: true,
    deny_purge: true,
  };
  await manager.streams.info(stream).catch(() => manager.streams.add(wanted));
  const log = new JetStreamLog<E>(client, manager, options);
  return {
    read: (subject, afterSequence = 0) => log.read(subject, afterSequence),
    append: (subject, events, afterSequence) => log.append(subject, events, afterSequence),
    subjects: () => log.subjects(),
    follow: (subject, afterSequence, signal) => log.follow(subject, afterSequence, signal),
  };
}

class JetStreamLog<E extends Sequenced> {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #options: LogOptions;
  /** Only a shortcut: a stale entry loses the compare-and-swap and is dropped. */
  readonly #ends = new Map<string, End>();

  constructor(client: JetStreamClient, manager: JetStreamManager, options: LogOptions) {
    this.#client = client;
    this.#manager = manager;
    this.#options = options;
  }

  async read(name: string, afterSequence: number): Promise<readonly E[]> {
    try {
      const consumer = await this.#client.consumers.get(this.#options.stream, {
        filter_subjects: this.#subject(name),
        deliver_policy: DeliverPolicy.All,
      });
      const { num_pending: pending } = await consumer.info();
      if (pending === 0) return [];
      const events: E[] = [];
      // asking for exactly what is pending: a larger fetch would wait out its whole time
      const messages = await consumer.fetch({ max_messages: pending, expires: this.#options.timeoutMs });
      let seen = 0;
      for await (const message of messages) {
        events.push(...message.json<readonly E[]>());
        seen += 1;
        if (seen === pending) break;
      }
      if (seen < pending)
        throw new Error(`${seen} of ${pending} messages came within ${this.#options.timeoutMs} ms`);
      return checked(name, events).filter(({ sequence }) => sequence > afterSequence);
    } catch (error) {
      throw error instanceof FailureError ? error : unreachable(error);
    }
  }

  async append(name: string, events: readonly E[], afterSequence: number): Promise<SwapResult> {
    const last = events.at(-1);
    if (last === undefined) return { result: "written", revision: afterSequence };
    const subject = this.#subject(name);
    const end = this.#ends.get(name) ?? (await this.#readEnd(subject));
    if (end.sequence !== afterSequence) {
      this.#ends.delete(name);
      return { result: "lost" };
    }
    try {
      const { seq } = await this.#client.publish(subject, JSON.stringify(events), {
        expect: { lastSubjectSequence: end.message, streamName: this.#options.stream },
        timeout: this.#options.timeoutMs,
      });
      this.#ends.set(name, { sequence: last.sequence, message: seq });
      return { result: "written", revision: last.sequence };
    } catch (error) {
      this.#ends.delete(name);
      return isLost(error) ? { result: "lost" } : { result: "unknown", cause: causeOf(error) };
    }
  }

  async subjects(): Promise<readonly string[]> {
    const { prefix, stream } = this.#options;
    const info = await this.#manager.streams
      .info(stream, { subjects_filter: `${prefix}.>` })
      .catch((error: unknown) => {
        throw unreachable(error);
      });
    return Object.keys(info.state.subjects ?? {})
      .map((subject) => decodeName(subject.slice(prefix.length + 1)))
      .sort();
  }

  async *follow(name: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<E> {
    if (signal.aborted) return;
    const consumer = await this.#client.consumers.get(this.#options.stream, {
      filter_subjects: this.#subject(name),
      deliver_policy: DeliverPolicy.All,
    });
    const messages: ConsumerMessages = await consumer.consume();
    const stop = () => messages.stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const message of messages) {
        for (const event of message.json<readonly E[]>()) if (event.sequence > afterSequence) yield event;
        if (signal.aborted) return;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await messages.close();
    }
  }

  async #readEnd(subject: string): Promise<End> {
    const message = await this.#manager.streams
      .getMessage(this.#options.stream, { last_by_subj: subject })
      .catch((error: unknown) => {
        throw unreachable(error);
      });
    if (message === null) return { sequence: 0, message: 0 };
    const events = message.json<readonly E[]>();
    return { sequence: events.at(-1)?.sequence ?? 0, message: message.seq };
  }

  #subject(name: string): string {
    return `${this.#options.prefix}.${encodeName(name)}`;
  }
}

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
