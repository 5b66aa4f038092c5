import { describe, expect, it } from "vitest";
import { isOf, isSlotOf, subscriptionName } from "#agent/engines/postgresql/names.ts";
import { serverHash } from "#agent/engines/postgresql/pglogical/server-hash.ts";

const rollout = "20261122-030139-mhw5";
const far = "Far Away, and of a long name";

/** As pglogical 2.4.2 on a 15 named them, by rollout, direction and database. */
const seen = [
  ["pgl_shop_lockkeep1573e80_lockkeepf25a99b", "shop"],
  ["pgl__ar__way858189f_lockkeep1573e80_lockkeepfd4b064", far],
] as const;

describe("a slot that pglogical has named", () => {
  it.each(seen)("%s is the one of its stream, and of no other", (slot, database) => {
    expect(isSlotOf({ rollout, direction: "forward", database }, slot)).toBe(true);
    expect(isOf(rollout, slot)).toBe(true);
    expect(isSlotOf({ rollout, direction: "back", database }, slot)).toBe(false);
    expect(isSlotOf({ rollout, direction: "forward", database: "other" }, slot)).toBe(false);
    expect(isSlotOf({ rollout: "20261122-030139-mhw6", direction: "forward", database }, slot)).toBe(false);
    expect(isOf("20261122-030139-mhw6", slot)).toBe(false);
  });

  it("is as good with the digit that 2.4 loses", () => {
    const [slot, database] = seen[0];
    expect(isSlotOf({ rollout, direction: "forward", database }, `${slot}0`)).toBe(true);
    expect(isSlotOf({ rollout, direction: "forward", database }, `${slot}00`)).toBe(false);
  });

  it("is not somebody else's of the same database", () => {
    expect(isOf(rollout, "pgl_shop_provider_subscription")).toBe(false);
    expect(isOf(rollout, "lockkeeper_20261122_030139_mhw50")).toBe(false);
  });

  it("may be the server's own mover's instead", () => {
    const slot = subscriptionName(rollout, "back", far);
    expect(isSlotOf({ rollout, direction: "back", database: far }, slot)).toBe(true);
    expect(isSlotOf({ rollout, direction: "forward", database: far }, slot)).toBe(false);
  });
});

describe("the server's hash", () => {
  // SELECT hashtext(…) + (CASE WHEN hashtext(…) < 0 THEN 4294967296 ELSE 0 END)
  it.each([
    ["Far Away, and of a long name", "858189f"],
    ["lockkeeper_20261122_030139_mhw5", "1573e80"],
    ["lockkeeper_20261122_030139_mhw5_8d9001d3", "f25a99b"],
  ])("of %s begins as in the name that was seen", (text, digits) => {
    expect(serverHash(Buffer.from(text)).toString(16).padStart(8, "0")).toMatch(new RegExp(`^${digits}`));
  });
});
