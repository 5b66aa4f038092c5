import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type NatsStore, openStore } from "#coordinator/nats/store.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { type Event, eventLogCases, events, texts } from "./event-log-cases.ts";
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

eventLogCases("in memory", async () => {
  const log = memoryEventLog<Event>();
  return [log, log];
});

eventLogCases("on the coordinator's own NATS", async () => {
  opened += 1;
  const open = () => store.log(`LOG${opened}`, `log${opened}`, texts);
  return [await open(), await open()];
});

describe("an event log on NATS", () => {
  it("leaves no consumer behind a read or a tail", async () => {
    const log = await store.log("TIDY", "tidy", texts);
    await log.append("r", events(1, 3), 0);
    for (let time = 0; time < 5; time += 1) await log.read("r");
    const stop = new AbortController();
    for await (const event of log.follow("r", 0, stop.signal)) if (event.sequence === 3) stop.abort();
    const manager = await jetstreamManager(store.connection);
    expect((await manager.streams.info("TIDY")).state.consumer_count).toBe(0);
  });

  it("does not read a history with a hole", async () => {
    const log = await store.log("HOLE", "hole", texts);
    await log.append("r", events(1, 2), 0);
    await jetstream(store.connection).publish("hole.r", JSON.stringify(events(5, 1)));
    await expect(log.read("r")).rejects.toMatchObject({
      failure: { code: "store.log-damaged", facts: { log: "r", at: "3" } },
    });
  });

  it("neither reads nor follows what a newer coordinator has written", async () => {
    const log = await store.log("NEWER", "newer", texts);
    await log.append("r", events(1, 1), 0);
    const [next] = events(2, 1);
    await jetstream(store.connection).publish("newer.r", JSON.stringify([{ ...next, format: 2 }]));
    const refused = {
      failure: { code: "store.format-unknown", facts: { key: "r", format: "2", known: "1" } },
    };
    await expect(log.read("r")).rejects.toMatchObject(refused);
    const following = async () => {
      for await (const event of log.follow("r", 1, new AbortController().signal)) return event;
    };
    await expect(following()).rejects.toMatchObject(refused);
  });

  it("cannot be shortened by anybody", async () => {
    const log = await store.log("FIRM", "firm", texts);
    await log.append("r", events(1, 2), 0);
    const manager = await jetstreamManager(store.connection);
    await expect(manager.streams.purge("FIRM")).rejects.toThrow();
    await expect(manager.streams.deleteMessage("FIRM", 1)).rejects.toThrow();
    expect(await log.read("r")).toHaveLength(2);
  });

  it("keeps what it acknowledged, and goes on, when the server is killed and comes back", async () => {
    await using own = await startTestNats();
    const first = await openStore({ servers: [own.server.url], replicas: 1, timeoutMs: 2_000 });
    const log = await first.log("KEPT", "kept", texts);
    for (let sequence = 1; sequence <= 20; sequence += 1)
      await log.append("r", events(sequence, 1), sequence - 1);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { sequence } of log.follow("r", 0, stop.signal)) {
        seen.push(sequence);
        if (sequence === 21) stop.abort();
      }
    })();
    const killed = own.server.pid();
    process.kill(killed, "SIGKILL");
    await vi.waitUntil(() => own.server.pid() !== killed, { timeout: 20_000 });
    await vi.waitUntil(async () => (await log.read("r").catch(() => [])).length === 20, { timeout: 20_000 });
    expect(await log.append("r", events(21, 1), 20)).toMatchObject({ result: "written" });
    await following;
    expect(seen).toEqual(events(1, 21).map(({ sequence }) => sequence));
    await first[Symbol.asyncDispose]();
  });

  it("says unknown, not lost, when the server is gone", async () => {
    await using own = await startTestNats();
    const away = await openStore({ servers: [own.server.url], replicas: 1, timeoutMs: 500 });
    const log = await away.log("GONE", "gone", texts);
    await log.append("r", events(1, 1), 0);
    await own.server.stop();
    expect(await log.append("r", events(2, 1), 1)).toMatchObject({ result: "unknown" });
    expect(await log.append("r", events(2, 1), 1)).toMatchObject({ result: "unknown" });
    await expect(log.read("r")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await expect(log.subjects()).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    await away[Symbol.asyncDispose]();
  });
});

describe("the faults of the event log in memory", () => {
  it("loses an acknowledgement after the write, and answers nobody without a leader", async () => {
    const log = memoryEventLog<Event>();
    log.loseNextAck();
    expect(await log.append("r", events(1, 1), 0)).toMatchObject({ result: "unknown" });
    expect(await log.read("r")).toHaveLength(1);
    log.setLeaderless(true);
    expect(await log.append("r", events(2, 1), 1)).toMatchObject({ result: "unknown" });
    await expect(log.read("r")).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
  });
});
