import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const claimOf = async (world: World) => (await world.stores.claims.read("c"))?.value.rollout;
const lockOf = async (world: World) => (await world.stores.locks.read("c"))?.value;

describe("abort of a node's program", () => {
  it("stops at the next safe boundary, undoes what is reversible, proves the node, then frees", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "stopped";
    expect(await seen.rests()).toBe("stopped");
    world.node("db1").failsAt = undefined;
    expect(versions(world)).toEqual(["1 down", "1", "1"]);
    await world.order(rollout, "abort");
    await world.clock.until(() => world.node("db1").up);
    expect(await lockOf(world)).toMatchObject({ state: "entered", nodes: ["db1"] });
    expect(await seen.rests()).toBe("aborted");
    expect(world.node("db1").deeds).toEqual(["stop", "start"]);
    expect(versions(world)).toEqual(["1", "1", "1"]);
    expect((await lockOf(world))?.state).toBe("free");
    expect(await claimOf(world)).toBe("");
  });

  it("keeps the lock and the claim as long as the node is not proven", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "stopped";
    await seen.rests();
    world.node("db1").failsAt = undefined;
    world.node("db1").ill = "waits";
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "tiny.down" } });
    expect(await lockOf(world)).toMatchObject({ state: "entered" });
    expect(await claimOf(world)).toBe(rollout);
    world.node("db1").ill = undefined;
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("aborted");
  });

  it("undoes nothing past an irreversible step: the program goes on to where the node may be left", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => world.node("db1").deeds.includes("upgrade"));
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("aborted");
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await lockOf(world))?.state).toBe("free");
  });

  it("does not start a half-upgraded node by undoing its stop", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").unknownAt = "upgrade";
    expect(await seen.rests()).toBe("stopped");
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "stopped");
    expect(world.node("db1").deeds).toEqual(["stop"]);
    expect(await lockOf(world)).toMatchObject({ state: "entered" });
  });

  it("says which undo failed, keeps the lock, and tries it again with the next abort", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "stopped";
    await seen.rests();
    world.node("db1").failsAt = "start";
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", hint: "hint.undo-failed" });
    expect(await lockOf(world)).toMatchObject({ state: "entered" });
    world.node("db1").failsAt = undefined;
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("aborted");
    expect(versions(world)).toEqual(["1", "1", "1"]);
  });

  it("of a silent node ends with a named reason and the lock in place, not in a wait without end", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up);
    world.agent("db1").cut();
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop?.hint).toBe("hint.node-silent");
    expect(await lockOf(world)).toMatchObject({ state: "entered" });
  });
});

describe("abort in each kind of stage ends with the lock free, the claim given back and nothing left running", () => {
  const cases: readonly (readonly [string, string | undefined, (world: World) => boolean])[] = [
    ["preflight", undefined, (world) => world.clock.monotonicMs() > 0],
    ["the gate before a node", undefined, (world) => world.clock.monotonicMs() > 1_500],
    ["a node, when it is down", undefined, (world) => !world.node("db1").up],
    [
      "the gate after a node",
      undefined,
      (world) => world.node("db1").version === "2" && world.node("db1").up,
    ],
    ["between two nodes", undefined, (world) => world.node("db1").version === "2"],
    ["the first phase of a cluster stage", "offline", (world) => !world.node("db1").up],
    ["a driver's program", "driver", (world) => world.clock.monotonicMs() > 3_300],
    ["a wait", "watched", (world) => world.clock.monotonicMs() > 5_000],
    ["a fence", "watched-fast", (world) => world.node("db1").fenced],
    ["finish", undefined, (world) => world.node("db3").version === "2" && world.node("db3").up],
  ];

  it.each(cases)("%s", async (_, method, reached) => {
    const { world, rollout } = await begun(method === undefined ? {} : { method });
    const seen = watching(world, rollout);
    await world.clock.until(() => reached(world));
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("aborted");
    await world.settle(100);
    expect((await lockOf(world))?.state ?? "free").toBe("free");
    expect(await claimOf(world)).toBe("");
    expect(versions(world).every((version) => !version.includes("down"))).toBe(true);
    expect(world.node("db1").fenced).toBe(false);
    for (const name of world.names) expect(world.agent(name).hello()?.unfinished).toBeUndefined();
    const again = await world.apply(method === undefined ? {} : { method });
    expect(again).not.toBe(rollout);
  });
});

describe("abort survives the coordinator", () => {
  it("after whatever event of it the coordinator dies", async () => {
    for (let boundary = 0; boundary < 12; boundary += 1) {
      const { world, rollout } = await begun();
      const seen = watching(world, rollout);
      world.node("db1").failsAt = "stopped";
      await seen.rests();
      world.node("db1").failsAt = undefined;
      const from = seen.state()?.sequence ?? 0;
      await world.order(rollout, "abort");
      await world.clock.until(
        () => (seen.state()?.sequence ?? 0) >= from + boundary || seen.phase() === "aborted",
      );
      world.killCoordinator();
      await world.settle(1_000);
      await world.startCoordinator();
      expect(await seen.rests(), `killed ${boundary} events after the abort`).toBe("aborted");
      expect(versions(world)).toEqual(["1", "1", "1"]);
      expect(world.node("db1").deeds).toEqual(["stop", "start"]);
      await world.settle(1_000);
      expect(await claimOf(world)).toBe("");
    }
  });
});

describe("an undo under way", () => {
  /** db1 is down; what would start it again takes five minutes. */
  async function undoing() {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "stopped";
    await seen.rests();
    world.node("db1").failsAt = undefined;
    world.node("db1").slowAt = { start: 3_000 };
    await world.order(rollout, "abort");
    await world.settle(20_000);
    return { world, rollout, seen };
  }

  it("is work: its lock is not broken without a word, and nothing else is taken", async () => {
    const { world } = await undoing();
    const order = { cluster: "c", reason: "it hangs", word: "" };
    const broken = await world.during(world.coordinator?.application.breakLock("op", order));
    expect(broken).toMatchObject({ failure: { code: "lock.break-still-works", facts: { nodes: "db1" } } });
    expect((await lockOf(world))?.state).toBe("entered");
    expect(world.agent("db1").hello()?.unfinished?.standing).toBe(2);
  });

  it("is told as work by an agent that comes back, and goes on to its end with no coordinator", async () => {
    const { world } = await undoing();
    world.killCoordinator();
    world.agent("db1").kill();
    world.agent("db1").start();
    await world.settle(100);
    expect(world.agent("db1").hello()?.unfinished?.standing).toBe(2);
    await world.settle(400_000);
    expect(world.node("db1").up).toBe(true);
  });

  it("is done once, however often it is asked for, and not again after it has failed", async () => {
    const { world, seen } = await undoing();
    world.node("db1").failsAt = "start";
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.hint).toBe("hint.undo-failed");
    world.node("db1").failsAt = undefined;
    await world.settle(3_000_000);
    expect(world.node("db1").up).toBe(false);
    expect(world.node("db1").deeds).toEqual(["stop"]);
  });
});
