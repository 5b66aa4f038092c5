import { describe, expect, it } from "vitest";
import { nearest } from "#proto/common/nearest.ts";

describe("the name that was probably meant", () => {
  it.each([
    ["biling", "billing"],
    ["bliling", "billing"],
    ["Billing", "billing"],
    ["账单二", "账单"],
    ["db11", "db1"],
    ["warehouse", undefined],
    ["x", undefined],
  ])("%s: %s", (typed, meant) => {
    expect(nearest(typed, ["billing", "账单", "db1", "orders"])).toBe(meant);
  });

  it("knows none where there is none", () => {
    expect(nearest("billing", [])).toBeUndefined();
  });
});
