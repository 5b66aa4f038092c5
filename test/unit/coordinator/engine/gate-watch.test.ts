/** What is stored of a gate that waits for days. */
import { expect, it } from "vitest";
import { waitFor } from "#coordinator/domain/gate.ts";
import { takeGate } from "#coordinator/engine/gate-watch.ts";
import type { Fleet } from "#coordinator/engine/ports.ts";
import type { Failure } from "#proto/common/failure.ts";

const day = 24 * 3_600_000;
const spec = { gate: "g", cluster: "c", args: {}, everyMs: 10_000, dwellMs: 0, limitMs: 2 * day };

/** Waits with other numbers in each sample, and names another reason on the second day. */
async function told(): Promise<readonly { readonly atMs: number; readonly why: Failure }[]> {
  let nowMs = 0;
  const waits: { readonly atMs: number; readonly why: Failure }[] = [];
  await takeGate(spec, {
    fleet: {} as Fleet,
    clock: { now: () => nowMs, monotonicMs: () => nowMs } as Parameters<typeof takeGate>[1]["clock"],
    members: [],
    gate: () => waitFor(nowMs < day ? "postgresql.copying" : "postgresql.lagging", { bytes: String(nowMs) }),
    before: undefined,
    acknowledged: [],
    sampled: () => undefined,
    stood: false,
    waits: async ({ why }) => void waits.push({ atMs: nowMs, why }),
    rest: async (ms) => {
      nowMs += ms;
      return false;
    },
  });
  return waits;
}

it("of numbers that change with every sample no more than one a minute is stored, and what is new at once", async () => {
  const waits = await told();
  expect(waits.slice(0, 4).map(({ atMs }) => atMs)).toEqual([0, 10_000, 20_000, 30_000]);
  expect(waits.length).toBeLessThan((2 * day) / 60_000 + 200);
  expect(waits.find(({ why }) => why.code === "postgresql.lagging")?.atMs).toBe(day);
});
