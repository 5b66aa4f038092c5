import { describe, expect, it } from "vitest";
import { awake, begun, versions, watching } from "./world/watching.ts";

/** A gate refuses db2; before the rollout goes on, somebody upgrades it by hand. */
async function changedByHand() {
  const { world, rollout } = await begun({ stopAfterNodes: 1 });
  const seen = watching(world, rollout);
  await seen.rests();
  world.node("db2").ill = "fails";
  await world.order(rollout, "resume");
  expect(await seen.rests()).toBe("stopped");
  expect(versions(world)).toEqual(["2", "1", "1"]);
  world.node("db2").ill = undefined;
  world.node("db2").version = "1b";
  return { world, rollout, seen };
}

describe("a node that is not as it was planned", () => {
  it("stops the rollout also after a resume: nothing of it is begun", async () => {
    const { world, rollout, seen } = await changedByHand();
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("plan.drift");
    expect(world.node("db2").deeds).toEqual([]);
  });

  it("stops it also after the coordinator's death", async () => {
    const { world, rollout, seen } = await changedByHand();
    await world.order(rollout, "resume");
    world.killCoordinator();
    await world.startCoordinator();
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("plan.drift");
    expect(world.node("db2").deeds).toEqual([]);
  });

  it("is gone on with when it is as planned again", async () => {
    const { world, rollout, seen } = await changedByHand();
    world.node("db2").version = "1";
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("paused");
    expect(versions(world)).toEqual(["2", "2", "1"]);
  });

  it("waits behind a gate, and is found when its turn comes", async () => {
    const world = await awake();
    const rollout = await world.apply({ stopAfterNodes: 1 });
    const seen = watching(world, rollout);
    await seen.rests();
    world.node("db3").version = "0";
    await world.order(rollout, "resume");
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why).toMatchObject({
      code: "plan.drift",
      facts: { fields: "node.db3.version: planned 1, found 0" },
    });
  });
});
