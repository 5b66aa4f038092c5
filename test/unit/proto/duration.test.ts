import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration, renderDuration } from "#proto/common/duration.ts";

describe("parseDuration", () => {
  it.each([
    ["250ms", 250],
    ["90s", 90_000],
    ["1m30s", 90_000],
    ["2h", 7_200_000],
    ["1.5s", 1_500],
  ])("%s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each(["", "10", "s", "1s1m", "1m1m", "-5s", "1h x", "9999d", "٣s"])("refuses %j", (text) => {
    expect(parseDuration(text).ok).toBe(false);
  });

  it("never reads a rendered duration as a longer one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), (ms) => {
        const back = parseDuration(renderDuration(ms));
        return back.ok && back.value <= ms && back.value >= ms * 0.9 - 1;
      }),
    );
  });
});
