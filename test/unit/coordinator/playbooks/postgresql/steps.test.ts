import { describe, expect, it } from "vitest";
import { countRows, fence, hook, measure, pausePooler } from "#coordinator/playbooks/postgresql/steps.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf } from "./pair.ts";

describe("a step that an agent undoes by itself", () => {
  it.each([10_000, 15_000, 60_000, 120_000])("has ended before its hold of %i ms does", (holdLimitMs) => {
    for (const step of [fence(holdLimitMs), pausePooler(holdLimitMs)])
      expect(step.deadlineMs).toBeLessThanOrEqual((step.holdLimitMs ?? 0) / 2);
    expect(fence(holdLimitMs).holdLimitMs).toBe(holdLimitMs);
  });

  it.each([10_000, 120_000, 600_000])(
    "keeps clients back for longer than a fence of %i ms stands",
    (limitMs) => {
      const { holdLimitMs = 0, deadlineMs } = pausePooler(limitMs);
      expect(holdLimitMs - deadlineMs).toBeGreaterThan(limitMs);
    },
  );

  it.each([10_000, 120_000])("is tried out before anything is copied: a fence of %i ms", (limitMs) => {
    expect(countRows(["shop"], limitMs).deadlineMs).toBe(measure(["shop"], 0, limitMs).deadlineMs);
    const plan = postgresql.plan(inputOf({}));
    const first = plan.ok ? plan.value.stages[0] : undefined;
    const ids = first?.kind === "preflight" ? first.programs[0]?.steps.map(({ id }) => id) : [];
    expect(ids).toContain("count-rows");
  });

  it("has its whole time where it holds nothing", () => {
    expect(hook("resumePooler").deadlineMs).toBe(60_000);
  });
});
