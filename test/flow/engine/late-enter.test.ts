/** A node that comes back when its rollout has stopped, with a program that it has not begun. */
import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";

/** Cut off when it has taken its program, before it is let in. */
async function stoppedWithoutDb1(method: string, stage: string) {
  const { world, rollout } = await begun({ method });
  const seen = watching(world, rollout);
  await world.clock.until(() => world.agent("db1").hello()?.unfinished?.stage === stage);
  world.agent("db1").cut();
  expect(await seen.rests()).toBe("stopped");
  expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "node.silent" } });
  return { world, rollout, seen };
}

describe("a node that comes back under a stopped rollout", () => {
  it("is not touched before a person says resume, and then all goes on", async () => {
    const { world, rollout, seen } = await stoppedWithoutDb1("rolling", "node-db1");
    world.agent("db1").mend();
    await world.settle(600_000);
    expect(seen.phase()).toBe("stopped");
    expect(world.node("db1").deeds).toEqual([]);
    expect((await world.stores.locks.read("c"))?.value.entered).toEqual([]);
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "upgrade", "start"]);
  });

  it("is gone on with when it comes back only after the person's word", async () => {
    const { world, rollout, seen } = await stoppedWithoutDb1("rolling", "node-db1");
    await world.order(rollout, "resume");
    await world.settle(10_000);
    world.agent("db1").mend();
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "upgrade", "start"]);
    expect(world.violations).toEqual([]);
  });

  it("waits for that word also where others of its stage are in", async () => {
    const { world, rollout, seen } = await stoppedWithoutDb1("offline", "offline/stop");
    expect(seen.state()?.lock?.entered).toEqual(["db2", "db3"]);
    world.agent("db1").mend();
    await world.settle(600_000);
    expect(world.node("db1").deeds).toEqual([]);
    await world.order(rollout, "retry", { node: "db1" });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "upgrade", "start"]);
  });
});
