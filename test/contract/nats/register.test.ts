import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Register } from "#coordinator/engine/ports.ts";
import { type NatsStore, openStore } from "#coordinator/nats/store.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { startTestNats, type TestNats } from "./server.ts";

const schema = z.object({ format: z.literal(1), name: z.string() });
type Value = z.infer<typeof schema>;
const value = (name: string): Value => ({ format: 1, name });

let nats: TestNats;
let store: NatsStore;

beforeAll(async () => {
  nats = await startTestNats();
  store = await openStore({ servers: [nats.server.url], replicas: 1, timeoutMs: 2_000 });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

describe.each([
  ["in memory", async () => memoryRegister<Value>() as Register<Value>],
  ["on NATS", async () => store.register(`test-${Math.random().toString(36).slice(2)}`, schema)],
])("a register %s", (_, open) => {
  it("has no record at first, and creates it with revision 0 only once", async () => {
    const register = await open();
    expect(await register.read("账单 1")).toBeUndefined();
    expect(await register.swap("账单 1", value("a"), 0)).toMatchObject({ result: "written" });
    expect(await register.swap("账单 1", value("b"), 0)).toEqual({ result: "lost" });
    expect((await register.read("账单 1"))?.value.name).toBe("a");
  });

  it("lets exactly one of many writers win", async () => {
    const register = await open();
    await register.swap("k", value("first"), 0);
    const { revision } = (await register.read("k")) ?? { revision: -1 };
    const results = await Promise.all(
      Array.from({ length: 20 }, (_unused, writer) => register.swap("k", value(`w${writer}`), revision)),
    );
    expect(results.filter(({ result }) => result === "written")).toHaveLength(1);
    expect(results.filter(({ result }) => result === "lost")).toHaveLength(19);
  });

  it("gives back the revision that the next swap must name", async () => {
    const register = await open();
    const first = await register.swap("k", value("1"), 0);
    if (first.result !== "written") throw new Error("not written");
    expect((await register.read("k"))?.revision).toBe(first.revision);
    expect(await register.swap("k", value("2"), first.revision)).toMatchObject({ result: "written" });
    expect(await register.swap("k", value("3"), first.revision)).toEqual({ result: "lost" });
  });

  it("lists its keys as they were given", async () => {
    const register = await open();
    await register.swap("数据库 β", value("1"), 0);
    await register.swap("a.b*>", value("1"), 0);
    expect([...(await register.keys())].sort()).toEqual(["a.b*>", "数据库 β"].sort());
  });
});

describe("a register on NATS", () => {
  it("does not read a record that something else has spoilt", async () => {
    const bucket = "spoilt";
    const loose = await store.register(bucket, z.object({ anything: z.string() }));
    await loose.swap("k", { anything: "else" }, 0);
    const strict = await store.register(bucket, schema);
    await expect(strict.read("k")).rejects.toMatchObject({ failure: { code: "store.unreadable" } });
  });

  it("says unknown, not lost, when the server is gone", async () => {
    await using own = await startTestNats();
    const away = await openStore({ servers: [own.server.url], replicas: 1, timeoutMs: 500 });
    const register = await away.register("gone", schema);
    await own.server.stop();
    expect(await register.swap("k", value("a"), 0)).toMatchObject({ result: "unknown" });
    await expect(register.read("k")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await away[Symbol.asyncDispose]();
  });
});
