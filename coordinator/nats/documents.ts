/**
 * Documents of any size on the object store: snapshots, and plans too large for an event. The client waits for
 * ever for a chunk that does not come, so every call here has a deadline.
 */
import type { JetStreamClient } from "@nats-io/jetstream";
import type { ObjectStore } from "@nats-io/obj";
import { Objm } from "@nats-io/obj";
import type { Clock } from "#proto/common/clock.ts";
import type { DocumentStore } from "../engine/ports.ts";
import { unreachable } from "./errors.ts";
import { readStoredBytes, type StoredFormat } from "./stored.ts";

export interface DocumentsOptions {
  readonly bucket: string;
  readonly replicas: number;
  readonly clock: Clock;
  /** For one whole document. */
  readonly limitMs: number;
}

/** Throws FailureError `store.unreachable`; `store.unreadable` and `store.format-unknown` for what is no such document. */
export async function openDocuments<T>(
  client: JetStreamClient,
  as: StoredFormat<T>,
  { bucket, replicas, clock, limitMs }: DocumentsOptions,
): Promise<DocumentStore<T>> {
  const store = await new Objm(client).create(bucket, { replicas });
  const within = <T>(work: Promise<T>) => withDeadline(work, clock, limitMs);
  return {
    put: async (name, document) =>
      void (await within(store.putBlob({ name }, Buffer.from(JSON.stringify(document), "utf8")))),
    get: async (name) => {
      const bytes = await within(store.getBlob(name));
      return bytes === null ? undefined : readStoredBytes(as, name, bytes);
    },
    list: (prefix) => within(listDocuments(store, prefix)),
    remove: async (name) => void (await within(store.delete(name))),
  };
}

async function withDeadline<T>(work: Promise<T>, clock: Clock, limitMs: number): Promise<T> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(limitMs, () => reject(new Error(`no answer within ${limitMs} ms`)));
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw unreachable(error);
  } finally {
    cancel();
  }
}

async function listDocuments(store: ObjectStore, prefix: string) {
  const all = await store.list();
  return all
    .filter(({ name, deleted }) => !deleted && name.startsWith(prefix))
    .map(({ name, mtime, size }) => ({ name, storedAtMs: Date.parse(mtime), bytes: size }));
}
