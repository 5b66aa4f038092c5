import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keepsDataFormat } from "#coordinator/playbooks/kwdb/data-format.ts";
import { compareVersions, mayHop } from "#coordinator/playbooks/kwdb/version-policy.ts";

describe("which hop may be made", () => {
  it.each<readonly [string, string, string]>([
    ["2.2.0", "2.2.1", "yes"],
    ["2.2.9", "2.2.10", "yes"],
    ["3.0.0", "3.0.1", "yes"],
    ["3.0.0", "3.1.0", "kwdb.rolling-from-3-0"],
    ["3.0.2", "3.1.1", "kwdb.rolling-from-3-0"],
    ["3.1.0", "3.1.1", "yes"],
    ["3.1.0", "3.1.0", "kwdb.same-version"],
    ["3.1.0", "3.1.0.0", "kwdb.same-version"],
    ["2.2.10", "2.2.9", "kwdb.downgrade"],
    ["3.1.0", "3.0.0", "kwdb.downgrade"],
    ["3.0.0", "2.2.1", "kwdb.downgrade"],
    ["2.2.0", "3.0.0", "kwdb.major-by-script"],
    ["2.2.1", "3.1.0", "kwdb.major-by-script"],
    ["3.1.0", "3.2.0", "kwdb.installer-of-3-2"],
    ["3.0.0", "3.2.1", "kwdb.rolling-from-3-0"],
    ["3.2.0", "3.2.1", "kwdb.installer-of-3-2"],
    ["3.2.0", "3.3.0", "kwdb.hop-not-documented"],
    ["2.1.0", "2.2.0", "kwdb.hop-not-documented"],
    ["3.0.0", "latest", "kwdb.version-unreadable"],
    ["3.0.0", "", "kwdb.version-unreadable"],
    ["3.0.0", "3", "kwdb.version-unreadable"],
    ["3.0.0-rc1", "3.0.1", "kwdb.version-unreadable"],
    ["3.1.0", "3.1.0-hotfix1", "kwdb.version-with-tag"],
    ["3.0.0", "3.1.0 beta1", "kwdb.version-with-tag"],
  ])("%s to %s: %s", (from, to, expected) => {
    const verdict = mayHop(from, to);
    expect(verdict.may ? (verdict.words.map(({ id }) => id)[0] ?? "yes") : verdict.why.code).toBe(expected);
  });

  it("names what is allowed where it refuses", () => {
    const verdict = mayHop("3.0.0", "3.3.0");
    expect(verdict.may || verdict.why.facts["allowed"]).toBe("3.0.x, 3.1.x, 3.2.x");
    const stuck = mayHop("2.0.0", "2.1.0");
    expect(stuck.may || stuck.why.facts["allowed"]).toContain("export and import");
  });
});

describe("every hop that may be made", () => {
  it("leaves the data's format alone, so that one failed node goes back on the data that it has", () => {
    const part = fc.integer({ min: 0, max: 5 });
    const release = fc.tuple(fc.constantFrom(2, 3), part, part).map((parts) => parts.join("."));
    fc.assert(
      fc.property(release, release, (from, to) => {
        if (mayHop(from, to).may) expect(keepsDataFormat(from, to)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("compareVersions", () => {
  const version = fc.array(fc.nat(40), { minLength: 2, maxLength: 4 }).map((groups) => groups.join("."));

  it("orders by number, not by text", () => {
    expect(["2.2.10", "2.2.9", "2.10.0", "2.2"].sort(compareVersions)).toEqual([
      "2.2",
      "2.2.9",
      "2.2.10",
      "2.10.0",
    ]);
  });

  it("is an order", () => {
    fc.assert(
      fc.property(version, version, version, (left, middle, right) => {
        expect(Math.sign(compareVersions(left, middle))).toBe(-Math.sign(compareVersions(middle, left)) + 0);
        if (compareVersions(left, middle) <= 0 && compareVersions(middle, right) <= 0)
          expect(compareVersions(left, right)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
