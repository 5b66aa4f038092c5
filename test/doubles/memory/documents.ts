/** A document store in memory, held to the same contract suite as the one on NATS. */
import type { DocumentStore } from "#coordinator/engine/ports.ts";

export function memoryDocuments<T>(now: () => number): DocumentStore<T> {
  const documents = new Map<string, { readonly text: string; readonly storedAtMs: number }>();
  return {
    put: async (name, document) =>
      void documents.set(name, { text: JSON.stringify(document), storedAtMs: now() }),
    get: async (name) => {
      const found = documents.get(name);
      return found === undefined ? undefined : (JSON.parse(found.text) as T);
    },
    list: async (prefix) =>
      [...documents]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { text, storedAtMs }]) => ({ name, storedAtMs, bytes: Buffer.byteLength(text) })),
    remove: async (name) => void documents.delete(name),
  };
}
