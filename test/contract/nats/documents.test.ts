import { Objm } from "@nats-io/obj";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NatsStore, openStore } from "#coordinator/nats/store.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { documentCases, sheets } from "./document-cases.ts";
import { startTestNats, type TestNats } from "./server.ts";

let nats: TestNats;
let store: NatsStore;
let opened = 0;

beforeAll(async () => {
  nats = await startTestNats();
  store = await openStore({ servers: [nats.server.url], replicas: 1, timeoutMs: 2_000 });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

documentCases("in memory", async () => memoryDocuments(Date.now));
documentCases("on the coordinator's own NATS", () => {
  opened += 1;
  return store.documents(`documents-${opened}`, sheets);
});

describe("a document store on NATS", () => {
  it("says which document is spoilt, or written by a newer coordinator", async () => {
    const documents = await store.documents("spoilt-documents", sheets);
    const objects = await new Objm(store.connection).open("spoilt-documents");
    await objects.putBlob({ name: "plans/1" }, Buffer.from("not json"));
    await expect(documents.get("plans/1")).rejects.toMatchObject({
      failure: { code: "store.unreadable", facts: { key: "plans/1" } },
    });
    await objects.putBlob({ name: "plans/2" }, Buffer.from('{"format":2}'));
    await expect(documents.get("plans/2")).rejects.toMatchObject({
      failure: { code: "store.format-unknown", facts: { key: "plans/2", format: "2", known: "1" } },
    });
  });

  it("says that nobody answers, when nobody does", async () => {
    await using own = await startTestNats();
    const away = await openStore({ servers: [own.server.url], replicas: 1, timeoutMs: 500 });
    const documents = await away.documents("gone", sheets);
    await own.server.stop();
    await expect(documents.get("a")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await expect(documents.put("a", { format: 1 })).rejects.toMatchObject({
      failure: { code: "store.unreachable" },
    });
    await expect(documents.list("")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await away[Symbol.asyncDispose]();
  });
});
