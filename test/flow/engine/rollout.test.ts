import { describe, expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";
import { begun, versions, watching } from "./world/watching.ts";
import { World } from "./world/world.ts";

describe("a rollout", () => {
  it("upgrades one node after another and frees its lock and claim", async () => {
    const { world, rollout } = await begun();
    const { phase } = watching(world, rollout);
    await world.clock.until(() => phase() === "done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.violations).toEqual([]);
    expect((await world.stores.locks.read("c"))?.value).toMatchObject({ state: "free", epoch: 3 });
    await world.settle(100);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe("");
  });

  it("stops at the node that fails, leaves the next untouched and keeps the lock", async () => {
    const { world, rollout } = await begun();
    const node = world.nodes.get("db2");
    if (node !== undefined) node.failsAt = "start";
    const { phase, view } = watching(world, rollout);
    await world.clock.until(() => phase() === "stopped");
    expect(versions(world)).toEqual(["2", "2 down", "1"]);
    expect(view()?.stop).toMatchObject({
      node: "db2",
      why: { code: "tiny.failed", facts: { step: "start" } },
    });
    expect((await world.stores.locks.read("c"))?.value).toMatchObject({ state: "entered", nodes: ["db2"] });
  });

  it("goes on with the failed node under the same lock when it is retried", async () => {
    const { world, rollout } = await begun();
    const node = world.nodes.get("db2");
    if (node !== undefined) node.failsAt = "start";
    const { phase } = watching(world, rollout);
    await world.clock.until(() => phase() === "stopped");
    if (node !== undefined) node.failsAt = undefined;
    const steered = world.coordinator?.application.steer("op", {
      rollout,
      order: "retry",
      node: "db2",
      reason: "mended",
      words: [],
    });
    await world.clock.until(() => phase() === "done");
    expect((await steered)?.ok).toBe(true);
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(node?.deeds).toEqual(["stop", "upgrade", "start"]);
  });

  it("refuses a second plan on its cluster while it runs, naming the holder", async () => {
    const { world, rollout } = await begun();
    await expect(world.apply()).rejects.toThrow("claim.held");
    await expect(world.apply()).rejects.toThrow(rollout);
  });
});

describe("a claim", () => {
  it("that the store forgot is taken again before the next grant", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => world.node("db1").version === "2");
    world.stores.claims.forget("c", 1);
    expect(await seen.rests()).toBe("done");
    const holders = world.stores.claims;
    await world.settle(100);
    expect((await holders.read("c"))?.value.rollout).toBe("");
  });

  it("that another rollout holds lets no lock be granted", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => world.node("db1").version === "2");
    const { revision } = (await world.stores.claims.read("c")) ?? { revision: 0 };
    const other = { format: 1, rollout: "other", since: "2026-01-01T00:00:00.000Z", by: "op" } as const;
    await world.stores.claims.swap("c", other, revision);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why).toMatchObject({ code: "claim.held", facts: { rollout: "other" } });
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe("other");
  });
});

describe("I3 and I5: an agent killed after any of its durable writes", () => {
  it("goes on where it was, and starts no change twice", async () => {
    for (let kill = 1; kill <= 12; kill += 1) {
      const world = new World(new VirtualClock());
      await world.begin();
      let writes = 0;
      world.onWrite = (agent) => {
        if (agent.node.name !== "db2") return;
        writes += 1;
        if (writes !== kill) return;
        agent.kill();
        world.clock.after(2_000, () => agent.start());
      };
      const rollout = await world.apply();
      const seen = watching(world, rollout);
      await world.clock.until(() => seen.phase() === "done" || seen.phase() === "stopped");
      expect(seen.phase(), `killed at write ${kill}: ${JSON.stringify(seen.view()?.stop)}`).toBe("done");
      expect(world.violations).toEqual([]);
      for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "upgrade", "start"]);
    }
  });
});

describe("a store without a leader for ten seconds", () => {
  it("delays the rollout and changes nothing else", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.settle(3_500);
    world.stores.locks.setLeaderless(true);
    world.stores.log.setLeaderless(true);
    await world.settle(10_000);
    world.stores.locks.setLeaderless(false);
    world.stores.log.setLeaderless(false);
    await world.clock.until(() => seen.phase() === "done" || seen.phase() === "stopped");
    expect(seen.phase(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(world.violations).toEqual([]);
  });
});
