import { describe, expect, it } from "vitest";
import { inOrder, release, take } from "#coordinator/domain/claim.ts";

const mine = { rollout: "r1", since: "t1", by: "anna" };
const yours = { rollout: "r2", since: "t2", by: "bo" };

function taken(record: Parameters<typeof take>[1], claimant: typeof mine) {
  const made = take("c", record, claimant);
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

describe("claim", () => {
  it("a free cluster is claimed, and a second rollout is refused with the holder's name", () => {
    const record = taken(undefined, mine);
    expect(take("c", record, yours)).toEqual({
      ok: false,
      failure: { code: "claim.held", facts: { cluster: "c", rollout: "r1", since: "t1", by: "anna" } },
    });
  });

  it("claiming again what one holds changes nothing, not even since when", () => {
    const record = taken(undefined, mine);
    expect(taken(record, { ...mine, since: "t9" })).toBe(record);
  });

  it("only the holder gives it back; then another may have it", () => {
    const record = taken(undefined, mine);
    expect(release(record, yours)).toBe(record);
    const free = release(record, { ...mine, since: "t3" });
    expect(free).toEqual({ format: 1, rollout: "", since: "t3", by: "anna" });
    expect(taken(free, yours).rollout).toBe("r2");
  });

  it("giving back what was never claimed writes nothing", () => {
    expect(release(undefined, mine)).toBeUndefined();
  });

  it("several clusters are taken in the order of their names, each once", () => {
    expect(inOrder(["b", "a", "b"])).toEqual(["a", "b"]);
  });
});
