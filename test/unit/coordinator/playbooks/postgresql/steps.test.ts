import { describe, expect, it } from "vitest";
import { fence, hook } from "#coordinator/playbooks/postgresql/steps.ts";

describe("a step that an agent undoes by itself", () => {
  it.each([10_000, 15_000, 60_000, 120_000])("has ended before its hold of %i ms does", (holdLimitMs) => {
    const pooler = hook("pausePooler", { holdLimitMs, undo: "resumePooler" });
    for (const step of [fence(holdLimitMs), pooler]) {
      expect(step.holdLimitMs).toBe(holdLimitMs);
      expect(step.deadlineMs).toBeLessThanOrEqual(holdLimitMs / 2);
    }
  });

  it("has its whole time where it holds nothing", () => {
    expect(hook("resumePooler").deadlineMs).toBe(60_000);
  });
});
