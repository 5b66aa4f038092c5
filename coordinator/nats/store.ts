/** The coordinator's memory on NATS: opens the connection and every bucket, stream and object store it uses. */

import { JetStreamApiError, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type Clock, systemClock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { DocumentStore, EventLog, Register } from "../engine/ports.ts";
import { openDocuments } from "./documents.ts";
import { causeOf, unreachable } from "./errors.ts";
import { openEventLog, type Sequenced } from "./event-log.ts";
import { openRegister } from "./register.ts";
import { dialled, withoutToken } from "./server-address.ts";
import type { StoredFormat } from "./stored.ts";

export interface StoreOptions {
  readonly servers: readonly string[];
  /** 1 for the embedded server, 3 in production. */
  readonly replicas: number;
  /** For one question to NATS. */
  readonly timeoutMs: number;
  readonly clock?: Clock;
  /** How long opening outwaits a cluster that elects its leader: 4 to 9 s are an ordinary event. */
  readonly openLimitMs?: number;
}

export interface NatsStore extends AsyncDisposable {
  readonly serverVersion: string;
  register<T>(bucket: string, as: StoredFormat<T>): Promise<Register<T>>;
  log<E extends Sequenced>(stream: string, prefix: string, as: StoredFormat<E>): Promise<EventLog<E>>;
  documents<T>(bucket: string, as: StoredFormat<T>): Promise<DocumentStore<T>>;
  /** Servers known to the connection, as `host:port`. */
  readonly connection: NatsConnection;
}

const documentLimitMs = 30_000;
const openingPauseMs = 500;

export async function openStore(options: StoreOptions): Promise<NatsStore> {
  const { replicas, timeoutMs, clock = systemClock } = options;
  const connection = await dial(options);
  const client = jetstream(connection, { timeout: timeoutMs });
  const manager = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false });
  const kvm = new Kvm(client);
  const opened = <T>(open: () => Promise<T>) => patiently(open, options);
  return {
    connection,
    serverVersion: connection.info?.version ?? "unknown",
    register: (bucket, as) =>
      opened(() => openRegister({ kvm, manager }, as, { bucket, replicas, timeoutMs })),
    log: (stream, prefix, as) =>
      opened(() => openEventLog({ client, manager }, as, { stream, prefix, replicas, timeoutMs, clock })),
    documents: (bucket, as) =>
      opened(() => openDocuments(client, as, { bucket, replicas, clock, limitMs: documentLimitMs })),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

function dial({ servers, timeoutMs }: StoreOptions): Promise<NatsConnection> {
  return connect({
    ...dialled(servers),
    timeout: timeoutMs,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    name: "lockkeeper",
  }).catch((error: unknown) => {
    throw new FailureError(
      failure("store.unreachable", { cause: causeOf(error), servers: servers.map(withoutToken).join(", ") }),
    );
  });
}

/** JetStream's "replicas > 1 not supported in non-clustered mode". */
const notClustered = 10074;
/** "No suitable peers for placement": also what a cluster says whose third server is still starting. */
const noPeers = 10005;

async function patiently<T>(open: () => Promise<T>, options: StoreOptions): Promise<T> {
  const { clock = systemClock, openLimitMs = 20_000 } = options;
  const endMs = clock.monotonicMs() + openLimitMs;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (error instanceof FailureError) throw error;
      if (codeOf(error) === notClustered || clock.monotonicMs() >= endMs) throw whyNotOpen(error, options);
      await clock.sleep(openingPauseMs);
    }
  }
}

function whyNotOpen(error: unknown, { replicas }: StoreOptions): FailureError {
  const code = codeOf(error);
  if (code !== notClustered && code !== noPeers) return unreachable(error);
  return new FailureError(
    failure("store.too-few-servers", { replicas: String(replicas), cause: causeOf(error) }),
  );
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}
