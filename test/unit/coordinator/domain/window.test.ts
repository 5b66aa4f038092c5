import { describe, expect, it } from "vitest";
import { isOpen } from "#coordinator/domain/window.ts";

/** 2026-02-02 is a Monday. */
const at = (text: string) => Date.parse(`${text}Z`);

describe("maintenance windows", () => {
  it.each<readonly [string, string, boolean]>([
    ["22:00-23:00", "2026-02-02T22:00:00", true],
    ["22:00-23:00", "2026-02-02T22:59:59", true],
    ["22:00-23:00", "2026-02-02T23:00:00", false],
    ["22:00-23:00", "2026-02-02T21:59:59", false],
    ["Mon 22:00-23:00", "2026-02-02T22:30:00", true],
    ["Mon 22:00-23:00", "2026-02-03T22:30:00", false],
    ["Mon-Fri 22:00-05:00", "2026-02-02T23:00:00", true],
    ["Mon-Fri 22:00-05:00", "2026-02-02T04:00:00", false],
    ["Mon-Fri 22:00-05:00", "2026-02-07T04:00:00", true],
    ["Mon-Fri 22:00-05:00", "2026-02-07T22:30:00", false],
    ["Sat-Sun 00:00-06:00", "2026-02-08T03:00:00", true],
    ["Fri-Mon 00:00-06:00", "2026-02-08T03:00:00", true],
    ["Fri-Mon 00:00-06:00", "2026-02-04T03:00:00", false],
    ["22:00-23:00 Asia/Shanghai", "2026-02-02T14:30:00", true],
    ["22:00-23:00 Asia/Shanghai", "2026-02-02T22:30:00", false],
    ["Tue 01:00-02:00 Asia/Shanghai", "2026-02-02T17:30:00", true],
  ])("%s at %s: %s", (window, moment, open) => {
    expect(isOpen([window], at(moment))).toBe(open);
  });

  it("without a window it is always open; with several, one is enough", () => {
    expect(isOpen([], 0)).toBe(true);
    expect(isOpen(["01:00-02:00", "03:00-04:00"], at("2026-02-02T03:30:00"))).toBe(true);
  });

  it.each(["always", "25:00-99:00", "Mo 01:00-02:00", "00:00-23:59 Nowhere/Atlantis", "Xyz 00:00-23:59"])(
    "a text that cannot be read is never open: %s",
    (window) => {
      expect(isOpen([window], at("2026-02-02T12:00:00"))).toBe(false);
    },
  );
});
