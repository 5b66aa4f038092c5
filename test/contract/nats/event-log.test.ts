import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { EventLog } from "#coordinator/engine/ports.ts";
import { startEmbedded } from "#coordinator/nats/embedded.ts";
import { type NatsStore, openStore } from "#coordinator/nats/store.ts";
import { systemClock } from "#proto/common/clock.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { natsBinary, startTestNats, type TestNats } from "./server.ts";

interface Event {
  readonly sequence: number;
  readonly text: string;
}
const events = (from: number, count: number): Event[] =>
  Array.from({ length: count }, (_, index) => ({ sequence: from + index, text: `event ${from + index}` }));

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

describe.each([
  ["in memory", async () => memoryEventLog<Event>() as EventLog<Event>],
  [
    "on NATS",
    async () => {
      opened += 1;
      return store.log<Event>(`LOG${opened}`, `log${opened}`);
    },
  ],
])("an event log %s", (_, open) => {
  it("reads back what was appended, in order, from any place", async () => {
    const log = await open();
    await log.append("r1", events(1, 3), 0);
    await log.append("r2", events(1, 1), 0);
    await log.append("r1", events(4, 2), 3);
    expect((await log.read("r1")).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect((await log.read("r1", 3)).map(({ sequence }) => sequence)).toEqual([4, 5]);
    expect(await log.read("nothing")).toEqual([]);
    expect(await log.subjects()).toEqual(["r1", "r2"]);
  });

  it("lets only one of two writers go on from the same place", async () => {
    const log = await open();
    await log.append("r", events(1, 1), 0);
    const both = await Promise.all([log.append("r", events(2, 1), 1), log.append("r", events(2, 1), 1)]);
    expect(both.map(({ result }) => result).sort()).toEqual(["lost", "written"]);
    expect(await log.read("r")).toHaveLength(2);
  });

  it("refuses an append that skips or repeats", async () => {
    const log = await open();
    await log.append("r", events(1, 2), 0);
    expect(await log.append("r", events(2, 1), 1)).toEqual({ result: "lost" });
    expect(await log.append("r", events(9, 1), 8)).toEqual({ result: "lost" });
  });

  it("follows what is stored and then what comes, until it is told to stop", async () => {
    const log = await open();
    await log.append("r", events(1, 2), 0);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const event of log.follow("r", 1, stop.signal)) {
        seen.push(event.sequence);
        if (event.sequence === 4) stop.abort();
      }
    })();
    await log.append("r", events(3, 2), 2);
    await following;
    expect(seen).toEqual([2, 3, 4]);
  });
});

describe("an event log on NATS", () => {
  it("is refused to a second writer with a stale end in its memory", async () => {
    const log = await store.log<Event>("TWO", "two");
    const other = await store.log<Event>("TWO", "two");
    await log.append("r", events(1, 1), 0);
    await other.append("r", events(2, 1), 1);
    expect(await log.append("r", events(2, 1), 1)).toEqual({ result: "lost" });
    expect(await log.append("r", events(3, 1), 2)).toMatchObject({ result: "written" });
  });

  it("keeps what it acknowledged, and goes on, when the server is killed and comes back", async () => {
    await using own = await startTestNats();
    const first = await openStore({ servers: [own.server.url], replicas: 1, timeoutMs: 2_000 });
    const log = await first.log<Event>("KEPT", "kept");
    for (let sequence = 1; sequence <= 20; sequence += 1)
      await log.append("r", events(sequence, 1), sequence - 1);
    const killed = own.server.pid();
    process.kill(killed, "SIGKILL");
    await vi.waitUntil(() => own.server.pid() !== killed, { timeout: 20_000 });
    await vi.waitUntil(async () => (await log.read("r").catch(() => [])).length === 20, { timeout: 20_000 });
    expect(await log.append("r", events(21, 1), 20)).toMatchObject({ result: "written" });
    await first[Symbol.asyncDispose]();
  });

  it("adopts the server that a crashed coordinator left behind", async () => {
    await using own = await startTestNats();
    const again = await startEmbedded({
      binary: natsBinary(),
      folder: own.folder,
      clock: systemClock,
      startLimitMs: 20_000,
    });
    expect(again.adopted).toBe(true);
    expect(again.pid()).toBe(own.server.pid());
    await again.stop();
  });
});
