import { describe, expect, it } from "vitest";
import {
  candidacy,
  type LeaderRecord,
  lease,
  mayAct,
  nextLeader,
  observe,
  resign,
} from "#coordinator/domain/leader.ts";

const me = { coordinator: "a", address: "a:1" };
const you = { coordinator: "b", address: "b:1" };
const led = (by: typeof me, before?: LeaderRecord) => nextLeader(before, by, "t");

describe("leader's lease", () => {
  it("an empty room is led at once, one's own lease renewed, another's waited for", () => {
    expect(candidacy("a", undefined, undefined, 0)).toBe("lead");
    expect(candidacy("a", led(me), undefined, 0)).toBe("renew");
    expect(candidacy("a", led(you), undefined, 0)).toBe("wait");
  });

  it("takes over only after a whole lease in which its own clock saw no change", () => {
    const record = led(you);
    const seen = observe(undefined, 7, 1_000);
    expect(candidacy("a", record, seen, 1_000 + lease.leaseMs - 1)).toBe("wait");
    expect(candidacy("a", record, seen, 1_000 + lease.leaseMs)).toBe("lead");
  });

  it("a record that moves starts the wait anew; one that stands still does not", () => {
    const seen = observe(undefined, 7, 1_000);
    expect(observe(seen, 7, 9_000)).toBe(seen);
    expect(observe(seen, 8, 9_000)).toEqual({ revision: 8, changedAtMs: 9_000 });
    // a lost store restarts its revisions: lower is a change too
    expect(observe(seen, 1, 9_000)).toEqual({ revision: 1, changedAtMs: 9_000 });
  });

  it("the holder steps down well before anybody else may lead", () => {
    expect(mayAct(undefined, 0)).toBe(false);
    expect(mayAct(0, lease.stepDownMs - 1)).toBe(true);
    expect(mayAct(0, lease.stepDownMs)).toBe(false);
    expect(lease.stepDownMs).toBeLessThan(lease.leaseMs);
  });

  it("a change of leader is a new term, a renewal the next beat", () => {
    const first = led(me);
    expect(first).toMatchObject({ term: 1, beat: 1, since: "t" });
    expect(nextLeader(first, me, "later")).toMatchObject({ term: 1, beat: 2, since: "t" });
    expect(nextLeader(first, you, "later")).toMatchObject({
      coordinator: "b",
      term: 2,
      beat: 1,
      since: "later",
    });
  });

  it("who resigns need not be waited out, and the term rises for the next", () => {
    const empty = resign(led(me));
    expect(candidacy("b", empty, undefined, 0)).toBe("lead");
    expect(led(you, empty).term).toBe(2);
  });
});
