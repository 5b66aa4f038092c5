/** Histories with a name, played by the real engine on the virtual clock. */
import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "../engine/world/watching.ts";
import type { World } from "../engine/world/world.ts";

async function recordOf(world: World) {
  return (await world.stores.locks.read("c"))?.value;
}

/** db1 is down, in mid program. */
async function untilDown(world: World, node: string): Promise<void> {
  await world.clock.until(() => world.nodes.get(node)?.up === false);
}

describe("an agent that comes back with an empty state folder in mid rollout", () => {
  it("stops the rollout by name, is answered for by a person, and the rollout goes on", async () => {
    const { world, rollout } = await begun();
    const { phase, view } = watching(world, rollout);
    await untilDown(world, "db2");
    world.agent("db2").loseMemory();
    await world.clock.until(() => phase() === "stopped" || phase() === "done");
    expect(phase()).toBe("stopped");
    expect(view()?.stop?.why).toMatchObject({ code: "node.unproven", facts: { node: "db2" } });
    expect(world.nodes.get("db3")?.version).toBe("1");
    expect(await recordOf(world)).toMatchObject({ state: "entered", nodes: ["db2"] });

    const { application } = world.coordinator ?? {};
    const word = { kind: "acknowledgement", check: "node.unproven", reason: "looked at it" } as const;
    void application?.steer("op", { rollout, order: "resume", reason: "looked at it", words: [word] });
    await world.clock.until(() => phase() === "done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.node("db2").deeds).toEqual(["stop", "upgrade", "start"]);
    expect(world.violations).toEqual([]);
  });

  it("is heard from its first event on, though its node had told many under its lost journal", async () => {
    const { world, rollout } = await begun();
    const { phase, view } = watching(world, rollout);
    await world.clock.until(() => world.node("db2").version === "2");
    await world.settle(50);
    world.agent("db2").loseMemory();
    await world.clock.until(() => phase() === "stopped");
    expect(view()?.stop?.why).toMatchObject({ code: "node.unproven", facts: { node: "db2" } });

    const word = { kind: "acknowledgement", check: "node.unproven", reason: "looked at it" } as const;
    await world.order(rollout, "resume", { words: [word] });
    await world.clock.until(() => phase() === "stopped" || phase() === "done");
    expect(phase(), JSON.stringify(view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.node("db2").deeds.filter((deed) => deed === "upgrade")).toHaveLength(1);
    expect(world.violations).toEqual([]);
  });

  it("needs a word of its own each time", async () => {
    const { world, rollout } = await begun();
    const { phase, view } = watching(world, rollout);
    const word = { kind: "acknowledgement", check: "node.unproven", reason: "looked at it" } as const;
    for (const node of ["db1", "db2"]) {
      await untilDown(world, node);
      world.agent(node).loseMemory();
      await world.clock.until(() => phase() === "stopped");
      expect(view()?.stop?.why).toMatchObject({ code: "node.unproven", facts: { node } });
      void world.coordinator?.application.steer("op", {
        rollout,
        order: "resume",
        reason: "r",
        words: [word],
      });
      await world.clock.until(() => phase() === "running");
    }
    await world.clock.until(() => phase() === "done");
  });
});

describe("an abort while the node in work does not answer", () => {
  it("stops with that reason instead of asking for ever", async () => {
    const { world, rollout } = await begun();
    const { phase, view } = watching(world, rollout);
    await untilDown(world, "db1");
    void world.coordinator?.application.steer("op", { rollout, order: "abort", reason: "r", words: [] });
    await world.clock.until(() => phase() === "aborting");
    await world.settle(20);
    world.agent("db1").kill();
    await world.clock.until(() => phase() === "stopped");
    expect(view()?.stop?.why).toMatchObject({ code: "node.silent", facts: { node: "db1" } });
    expect(await recordOf(world)).toMatchObject({ state: "entered", nodes: ["db1"] });
  });
});

describe("an acknowledgement that is lost after the write", () => {
  it("is not taken for a lost race, whichever write of the lock it is", async () => {
    for (let write = 0; write < 9; write += 1) {
      const { world, rollout } = await begun();
      const { phase, view } = watching(world, rollout);
      let writes = 0;
      const { swap } = world.stores.locks;
      world.stores.locks.swap = (...asked) => {
        if (writes === write) world.stores.locks.loseNextAck();
        writes += 1;
        return swap(...asked);
      };
      await world.clock.until(() => phase() === "stopped" || phase() === "done");
      expect(phase(), `write ${write}: ${JSON.stringify(view()?.stop)}`).toBe("done");
      expect(versions(world)).toEqual(["2", "2", "2"]);
      expect(await recordOf(world)).toMatchObject({ state: "free", epoch: 3 });
      expect(world.violations).toEqual([]);
    }
  });
});

describe("a lock broken while its program still runs", () => {
  it("gives nothing to anybody as long as that program is not at its end and a person has not answered", async () => {
    const { world, rollout } = await begun();
    const { phase, view } = watching(world, rollout);
    await untilDown(world, "db1");
    const broken = world.coordinator?.application.breakLock("op", {
      cluster: "c",
      reason: "we thought that it hangs",
      word: "the host is off",
    });
    let settled: Awaited<typeof broken>;
    void broken?.then((outcome) => {
      settled = outcome;
    });
    await world.clock.until(() => settled !== undefined);
    expect(settled?.ok).toBe(true);
    await world.clock.until(() => phase() === "stopped" || phase() === "done");
    expect(phase()).toBe("stopped");
    expect(view()?.stop?.why.code).toBe("lock.broken");
    await world.settle(600_000);
    // it came to its next safe boundary, and no further
    expect(versions(world)).toEqual(["1 down", "1", "1"]);
    expect(await recordOf(world)).toMatchObject({ state: "free", broken: { nodes: ["db1"] } });
    expect(world.violations).toEqual([]);
  });
});

describe("a store that forgets a grant while the granted node is cut off", () => {
  it("leads to no other grant, also after a take-over, and ends well when the node is back", async () => {
    const { world, rollout } = await begun();
    const { phase, view } = watching(world, rollout);
    await untilDown(world, "db1");
    world.agent("db1").cut();
    world.stores.locks.forget("c", 2);
    world.killCoordinator();
    await world.settle(30_000);
    await world.startCoordinator();
    await world.settle(60_000);
    expect(await recordOf(world)).toBeUndefined();
    world.agent("db1").mend();
    await world.clock.until(() => phase() === "stopped" || phase() === "done");
    expect(phase(), JSON.stringify(view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.violations).toEqual([]);
  });
});

describe("NATS without a leader for ten seconds", () => {
  it("delays the rollout, whenever it happens", async () => {
    for (let atMs = 500; atMs < 16_000; atMs += 1_300) {
      const { world, rollout } = await begun();
      const { phase, view } = watching(world, rollout);
      await world.settle(atMs);
      world.stores.locks.setLeaderless(true);
      world.stores.standings.setLeaderless(true);
      world.stores.log.setLeaderless(true);
      await world.settle(10_000);
      world.stores.locks.setLeaderless(false);
      world.stores.standings.setLeaderless(false);
      world.stores.log.setLeaderless(false);
      await world.clock.until(() => phase() === "done" || phase() === "stopped");
      expect(phase(), `at ${atMs}: ${JSON.stringify(view()?.stop)}`).toBe("done");
      expect(versions(world)).toEqual(["2", "2", "2"]);
      expect(world.violations).toEqual([]);
      for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "upgrade", "start"]);
    }
  });
});
