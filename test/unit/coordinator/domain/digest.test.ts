import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical, driftOf } from "#coordinator/domain/digest.ts";

describe("canonical text", () => {
  it("equal values have equal texts, in whatever order their keys were written", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonical(reversed)).toBe(canonical(value));
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("a survey through JSON changes nothing: an absent field is an undefined one", () => {
    expect(canonical({ a: undefined, b: 1 })).toBe(canonical({ b: 1 }));
  });

  it("the order of a list counts", () => {
    expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
  });
});

describe("drift", () => {
  it("is shown field by field, absent ones too, in the order of names", () => {
    expect(driftOf({ b: "1", a: "1", gone: "x" }, { a: "2", b: "1", new: "y" })).toEqual([
      { field: "a", planned: "1", found: "2" },
      { field: "gone", planned: "x", found: "(absent)" },
      { field: "new", planned: "(absent)", found: "y" },
    ]);
  });

  it("of the same is none", () => {
    expect(driftOf({ a: "1" }, { a: "1" })).toEqual([]);
  });
});
