import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { RolloutEvent, RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { Deposed, RolloutJournal } from "#coordinator/engine/journal.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const plan: Plan = {
  format: 1,
  digest: "d",
  engine: "tiny",
  clusters: ["c"],
  from: "1",
  to: "2",
  strategy: "rolling",
  method: "rolling",
  boundTo: {},
  stages: [],
  checks: [],
  asks: [],
  wayBack: [],
  warnings: [],
};
const begun: RolloutEvent = {
  format: 1,
  rollout: "r",
  sequence: 1,
  at: "2026-01-01T00:00:00.000Z",
  fact: { kind: "rollout-started", plan, by: "test", options: { approveEach: false }, words: [] },
};
const paused: RolloutFact = { kind: "paused", by: "test", reason: "" };
const resumed: RolloutFact = { kind: "resumed", by: "test", words: [] };

async function opened() {
  const log = memoryEventLog<RolloutEvent>();
  await log.append("r", [begun], 0);
  const appends: number[] = [];
  const counting = {
    ...log,
    append: (...given: Parameters<typeof log.append>) => {
      appends.push(given[1].length);
      return log.append(...given);
    },
  };
  const means = { log: counting, clock: new VirtualClock(), random: () => 0.5 };
  return { log, appends, journal: await RolloutJournal.load("r", means) };
}

const kinds = (events: readonly RolloutEvent[]) => events.map(({ fact }) => fact.kind);

describe("what a journal holds", () => {
  it("counts in the state at once, and is stored in front of the next events, in one append", async () => {
    const { log, appends, journal } = await opened();
    journal.hold(paused);
    expect(journal.state.paused).toBeDefined();
    expect(kinds(log.stored("r"))).toEqual(["rollout-started"]);
    await journal.append(resumed);
    expect(appends).toEqual([2]);
    expect(kinds(log.stored("r"))).toEqual(["rollout-started", "paused", "resumed"]);
    expect(fold(log.stored("r"))).toEqual(journal.state);
  });

  it("is stored alone when asked, once", async () => {
    const { log, appends, journal } = await opened();
    journal.hold(paused);
    await journal.flush();
    await journal.flush();
    expect(appends).toEqual([1]);
    await journal.append(resumed);
    expect(log.stored("r").map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it("is found again when the acknowledgement is lost, and not stored twice", async () => {
    const { log, journal } = await opened();
    journal.hold(paused);
    log.loseNextAck();
    await journal.append(resumed);
    expect(kinds(log.stored("r"))).toEqual(["rollout-started", "paused", "resumed"]);
  });

  it("is not written over what another coordinator has written meanwhile", async () => {
    const { log, journal } = await opened();
    journal.hold(paused);
    await log.append("r", [{ ...begun, sequence: 2, fact: { kind: "taken-over", coordinator: "b" } }], 1);
    await expect(journal.append(resumed)).rejects.toBeInstanceOf(Deposed);
    expect(kinds(log.stored("r"))).toEqual(["rollout-started", "taken-over"]);
  });
});
