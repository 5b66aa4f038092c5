/**
 * Reads of an event log. Consumers live on any replica, and a replica may lag: where a log ends is asked of the
 * stream's leader first, and a read that does not reach that end is a failure, never a shorter history.
 */
import {
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError } from "#proto/common/failure.ts";
import { unreachable } from "./errors.ts";

export interface ReaderMeans {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly clock: Clock;
  /** Longest silence within one read. */
  readonly timeoutMs: number;
}

/** One pull's life on a live tail; after an election of the store the tail goes on within about this time. */
const tailPullMs = 5_000;
const tailPauseMs = 500;
const tailGivesUpMs = 60_000;
const batch = 500;

/** The newest message of a subject as the stream's leader has it; null when there is none. */
export async function lastMessage(means: ReaderMeans, subject: string): Promise<StoredMsg | null> {
  return means.manager.streams.getMessage(means.stream, { last_by_subj: subject }).catch((error: unknown) => {
    throw unreachable(error);
  });
}

/** Every event of the subject, in stored order. Throws FailureError `store.unreachable`. */
export async function readEvents(means: ReaderMeans, subject: string): Promise<readonly unknown[]> {
  const end = await lastMessage(means, subject);
  if (end === null) return [];
  let consumer: Consumer | undefined;
  try {
    consumer = await consumerOf(means, subject);
    return await upTo(means, end.seq, await consumer.consume({ max_messages: batch }));
  } catch (error) {
    throw error instanceof FailureError ? error : unreachable(error);
  } finally {
    // otherwise the server keeps it for five minutes after each read
    await consumer?.delete().catch(() => undefined);
  }
}

async function upTo(
  means: ReaderMeans,
  end: number,
  messages: ConsumerMessages,
): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  let reached = 0;
  let cancel = () => {};
  const rewind = () => {
    cancel();
    cancel = means.clock.after(means.timeoutMs, () => messages.stop());
  };
  rewind();
  try {
    for await (const message of messages) {
      rewind();
      events.push(...message.json<readonly unknown[]>());
      reached = message.seq;
      if (reached >= end) return events;
    }
  } finally {
    cancel();
    messages.stop();
  }
  throw unreachable(
    new Error(`read up to message ${reached} of ${end}, then ${means.timeoutMs} ms of silence`),
  );
}

/**
 * Stored events, then those to come, until the signal aborts. An event may come twice, after an election of the
 * store. Throws FailureError `store.unreachable` when the store has not answered for a minute.
 */
export async function* followEvents(
  means: ReaderMeans,
  subject: string,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  let failingSinceMs: number | undefined;
  while (!signal.aborted) {
    try {
      const consumer = await consumerOf(means, subject);
      failingSinceMs = undefined;
      yield* tail(consumer, signal);
    } catch (error) {
      failingSinceMs ??= means.clock.monotonicMs();
      if (means.clock.monotonicMs() - failingSinceMs > tailGivesUpMs) throw unreachable(error);
    }
    if (!signal.aborted) await means.clock.sleep(tailPauseMs, signal).catch(() => undefined);
  }
}

async function* tail(consumer: Consumer, signal: AbortSignal): AsyncGenerator<unknown> {
  const messages = await consumer.consume({ max_messages: batch, expires: tailPullMs });
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const message of messages) {
      yield* message.json<readonly unknown[]>();
      if (signal.aborted) return;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    messages.stop();
    await consumer.delete().catch(() => undefined);
  }
}

function consumerOf({ client, stream }: ReaderMeans, subject: string): Promise<Consumer> {
  return client.consumers.get(stream, { filter_subjects: subject, deliver_policy: DeliverPolicy.All });
}
