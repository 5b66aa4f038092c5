/** A watch that stands through the stages between two waits: what it guards may be lost in any of them. */
import { describe, expect, it } from "vitest";
import { begun, watching } from "./world/watching.ts";

const method = "watched-on";

async function toReady() {
  const { world, rollout } = await begun({ method });
  const seen = watching(world, rollout);
  expect(await seen.rests()).toBe("waiting");
  expect(seen.state()?.stages[2]).toMatchObject({ id: "ready", standing: "started" });
  return { world, rollout, seen };
}

/** Stopped within the stage between the waits. */
async function between() {
  const { world, rollout } = await begun({ method });
  const seen = watching(world, rollout);
  world.node("db2").failsAt = "ready";
  expect(await seen.rests()).toBe("stopped");
  expect(seen.view()?.stop?.stage).toBe("index");
  return { world, rollout, seen };
}

describe("a watch that is kept", () => {
  it("stands while a lock is held between the waits, and reacts there", async () => {
    const { world, rollout, seen } = await between();
    world.node("db1").lag = 9;
    await world.settle(5_000);
    expect(world.node("db1").slot).toBe(false);
    world.node("db2").failsAt = undefined;
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "watch.reacted" } });
  });

  it("is not forgotten by a retry: what it gave up is still gone", async () => {
    const { world, rollout, seen } = await toReady();
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
    world.node("db1").lag = 0;
    const before = seen.state()?.sequence ?? 0;
    await world.order(rollout, "resume");
    await world.clock.until(() => (seen.state()?.sequence ?? 0) > before + 1);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("watch.reacted");
  });

  it("goes at the end of the wait that it names: no reaction comes into the cut-over", async () => {
    const { world, rollout, seen } = await toReady();
    expect(seen.state()?.stages[0]?.armed).toEqual(["lag"]);
    await world.order(rollout, "approve");
    await world.clock.until(() => seen.state()?.stages[2]?.standing === "passed");
    world.node("db1").lag = 99;
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").slot).toBe(true);
    expect(seen.state()?.stages[0]?.armed).toEqual([]);
  });

  it("that has gone blind stops the rollout, and looks again after a retry", async () => {
    const { world, rollout, seen } = await toReady();
    world.node("db1").lag = Number.NaN;
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop).toMatchObject({ stage: "ready", why: { code: "watch.no-number" } });
    world.node("db1").lag = 0;
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
    expect(seen.state()?.stages[0]?.armed).toEqual(["lag"]);
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
    expect(world.node("db1").slot).toBe(false);
  });

  it("is disarmed by an abort in the stage between", async () => {
    const { world, rollout, seen } = await between();
    world.node("db2").failsAt = undefined;
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("aborted");
    world.node("db1").lag = 99;
    await world.settle(10_000);
    expect(world.node("db1").slot).toBe(true);
  });

  it("is gone on with by the next coordinator, after whatever event the first one dies", async () => {
    const whole = await toReady();
    await whole.world.order(whole.rollout, "approve");
    expect(await whole.seen.rests()).toBe("done");
    const events = (await whole.world.facts(whole.rollout)).length;
    for (let boundary = 1; boundary < events; boundary += 1) {
      const { world, rollout } = await begun({ method });
      const seen = watching(world, rollout);
      const reached = () => (seen.state()?.sequence ?? 0) >= boundary;
      const approve = async () => {
        if (seen.phase() === "waiting") await world.order(rollout, "approve");
      };
      await world.clock.until(() => reached() || seen.phase() === "waiting");
      if (!reached()) await approve();
      await world.clock.until(reached);
      world.killCoordinator();
      await world.settle(5_000);
      await world.startCoordinator();
      await seen.rests();
      await approve();
      expect(await seen.rests(), `killed after event ${boundary}`).toBe("done");
      expect(world.node("db1").slot).toBe(true);
    }
  });
});
