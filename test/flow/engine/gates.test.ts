import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";

describe("a gate after a node", () => {
  it("that goes red during its dwell begins the dwell anew, and the next node waits", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => versions(world)[0] === "2");
    await world.settle(1_500);
    world.node("db3").ill = "waits";
    await world.settle(2_000);
    world.node("db3").ill = undefined;
    const mendedAtMs = world.clock.monotonicMs();
    await world.clock.until(() => seen.state()?.stages[1]?.standing === "passed");
    expect(world.clock.monotonicMs() - mendedAtMs).toBeGreaterThanOrEqual(3_000);
    expect(await seen.rests()).toBe("done");
  });

  it("that stays red stops the rollout under the lock of the node that may have caused it", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => versions(world)[0] === "2");
    world.node("db3").ill = "waits";
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ stage: "node-db1", node: "db1", why: { code: "tiny.down" } });
    expect((await world.stores.locks.read("c"))?.value).toMatchObject({ state: "entered", nodes: ["db1"] });
    expect(versions(world)).toEqual(["2", "1", "1"]);
  });

  it("is taken again when the rollout is resumed, and its node changes nothing twice", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => versions(world)[0] === "2");
    world.node("db3").ill = "fails";
    expect(await seen.rests()).toBe("stopped");
    world.node("db3").ill = undefined;
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
  });

  it("that could not see a node is not green", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => versions(world)[0] === "2");
    world.agent("db3").cut();
    await world.settle(30_000);
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await world.stores.locks.read("c"))?.value).toMatchObject({ state: "entered" });
    world.agent("db3").mend();
    expect(await seen.rests()).toBe("done");
  });
});
