/** A driver whose coordinator does not lead any more lets go, whatever still waits to be heard. */
import { expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { Inbox } from "#coordinator/engine/agents/inbox.ts";
import { RolloutDriver } from "#coordinator/engine/driver.ts";
import { Drivers, type DriversMeans } from "#coordinator/engine/drivers.ts";
import { RolloutJournal } from "#coordinator/engine/journal.ts";
import type { DriverMeans } from "#coordinator/engine/rollout-desk.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const plan: Plan = {
  ...{ format: 1, digest: "d", engine: "tiny", clusters: ["c"], from: "1", to: "2" },
  ...{ strategy: "rolling", method: "rolling", boundTo: {}, stages: [], checks: [], asks: [], wayBack: [] },
  warnings: [],
};
const begun: RolloutEvent = {
  format: 1,
  rollout: "r",
  sequence: 1,
  at: "2026-01-01T00:00:00.000Z",
  fact: { kind: "rollout-started", plan, by: "test", options: { approveEach: false }, words: [] },
};
const means: DriverMeans = {} as never;

/** Aborts when it is asked for the second time; one that asks without end fails instead of hanging. */
function secondLook(): AbortSignal {
  let looks = 0;
  const signal = new AbortController().signal;
  Object.defineProperty(signal, "aborted", {
    get: () => {
      if (++looks > 1_000) throw new Error("asked without end");
      return looks > 1;
    },
  });
  return signal;
}

it("ends with mail waiting", async () => {
  const clock = new VirtualClock();
  const log = memoryEventLog<RolloutEvent>();
  await log.append("r", [begun], 0);
  const journal = await RolloutJournal.load("r", { log, clock, random: () => 0.5 });
  const driver = new RolloutDriver(journal, { ...means, clock }, secondLook());
  driver.inbox.put({ kind: "attached", node: "db1" });
  await driver.run();
  expect(log.stored("r")).toHaveLength(1);
});

it("tells who waits for an order that it was not stored", async () => {
  const clock = new VirtualClock();
  const inbox = new Inbox(clock);
  const order = (done: (stored: boolean) => void) =>
    inbox.put({ kind: "order", fact: { kind: "resumed", by: "test", words: [] }, done });
  const waiting = new Promise<boolean>(order);
  inbox.close();
  expect(await waiting).toBe(false);
  expect(await new Promise<boolean>(order)).toBe(false);
});

it("does so also where the driver has failed", async () => {
  const clock = new VirtualClock();
  const log = memoryEventLog<RolloutEvent>();
  await log.append("r", [begun], 0);
  const failing: DriversMeans = {
    ...{ log, clock, random: () => 0.5, coordinator: "c1", redial: () => {}, warn: () => {} },
    means: () => ({ ...means, clock }),
    nodesOf: () => [],
  };
  const drivers = new Drivers(failing);
  drivers.start("r", false);
  while (drivers.state("r") === undefined) await Promise.resolve();
  log.append = () => Promise.reject(new Error("the store is gone"));
  expect(await drivers.order("r", { kind: "resumed", by: "test", words: [] })).toBe(false);
  await drivers.stopAll();
});
