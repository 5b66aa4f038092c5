/** An agent that is away in the very moment in which its rollout ends, when the last messages go out. */
import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

function cutAtFreed(world: World, rollout: string): void {
  world.onStored = () => {
    if (world.stores.log.stored(rollout).at(-1)?.fact.kind === "freed") world.agent("db1").cut();
  };
}

describe("an agent that missed the end of its rollout", () => {
  it("is told also when it is back while the claims are still being given back", async () => {
    const { world, rollout } = await begun();
    await world.clock.until(() => !world.node("db1").up);
    cutAtFreed(world, rollout);
    world.stores.claims.setLeaderless(true);
    await world.order(rollout, "abort");
    expect(await watching(world, rollout).rests()).toBe("aborted");
    await world.settle(1_000);
    world.onStored = () => {};

    world.agent("db1").mend();
    await world.settle(3_000);
    world.stores.claims.setLeaderless(false);
    await world.settle(20_000);
    expect(world.agent("db1").hello()?.unfinished).toBeUndefined();
    const next = watching(world, await world.apply());
    expect(await next.rests(), JSON.stringify(next.view()?.stop)).toBe("done");
    expect(world.violations).toEqual([]);
  });

  it("is told when it is back, and takes the next", async () => {
    const { world, rollout } = await begun();
    await world.clock.until(() => !world.node("db1").up);
    cutAtFreed(world, rollout);
    await world.order(rollout, "abort");
    expect(await watching(world, rollout).rests()).toBe("aborted");
    await world.settle(1_000);
    expect(world.agent("db1").hello()?.unfinished).toMatchObject({ rollout });
    world.onStored = () => {};

    world.agent("db1").mend();
    await world.settle(1_000);
    expect(world.agent("db1").hello()?.unfinished).toBeUndefined();
    const next = watching(world, await world.apply());
    expect(await next.rests(), JSON.stringify(next.view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.violations).toEqual([]);
  });
});
