import { expect, it } from "vitest";
import { offsetOf } from "#coordinator/api/health-reading.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const instant = (ms: number) => new Date(ms).toISOString();

/** Asked at 1,000,000; the node, `offMs` ahead, has the question after 30 ms, works for 2 s, and the answer takes 10. */
async function estimate(offMs: number, tells: "both" | "first") {
  const clock = new VirtualClock();
  const askedMs = clock.monotonicMs();
  let isThere = false;
  clock.after(2_040, () => {
    isThere = true;
  });
  await clock.until(() => isThere);
  const report = {
    takenAt: instant(1_000_000 + 30 + offMs),
    ...(tells === "both" ? { doneAt: instant(1_000_000 + 2_030 + offMs) } : {}),
  } as NodeReport;
  return offsetOf(report, { askedMs, askedAt: 1_000_000 }, clock);
}

it("does not count the node's own work to the way there and back", async () => {
  expect(await estimate(-450, "both")).toMatchObject({ offsetMs: -440, errorMs: 20 });
});

it("is as coarse as the whole round trip where an agent does not tell when it was done", async () => {
  const { offsetMs, errorMs } = await estimate(-450, "first");
  expect(errorMs).toBe(1_020);
  expect(Math.abs(offsetMs - -450)).toBeLessThanOrEqual(errorMs);
});
