import { describe, expect, it } from "vitest";
import { awake, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const shape = { c: ["db1", "db2"], b: ["db3", "db4"] };
const pair = { cluster: "c", into: "b" };
const lockOf = async (world: World, cluster: string) => (await world.stores.locks.read(cluster))?.value;
const claimOf = async (world: World, cluster: string) =>
  (await world.stores.claims.read(cluster))?.value.rollout ?? "";

describe("a rollout over two clusters", () => {
  it("claims both, locks both under an epoch of each, changes both and gives all back", async () => {
    const world = await awake(shape);
    await world.apply({ cluster: "b" }).then((first) => watching(world, first).rests());
    const rollout = await world.apply(pair);
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up);
    expect(await lockOf(world, "c")).toMatchObject({ state: "entered", epoch: 1, rollout });
    expect(await lockOf(world, "b")).toMatchObject({ state: "entered", epoch: 3, rollout });
    expect(await seen.rests()).toBe("done");
    for (const cluster of ["c", "b"]) {
      expect((await lockOf(world, cluster))?.state).toBe("free");
      await world.settle(100);
      expect(await claimOf(world, cluster)).toBe("");
    }
  });

  it.each([
    ["first", "c", "b"],
    ["second", "b", "c"],
  ])(
    "is refused with the holder's name when the %s of them is claimed, and keeps no claim on the other",
    async (_, claimed, other) => {
      const world = await awake(shape);
      const holder = await world.apply({ cluster: claimed, approveEach: true });
      expect(await world.tryApply(pair)).toMatchObject({
        failure: { code: "claim.held", facts: { cluster: claimed, rollout: holder } },
      });
      expect(await claimOf(world, other)).toBe("");
    },
  );

  it("claims all or none also when two are applied at the same moment", async () => {
    const world = await awake(shape);
    const [one, other] = await Promise.all([
      world.tryApply(pair),
      world.tryApply({ cluster: "c", approveEach: true }),
    ]);
    const winner = one?.ok === true ? one : other;
    const loser = winner === one ? other : one;
    expect(winner?.ok === true ? winner.value.rollout : "").toBe(await claimOf(world, "c"));
    expect(loser).toMatchObject({ failure: { code: "claim.held", facts: { cluster: "c" } } });
    expect(["", await claimOf(world, "c")]).toContain(await claimOf(world, "b"));
    if (winner === other) expect(await claimOf(world, "b")).toBe("");
  });

  it("locks all or none: a lock that cannot be had gives the first one back", async () => {
    const world = await awake(shape);
    const held = {
      format: 1 as const,
      epoch: 7,
      state: "granted" as const,
      scope: "node" as const,
      nodes: ["db1"],
      entered: [],
      rollout: "of before",
      stage: "s",
      nonce: "n",
      since: "",
      by: "",
    };
    await world.stores.locks.swap("c", held, 0);
    const rollout = await world.apply(pair);
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("lock.held");
    // b comes first by name: it was taken, and given back
    expect(await lockOf(world, "b")).toMatchObject({ state: "free" });
    expect((await lockOf(world, "b"))?.epoch).toBeGreaterThan(0);
    expect(versions(world)).toEqual(["1", "1", "1", "1"]);
  });

  it("is stopped in both clusters by an abort, and undone in both", async () => {
    const world = await awake(shape);
    const rollout = await world.apply(pair);
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up && !world.node("db3").up);
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("aborted");
    expect(versions(world)).toEqual(["1", "1", "1", "1"]);
    for (const cluster of ["c", "b"]) expect((await lockOf(world, cluster))?.state).toBe("free");
  });

  it("keeps its lock on both while one of them is in work, also under the next coordinator", async () => {
    const world = await awake(shape);
    const rollout = await world.apply(pair);
    const seen = watching(world, rollout);
    await world.clock.until(() => seen.state()?.lock?.announced === true);
    for (const name of ["db3", "db4"]) world.agent(name).cut();
    await world.clock.until(() => !world.node("db1").up && !world.node("db2").up);
    await world.settle(500);
    expect(await lockOf(world, "b")).toMatchObject({ state: "granted", nodes: ["db3", "db4"] });
    world.killCoordinator();
    for (const name of ["db3", "db4"]) world.agent(name).mend();
    await world.startCoordinator();
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    for (const { deeds } of world.nodes.values()) expect(deeds).toEqual(["stop", "start"]);
    for (const cluster of ["c", "b"]) expect((await lockOf(world, cluster))?.state).toBe("free");
  });

  it("stops the programs of each cluster under that cluster's own epoch", async () => {
    const world = await awake(shape);
    await world.apply({ cluster: "b" }).then((first) => watching(world, first).rests());
    const rollout = await world.apply(pair);
    const seen = watching(world, rollout);
    await world.clock.until(() => seen.state()?.lock?.entered.length === 4);
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("aborted");
    expect(world.names.every((name) => world.node(name).up)).toBe(true);
  });

  it("looks at both before a grant: a freeze of the second holds it too", async () => {
    const world = await awake(shape);
    world.edit("b", { freeze: "not now" });
    const seen = watching(world, await world.apply(pair));
    expect(await seen.rests()).toBe("waiting");
    expect(seen.view()?.waitingFor?.why).toMatchObject({ code: "freeze.set", facts: { cluster: "b" } });
  });
});

describe("a second plan", () => {
  it("on a claimed cluster is refused with the holder's name, also while the holder is paused or waits", async () => {
    const world = await awake(shape);
    const rollout = await world.apply({ cluster: "c", approveEach: true });
    await watching(world, rollout).rests();
    const refused = { failure: { code: "claim.held", facts: { rollout, by: "op" } } };
    expect(await world.tryApply({ cluster: "c" })).toMatchObject(refused);
    await world.order(rollout, "pause");
    expect(await world.tryApply({ cluster: "c" })).toMatchObject(refused);
  });

  it("on another cluster runs at the same time", async () => {
    const world = await awake(shape);
    const first = await world.apply({ cluster: "c", approveEach: true });
    const second = await world.apply({ cluster: "b" });
    expect(await watching(world, second).rests()).toBe("done");
    expect(watching(world, first).phase()).toBe("waiting");
  });
});
