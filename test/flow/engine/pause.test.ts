import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";

describe("pause", () => {
  it("lets the running program end, frees its lock, and grants nothing until it is resumed", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up);
    expect((await world.order(rollout, "pause")).ok).toBe(true);
    expect(await seen.rests()).toBe("paused");
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await world.stores.locks.read("c"))?.value).toMatchObject({ state: "free", epoch: 1 });
    await world.settle(3_600_000);
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe(rollout);
    expect((await world.order(rollout, "resume")).ok).toBe(true);
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
  });

  it("holds over the death of the coordinator", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up);
    await world.order(rollout, "pause");
    await seen.rests();
    world.killCoordinator();
    await world.startCoordinator();
    await world.settle(600_000);
    expect(seen.phase()).toBe("paused");
    expect(versions(world)).toEqual(["2", "1", "1"]);
  });

  it("interrupts a gate that waits: the node is not granted when it becomes green", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db2").ill = "waits";
    await world.settle(5_000);
    await world.order(rollout, "pause");
    world.node("db2").ill = undefined;
    await world.settle(120_000);
    expect(seen.phase()).toBe("paused");
    expect(versions(world)).toEqual(["1", "1", "1"]);
  });
});

describe("--stop-after", () => {
  it("pauses after as many nodes, and again after as many more", async () => {
    const { world, rollout } = await begun({ stopAfterNodes: 1 });
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("paused");
    expect(versions(world)).toEqual(["2", "1", "1"]);
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "paused");
    expect(await seen.rests()).toBe("paused");
    expect(versions(world)).toEqual(["2", "2", "1"]);
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "paused");
    expect(await seen.rests()).toBe("done");
  });
});

describe("--approve-each", () => {
  it("waits for a person before every node, and says for which", async () => {
    const { world, rollout } = await begun({ approveEach: true });
    const seen = watching(world, rollout);
    for (const [index, node] of ["db1", "db2", "db3"].entries()) {
      expect(await seen.rests()).toBe("waiting");
      expect(seen.view()?.waitingFor?.why.facts).toMatchObject({ node });
      await world.settle(600_000);
      expect(versions(world).filter((version) => version === "2")).toHaveLength(index);
      expect((await world.order(rollout, "approve")).ok).toBe(true);
      await world.clock.until(() => seen.phase() !== "waiting");
    }
    expect(await seen.rests()).toBe("done");
  });
});
