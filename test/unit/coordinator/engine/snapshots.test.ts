import { describe, expect, it } from "vitest";
import type { ClaimRecord } from "#coordinator/domain/claim.ts";
import type { LockRecord } from "#coordinator/domain/lock.ts";
import type { Snapshot } from "#coordinator/domain/snapshot/snapshot.ts";
import { type OpenRollout, Snapshots } from "#coordinator/engine/snapshots.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

/** A coordinator that keeps one snapshot; a minute passes before each is taken. */
function book() {
  const clock = new VirtualClock();
  let minutes = 0;
  let ids = 0;
  const open: OpenRollout[] = [];
  const documents = memoryDocuments<Snapshot>(() => minutes * 60_000);
  const unreadable = { is: false };
  let asked = 0;
  const snapshots = new Snapshots({
    documents,
    fleet: {
      presence: () => undefined,
      send: () => false,
      takeReport: () => Promise.reject(new Error("no nodes")),
      lastReport: () => undefined,
      clockOffset: () => undefined,
    },
    clock,
    newId: () => {
      ids += 1;
      return `s${ids}`;
    },
    locks: memoryRegister<LockRecord>(),
    claims: memoryRegister<ClaimRecord>(),
    retention: { keepCount: 1, keepMs: 1e12 },
    playbook: () => undefined,
    wordsInForce: () => [],
    openRollouts: async () => {
      asked += 1;
      if (unreadable.is) throw new Error("a hole in a log");
      return open;
    },
  });
  const take = async (rollout?: string) => {
    minutes += 1;
    const about = { by: "ann", reason: "look", ...(rollout === undefined ? {} : { rollout }) };
    const taken = await snapshots.take([], about);
    return taken.ok ? taken.value.id : "";
  };
  const kept = async () => (await snapshots.list({ limit: 100 })).map(({ id }) => id);
  return { open, unreadable, take, kept, asked: () => asked };
}

const told = (id: string, ...ids: readonly string[]): OpenRollout => ({
  id,
  snapshots: ids.map((snapshot) => ({ id: snapshot })),
});

describe("retention", () => {
  it("keeps what an open rollout has taken before and after each node, however many others there are", async () => {
    const { open, take, kept } = book();
    open.push(told("r"));
    const before = await take("r");
    const after = await take("r");
    open[0] = told("r", before, after);
    const newest = [await take(), await take(), await take()].at(-1);
    expect(await kept()).toEqual([newest, after, before]);
  });

  it("keeps one that was taken a moment ago, before its rollout's log tells of it", async () => {
    const { open, take, kept } = book();
    open.push(told("r"));
    const before = await take("r");
    const other = await take();
    expect(await kept()).toEqual([other, before]);
  });

  it("lets those of an ended rollout go like all others", async () => {
    const { open, take, kept } = book();
    const before = await take("r");
    open.push(told("r", before));
    const after = await take("r");
    expect(await kept()).toEqual([after, before]);
    open.length = 0;
    const other = await take();
    expect(await kept()).toEqual([other]);
  });

  it("removes nothing while it cannot know what is open", async () => {
    const { unreadable, take, kept } = book();
    const first = await take();
    unreadable.is = true;
    const second = await take();
    expect(await kept()).toEqual([second, first]);
  });

  it("asks for open rollouts only when something would go", async () => {
    const { take, asked } = book();
    await take();
    expect(asked()).toBe(0);
    await take();
    expect(asked()).toBe(1);
  });
});
