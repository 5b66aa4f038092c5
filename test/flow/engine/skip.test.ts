import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";

describe("skip", () => {
  it("leaves the node at its version, with its reason, and goes on with the others", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db2").ill = "fails";
    expect(await seen.rests()).toBe("stopped");
    world.node("db2").ill = undefined;
    await world.order(rollout, "resume");
    expect((await world.order(rollout, "skip", { node: "db2", reason: "new hardware next week" })).ok).toBe(
      true,
    );
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "1", "2"]);
    expect(seen.view()?.stages.find(({ id }) => id === "node-db2")?.standing).toBe("skipped");
    expect(await world.facts(rollout)).toContainEqual(
      expect.objectContaining({ kind: "skipped", node: "db2", by: "op", reason: "new hardware next week" }),
    );
  });

  it("of another node does not undo the stop: the failed node is not run past", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "start";
    expect(await seen.rests()).toBe("stopped");
    await world.order(rollout, "skip", { node: "db3" });
    await world.settle(60_000);
    expect(seen.phase()).toBe("stopped");
    expect(versions(world)).toEqual(["2 down", "1", "1"]);
  });

  it("is refused for a node that holds the lock half-way", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db2").failsAt = "upgrade";
    expect(await seen.rests()).toBe("stopped");
    expect(await world.order(rollout, "skip", { node: "db2" })).toMatchObject({
      failure: { code: "rollout.node-holds-lock" },
    });
  });

  it("is refused for a node that is done", async () => {
    const { world, rollout } = await begun({ stopAfterNodes: 1 });
    await watching(world, rollout).rests();
    expect(await world.order(rollout, "skip", { node: "db1" })).toMatchObject({
      failure: { code: "rollout.node-done" },
    });
  });

  it("is refused where mixed versions may not serve", async () => {
    const { world, rollout } = await begun({ method: "strict", stopAfterNodes: 1 });
    await watching(world, rollout).rests();
    expect(await world.order(rollout, "skip", { node: "db2" })).toMatchObject({
      failure: { code: "rollout.no-mixed-versions" },
    });
  });
});
