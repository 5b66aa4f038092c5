import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const lockOf = async (world: World) => (await world.stores.locks.read("c"))?.value;

describe("a cluster stage with phases", () => {
  it("ends each phase on all nodes before the next begins, under one lock", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    const seen = watching(world, rollout);
    await world.clock.until(() => world.node("db1").version === "2");
    expect(versions(world).every((version) => version.includes("down"))).toBe(true);
    expect(await lockOf(world)).toMatchObject({
      state: "entered",
      scope: "cluster",
      nodes: ["db1", "db2", "db3"],
      entered: ["db1", "db2", "db3"],
    });
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(await lockOf(world)).toMatchObject({ state: "free", epoch: 1 });
  });

  it("goes one by one where the phase says so", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    await watching(world, rollout).rests();
    const facts = (await world.facts(rollout)).flatMap((fact) =>
      fact.kind === "step" && fact.step === "upgrade" && fact.phase !== "progress"
        ? [`${fact.node} ${fact.phase}`]
        : [],
    );
    expect(facts).toEqual(["db1", "db2", "db3"].flatMap((node) => [`${node} started`, `${node} done`]));
  });

  it("stops before the next node and the next phase when one fails; a retry goes on with that node alone", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    const seen = watching(world, rollout);
    world.node("db2").failsAt = "upgrade";
    expect(await seen.rests()).toBe("stopped");
    expect(versions(world)).toEqual(["2 down", "1 down", "1 down"]);
    expect(await lockOf(world)).toMatchObject({ state: "entered", scope: "cluster" });
    world.node("db2").failsAt = undefined;
    await world.order(rollout, "retry", { node: "db2" });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
    expect(world.node("db2").deeds).toEqual(["stop", "upgrade", "start"]);
  });

  it("that is aborted before its point of no return is undone phase by phase, and started as it was", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "stopped";
    expect(await seen.rests()).toBe("stopped");
    expect(versions(world)).toEqual(["1 down", "1 down", "1 down"]);
    world.node("db1").failsAt = undefined;
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("aborted");
    expect(versions(world)).toEqual(["1", "1", "1"]);
    expect((await lockOf(world))?.state).toBe("free");
  });

  it("that is aborted past it keeps its lock: nothing is started mixed", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    const seen = watching(world, rollout);
    world.node("db2").failsAt = "upgrade";
    expect(await seen.rests()).toBe("stopped");
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "stopped" && seen.state()?.aborting === true);
    expect(seen.view()?.stop?.why.code).toBe("rollout.past-return");
    expect(versions(world)).toEqual(["2 down", "1 down", "1 down"]);
    expect(await lockOf(world)).toMatchObject({ state: "entered", scope: "cluster" });
    world.node("db2").failsAt = undefined;
    await world.order(rollout, "retry");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
  });

  it("that is aborted past it after a retry of which nothing was told keeps its lock all the same", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "upgrade";
    expect(await seen.rests()).toBe("stopped");
    world.agent("db1").cut();
    await world.order(rollout, "retry", { node: "db1" });
    await world.clock.until(() => seen.state()?.stop === undefined);
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.state()?.aborting === true);
    world.agent("db1").mend();
    await world.clock.until(() => seen.phase() !== "aborting");
    expect(seen.view()).toMatchObject({ phase: "stopped", stop: { why: { code: "rollout.past-return" } } });
    expect(versions(world).map((version) => version.endsWith("down"))).toEqual([true, true, true]);
    expect(await lockOf(world)).toMatchObject({ state: "entered", scope: "cluster" });
  });

  it("is gone on with by the next coordinator, after whatever event the first one dies", async () => {
    const whole = await begun({ method: "offline" });
    await watching(whole.world, whole.rollout).rests();
    const events = (await whole.world.facts(whole.rollout)).length;
    for (let boundary = 1; boundary < events; boundary += 1) {
      const { world, rollout } = await begun({ method: "offline" });
      const seen = watching(world, rollout);
      await world.clock.until(() => (seen.state()?.sequence ?? 0) >= boundary);
      world.killCoordinator();
      await world.settle(1_000);
      await world.startCoordinator();
      expect(await seen.rests(), `killed after event ${boundary}: ${JSON.stringify(seen.view()?.stop)}`).toBe(
        "done",
      );
      for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "upgrade", "start"]);
    }
  });
});

describe("a cluster stage with a driver", () => {
  async function driving() {
    const { world, rollout } = await begun({ method: "driver" });
    await world.clock.until(() => world.agent("db1").hello()?.unfinished !== undefined);
    await world.clock.until(() => watching(world, rollout).state()?.lock?.entered[0] === "db1");
    return { world, rollout, seen: watching(world, rollout) };
  }

  it("names all nodes in the lock, lets only the driver enter, and changes all", async () => {
    const { world, seen } = await driving();
    expect(await lockOf(world)).toMatchObject({
      scope: "cluster",
      nodes: ["db1", "db2", "db3"],
      entered: ["db1"],
    });
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.node("db2").deeds).toEqual([]);
  });

  it("has all others take its epoch: they refuse every program of another", async () => {
    const { world } = await driving();
    const epoch = (await lockOf(world))?.epoch ?? 0;
    for (const name of ["db2", "db3"])
      expect(world.agent(name).hello()?.highest).toMatchObject([{ cluster: "c", epoch }]);
    const lower = world.programFor("db2", { epoch: epoch - 1, nonce: "old" });
    const foreign = world.programFor("db2", { epoch, nonce: "not the lock's" });
    const unannounced = world.programFor("db2", { epoch: epoch + 1, nonce: "new" });
    for (const program of [lower, foreign, unannounced]) {
      world.agent("db2").hear({ $case: "runProgram", value: { program } });
      await world.settle(50);
      expect(world.agent("db2").hello()?.unfinished).toBeUndefined();
    }
    expect(world.node("db2").deeds).toEqual([]);
  });

  it("keeps its lock when the driver fails: no node is free to be worked on", async () => {
    const { world, rollout } = await begun({ method: "driver" });
    world.node("db1").failsAt = "change-all";
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("stopped");
    expect(await lockOf(world)).toMatchObject({ state: "entered", nodes: ["db1", "db2", "db3"] });
  });
});
