import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expired } from "#coordinator/domain/snapshot/retention.ts";

const stored = (...ages: readonly number[]) =>
  ages.map((age) => ({ id: `s${age}`, storedAtMs: 1_000 - age }));
const none: ReadonlySet<string> = new Set();

describe("which snapshots may go", () => {
  it("those beyond the count, the oldest first", () => {
    expect(expired(stored(3, 1, 2), none, { keepCount: 2, keepMs: 1_000 }, 1_000)).toEqual(["s3"]);
  });

  it("those beyond the age", () => {
    expect(expired(stored(1, 50, 51), none, { keepCount: 9, keepMs: 50 }, 1_000)).toEqual(["s51"]);
  });

  it("never the newest, however old", () => {
    expect(expired(stored(900), none, { keepCount: 1, keepMs: 1 }, 1_000)).toEqual([]);
  });

  it("never one that a kept rollout points at", () => {
    expect(expired(stored(1, 2, 3), new Set(["s3"]), { keepCount: 1, keepMs: 1 }, 1_000)).toEqual(["s2"]);
  });

  it("keeps no more than it may, and loses nothing that it may keep", () => {
    const ages = fc.uniqueArray(fc.nat(900), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(ages, fc.integer({ min: 1, max: 10 }), fc.nat(900), (all, keepCount, keepMs) => {
        const gone = expired(stored(...all), none, { keepCount, keepMs }, 1_000);
        expect(all.length - gone.length).toBeLessThanOrEqual(Math.max(1, keepCount));
        const newest = [...all].sort((left, right) => left - right).slice(0, keepCount);
        for (const age of newest.filter((each) => each <= keepMs)) expect(gone).not.toContain(`s${age}`);
      }),
    );
  });
});
