/** The coordinator's memory on NATS: opens the connection and every bucket, stream and object store it uses. */

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { z } from "zod";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { DocumentStore, EventLog, Register } from "../engine/ports.ts";
import { openDocuments } from "./documents.ts";
import { causeOf } from "./errors.ts";
import { openEventLog, type Sequenced } from "./event-log.ts";
import { openRegister } from "./register.ts";

export interface StoreOptions {
  readonly servers: readonly string[];
  /** 1 for the embedded server, 3 in production. */
  readonly replicas: number;
  readonly timeoutMs: number;
}

export interface NatsStore extends AsyncDisposable {
  readonly serverVersion: string;
  register<T>(bucket: string, schema: z.ZodType<T>): Promise<Register<T>>;
  log<E extends Sequenced>(stream: string, prefix: string): Promise<EventLog<E>>;
  documents(bucket: string): Promise<DocumentStore>;
  /** Servers known to the connection, as `host:port`. */
  readonly connection: NatsConnection;
}

export async function openStore({ servers, replicas, timeoutMs }: StoreOptions): Promise<NatsStore> {
  const connection = await connect({
    servers: [...servers],
    timeout: timeoutMs,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    name: "lockkeeper",
  }).catch((error: unknown) => {
    throw new FailureError(
      failure("store.unreachable", { cause: causeOf(error), servers: servers.join(", ") }),
    );
  });
  const client = jetstream(connection, { timeout: timeoutMs });
  const manager = await jetstreamManager(connection, { timeout: timeoutMs });
  const kvm = new Kvm(client);
  return {
    connection,
    serverVersion: connection.info?.version ?? "unknown",
    register: (bucket, schema) => openRegister(kvm, schema, { bucket, replicas, timeoutMs }),
    log: (stream, prefix) => openEventLog(client, manager, { stream, prefix, replicas, timeoutMs }),
    documents: (bucket) => openDocuments(client, { bucket, replicas }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
