/** The leader has let a node in, and the node never hears of it: its own end says that nothing was begun. */
import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "../engine/world/watching.ts";
import type { World } from "../engine/world/world.ts";

async function recordOf(world: World) {
  return (await world.stores.locks.read("c"))?.value;
}

/** The next answer to an enter is lost on its way to the node. */
function loseAnswer(world: World, node: string): { readonly lost: () => boolean } {
  const agent = world.agent(node);
  const hear = agent.hear.bind(agent);
  let lost = false;
  agent.hear = (message) => {
    if (lost || message.$case !== "enterGranted") return hear(message);
    lost = true;
  };
  return { lost: () => lost };
}

describe("an enter whose answer is lost", () => {
  it("leaves nothing behind: the lock goes back, and the next try has a higher epoch", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    const { lost } = loseAnswer(world, "db1");
    await world.clock.until(lost);
    expect(await recordOf(world)).toMatchObject({ state: "entered", entered: ["db1"], epoch: 1 });
    await world.clock.until(() => seen.state()?.lock === undefined);
    expect(world.node("db1").deeds).toEqual([]);
    expect(await recordOf(world)).toMatchObject({ state: "free", entered: [] });
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect((await recordOf(world))?.epoch).toBe(4);
  });

  it("also when the coordinator died with it, and the next one finds the record entered", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    const { lost } = loseAnswer(world, "db1");
    await world.clock.until(lost);
    world.killCoordinator();
    await world.settle(10_000);
    expect(await recordOf(world)).toMatchObject({ state: "entered", entered: ["db1"] });
    await world.startCoordinator();
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
  });

  it("also when the agent died before it gave up", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    const { lost } = loseAnswer(world, "db1");
    await world.clock.until(lost);
    world.agent("db1").kill();
    await world.settle(1_000);
    world.agent("db1").start();
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
  });
});
