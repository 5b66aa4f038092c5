/** Documents of any size on the object store: snapshots, and plans too large for an event. */

import type { JetStreamClient } from "@nats-io/jetstream";
import type { ObjectStore } from "@nats-io/obj";
import { Objm } from "@nats-io/obj";
import type { DocumentStore } from "../engine/ports.ts";
import { unreachable } from "./errors.ts";

export interface DocumentsOptions {
  readonly bucket: string;
  readonly replicas: number;
}

export async function openDocuments(
  client: JetStreamClient,
  { bucket, replicas }: DocumentsOptions,
): Promise<DocumentStore> {
  const store = await new Objm(client).create(bucket, { replicas });
  const guarded = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw unreachable(error);
    });
  return {
    put: async (name, document) =>
      void (await guarded(store.putBlob({ name }, Buffer.from(JSON.stringify(document), "utf8")))),
    get: async (name) => {
      const bytes = await guarded(store.getBlob(name));
      return bytes === null ? undefined : (JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown);
    },
    list: (prefix) => guarded(listDocuments(store, prefix)),
    remove: async (name) => void (await guarded(store.delete(name))),
  };
}

async function listDocuments(store: ObjectStore, prefix: string) {
  const all = await store.list();
  return all
    .filter(({ name, deleted }) => !deleted && name.startsWith(prefix))
    .map(({ name, mtime, size }) => ({ name, storedAtMs: Date.parse(mtime), bytes: size }));
}
