import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type NatsStore, openStore } from "#coordinator/nats/store.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { registerCases, type Value, value, values } from "./register-cases.ts";
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

registerCases("in memory", async () => memoryRegister<Value>());
registerCases("on the coordinator's own NATS", () => {
  opened += 1;
  return store.register(`register-${opened}`, values);
});

describe("a register on NATS", () => {
  it("does not read a record that something else has spoilt, or a newer coordinator has written", async () => {
    const loose = await store.register("spoilt", {
      format: 1,
      schema: z.looseObject({ format: z.number() }),
    });
    await loose.swap("k", { format: 1, anything: "else" }, 0);
    await loose.swap("newer", { format: 2, name: "a" }, 0);
    const strict = await store.register("spoilt", values);
    await expect(strict.read("k")).rejects.toMatchObject({ failure: { code: "store.unreadable" } });
    await expect(strict.read("newer")).rejects.toMatchObject({
      failure: { code: "store.format-unknown", facts: { key: "newer", format: "2", known: "1" } },
    });
  });

  it("does not read a record that is no JSON, nor take a deleted key for one that never was", async () => {
    const register = await store.register("by-hand", values);
    const kv = await new Kvm(store.connection).open("by-hand");
    const key = (name: string) => Buffer.from(name).toString("base64url");
    await kv.put(key("text"), "not json");
    await register.swap("gone", value("a"), 0);
    await kv.delete(key("gone"));
    await expect(register.read("text")).rejects.toMatchObject({ failure: { code: "store.unreadable" } });
    await expect(register.read("gone")).rejects.toMatchObject({ failure: { code: "store.unreadable" } });
    expect(await register.swap("gone", value("b"), 0)).toEqual({ result: "lost" });
    expect(await register.keys()).toContain("gone");
  });

  it("refuses a bucket in which records expire", async () => {
    await new Kvm(store.connection).create("expiring", { ttl: 60_000 });
    await expect(store.register("expiring", values)).rejects.toMatchObject({
      failure: { code: "store.forgets", facts: { bucket: "expiring", expiryMs: "60000" } },
    });
  });

  it("reads from the stream's leader, never from a replica", async () => {
    await store.register("leader-only", values);
    const status = await (await new Kvm(store.connection).open("leader-only")).status();
    expect(status.streamInfo.config).toMatchObject({ allow_direct: false, max_age: 0 });
  });

  it("says how many servers are missing when it cannot keep the copies that were asked for", async () => {
    const wanting = await openStore({ servers: [nats.server.url], replicas: 3, timeoutMs: 2_000 });
    await expect(wanting.register("three", values)).rejects.toMatchObject({
      failure: { code: "store.too-few-servers", facts: { replicas: "3" } },
    });
    await wanting[Symbol.asyncDispose]();
  });

  it("says unknown, not lost, when the server is gone", async () => {
    await using own = await startTestNats();
    const away = await openStore({ servers: [own.server.url], replicas: 1, timeoutMs: 500 });
    const register = await away.register("gone", values);
    await own.server.stop();
    expect(await register.swap("k", value("a"), 0)).toMatchObject({ result: "unknown" });
    await expect(register.read("k")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await expect(register.keys()).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await away[Symbol.asyncDispose]();
  });
});

describe("the faults of the register in memory", () => {
  it("loses an acknowledgement after the write", async () => {
    const register = memoryRegister<Value>();
    register.loseNextAck();
    expect(await register.swap("k", value("a"), 0)).toMatchObject({ result: "unknown" });
    expect((await register.read("k"))?.value.name).toBe("a");
  });

  it("forgets, after which a revision comes a second time and a stale swap succeeds", async () => {
    const register = memoryRegister<Value>();
    await register.swap("k", value("free"), 0);
    const granted = await register.swap("k", value("granted"), 1);
    register.forget("k", 1);
    expect((await register.read("k"))?.value.name).toBe("free");
    expect(await register.swap("k", value("another"), 1)).toEqual(granted);
    expect(await register.swap("k", value("stale"), 2)).toMatchObject({ result: "written" });
  });

  it("answers nobody without a leader, and keeps what it had", async () => {
    const register = memoryRegister<Value>();
    await register.swap("k", value("a"), 0);
    register.setLeaderless(true);
    expect(await register.swap("k", value("b"), 1)).toMatchObject({ result: "unknown" });
    await expect(register.read("k")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    register.setLeaderless(false);
    expect((await register.read("k"))?.value.name).toBe("a");
  });
});
