import { describe, expect, it } from "vitest";
import { begun, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

async function kept(world: World): Promise<readonly string[]> {
  const listed = await world.during(world.coordinator?.application.listSnapshots({ limit: 100 }));
  return listed.ok ? listed.value.map(({ id }) => id) : [];
}

function takeOne(world: World) {
  return world.during(world.coordinator?.application.takeSnapshot("op", { reason: "look" }));
}

describe("a coordinator that keeps one snapshot", () => {
  it("keeps those before and after each node until the rollout has ended, through a change of coordinators", async () => {
    const { world, rollout } = await begun({ stopAfterNodes: 2 });
    const seen = watching(world, rollout);
    await seen.rests();
    world.killCoordinator();
    await world.startCoordinator();
    await takeOne(world);
    await takeOne(world);
    const ids = seen.state()?.snapshots.map(({ id }) => id) ?? [];
    expect(ids.length).toBeGreaterThanOrEqual(3);
    expect(await kept(world)).toEqual(expect.arrayContaining(ids));
    await world.order(rollout, "resume");
    expect(await seen.rests()).toBe("done");
    await world.settle(1_000);
    await takeOne(world);
    expect(await kept(world)).toHaveLength(1);
  });
});
