import { describe, expect, it } from "vitest";
import { holdLimitMs, waitLimitMs } from "./tiny-shapes.ts";
import { begun, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const method = "watched";

async function waiting() {
  const { world, rollout } = await begun({ method });
  const seen = watching(world, rollout);
  expect(await seen.rests()).toBe("waiting");
  return { world, rollout, seen };
}

describe("a wait stage", () => {
  it("arms its watch before it waits, disarms it before the next stage, and needs no lock for it", async () => {
    const { world, rollout, seen } = await waiting();
    expect(seen.state()?.stages[0]?.armed).toEqual(["lag"]);
    expect(await world.stores.locks.read("c")).toBeUndefined();
    await world.order(rollout, "approve");
    await world.clock.until(() => seen.state()?.stages[0]?.standing === "passed");
    world.node("db1").lag = 99;
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").slot).toBe(true);
    expect(seen.state()?.stages[0]?.armed).toEqual([]);
  });

  it("asks its own question, and stops when nobody answers in time", async () => {
    const { world, seen } = await waiting();
    expect(seen.view()?.waitingFor?.why.facts).toMatchObject({ question: "cut over now?" });
    await world.settle(waitLimitMs);
    expect(seen.phase()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("wait.limit-passed");
    expect(world.node("db2").version).toBe("1");
  });

  it("does not begin to wait before its watch is armed: a node that cannot be told stops the rollout", async () => {
    const { world, rollout } = await begun({ method });
    world.agent("db1").cut();
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "node.silent" } });
  });

  it("does not end while a watch that cannot be disarmed may still react", async () => {
    const { world, rollout, seen } = await waiting();
    world.agent("db1").cut();
    await world.order(rollout, "approve");
    await world.settle(30_000);
    expect(seen.state()?.stages[1]?.standing).toBe("pending");
    world.agent("db1").mend();
    expect(await seen.rests()).toBe("done");
  });

  it("asks again after its watch has reacted: the yes was for a copy that is gone", async () => {
    const { world, rollout, seen } = await waiting();
    world.agent("db1").cut();
    await world.order(rollout, "approve");
    world.node("db1").lag = 9;
    await world.settle(3_000);
    world.node("db1").lag = 0;
    world.agent("db1").mend();
    expect(await seen.rests()).toBe("stopped");
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
  });

  it("and what follows it are gone on with by the next coordinator, after whatever event the first one dies", async () => {
    const whole = await waiting();
    await whole.world.order(whole.rollout, "approve");
    expect(await whole.seen.rests()).toBe("done");
    const events = (await whole.world.facts(whole.rollout)).length;
    expect(events).toBeGreaterThan(25);
    for (let boundary = 1; boundary < events; boundary += 1) {
      const { world, rollout } = await begun({ method });
      const seen = watching(world, rollout);
      const approve = async () => {
        if (seen.phase() === "waiting") await world.order(rollout, "approve");
      };
      const reached = () => (seen.state()?.sequence ?? 0) >= boundary;
      await world.clock.until(() => reached() || seen.phase() === "waiting");
      if (!reached()) await approve();
      await world.clock.until(reached);
      world.killCoordinator();
      await world.settle(5_000);
      await world.startCoordinator();
      await seen.rests();
      await approve();
      expect(await seen.rests(), `killed after event ${boundary}: ${JSON.stringify(seen.view()?.stop)}`).toBe(
        "done",
      );
      expect(world.node("db1").deeds).toEqual(["fence"]);
      expect(world.node("db2").deeds).toEqual(["upgrade"]);
      expect(world.node("db1").slot).toBe(true);
    }
  });
});

describe("a watch", () => {
  it("that only warns is told, and the wait goes on", async () => {
    const { world, rollout, seen } = await waiting();
    world.node("db1").lag = 6;
    await world.settle(5_000);
    expect(seen.phase()).toBe("waiting");
    expect(await world.facts(rollout)).toContainEqual(
      expect.objectContaining({ kind: "watch-fired", measured: 6, reacted: false }),
    );
  });

  it("that reacts stops the rollout: nobody approves a cut-over from a copy that is gone", async () => {
    const { world, rollout, seen } = await waiting();
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
    expect(world.node("db1").slot).toBe(false);
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "watch.reacted" } });
    expect(await world.order(rollout, "approve")).toMatchObject({ ok: false });
  });

  it("that reacts while the rollout is paused stops it too", async () => {
    const { world, rollout, seen } = await waiting();
    await world.order(rollout, "pause");
    await world.clock.until(() => seen.phase() === "paused");
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
  });

  it("reacts with no coordinator there, and the next one hears of it", async () => {
    const { world, seen } = await waiting();
    world.killCoordinator();
    world.node("db1").lag = 12;
    await world.settle(5_000);
    expect(world.node("db1").slot).toBe(false);
    await world.startCoordinator();
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop?.why.code).toBe("watch.reacted");
  });

  it("lives on through the death of its agent", async () => {
    const { world, seen } = await waiting();
    world.killCoordinator();
    world.agent("db1").kill();
    world.agent("db1").start();
    world.node("db1").lag = 12;
    await world.settle(5_000);
    expect(world.node("db1").slot).toBe(false);
    expect(seen.phase()).toBe("waiting");
  });

  it("that measures nothing stops the rollout: silence is failure", async () => {
    const { world, seen } = await waiting();
    world.node("db1").lag = Number.NaN;
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "watch.no-number" } });
  });

  it("is armed anew when the wait is resumed, and reacts again", async () => {
    const { world, rollout, seen } = await waiting();
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
    Object.assign(world.node("db1"), { lag: 0, slot: true });
    await world.order(rollout, "resume");
    expect(await seen.rests()).toBe("waiting");
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
    expect(world.node("db1").slot).toBe(false);
  });

  it.each(["approve", "abort"] as const)(
    "is told of once, armed and disarmed, however many there are: %s",
    async (order) => {
      const { world, rollout } = await begun({ method: "watched-thrice" });
      const seen = watching(world, rollout);
      expect(await seen.rests()).toBe("waiting");
      await world.order(rollout, order);
      await seen.rests();
      const answers = (await world.facts(rollout)).flatMap((fact) =>
        fact.kind === "watch-answered" ? [`${fact.watch} ${fact.armed ? "armed" : "disarmed"}`] : [],
      );
      const each = (word: string) => ["lag", "lag-2", "lag-3"].map((id) => `${id} ${word}`);
      expect(answers).toEqual([...each("armed"), ...each("disarmed")]);
    },
  );

  it("is disarmed by an abort, before the claim is given back", async () => {
    const { world, rollout, seen } = await waiting();
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("aborted");
    world.node("db1").lag = 99;
    await world.settle(10_000);
    expect(world.node("db1").slot).toBe(true);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe("");
  });
});

describe("a watch that goes on", () => {
  const onward = async () => {
    const { world, rollout } = await begun({ method: "watched-going-on" });
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("waiting");
    return { world, rollout, seen };
  };
  const told = async (world: World, rollout: string) =>
    (await world.facts(rollout)).filter((fact) => fact.kind === "watch-fired");

  it("reacts each time, with no coordinator there too, and the rollout goes on", async () => {
    const { world, rollout, seen } = await onward();
    for (const times of [1, 2]) {
      if (times === 2) world.killCoordinator();
      world.node("db1").lag = 9;
      await world.clock.until(() => !world.node("db1").slot);
      Object.assign(world.node("db1"), { lag: 0, slot: true });
      await world.settle(5_000);
    }
    await world.startCoordinator();
    await world.settle(5_000);
    expect(seen.phase()).toBe("waiting");
    expect(await told(world, rollout)).toMatchObject([
      { reacted: true, goesOn: true, measured: 9 },
      { reacted: true, goesOn: true, measured: 9 },
    ]);
    await world.order(rollout, "approve");
    await world.clock.until(() => seen.state()?.stages[0]?.standing === "passed");
    expect(await seen.rests()).toBe("done");
  });

  it("stops the rollout when its reaction fails again and again, tells so once, and reacts on", async () => {
    const { world, rollout, seen } = await onward();
    world.node("db1").failsAt = "drop-slot";
    world.node("db1").lag = 9;
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "tiny.failed" } });
    await world.settle(30_000);
    expect(await told(world, rollout)).toHaveLength(1);
    world.node("db1").failsAt = undefined;
    await world.clock.until(() => !world.node("db1").slot);
    Object.assign(world.node("db1"), { lag: 0, slot: true });
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
  });

  it("that failed once or twice only is no reason to stop", async () => {
    const { world, rollout, seen } = await onward();
    world.node("db1").failsAt = "drop-slot";
    world.node("db1").lag = 9;
    await world.settle(1_500);
    world.node("db1").failsAt = undefined;
    await world.clock.until(() => !world.node("db1").slot);
    await world.settle(5_000);
    expect(seen.phase()).toBe("waiting");
    expect(await told(world, rollout)).toMatchObject([{ reacted: true }]);
  });

  it("does nothing any more once it was disarmed, also in mid reaction", async () => {
    const { world, rollout, seen } = await onward();
    world.node("db1").slowAt = { "drop-slot": 100 };
    world.node("db1").lag = 9;
    await world.settle(3_000);
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("aborted");
    await world.settle(60_000);
    expect(world.node("db1").slot).toBe(true);
  });
});

describe("a hold", () => {
  it("is made permanent before the phase that builds on it, and then stays", async () => {
    const { world, rollout, seen } = await waiting();
    await world.order(rollout, "approve");
    await world.clock.until(() => world.node("db1").fenced);
    await world.clock.until(() => world.node("db2").version === "2");
    const facts = await world.facts(rollout);
    expect(facts).toContainEqual(
      expect.objectContaining({
        kind: "hold-made-permanent",
        node: "db1",
        step: "fence",
        madePermanent: true,
      }),
    );
    expect(await seen.rests()).toBe("done");
    await world.settle(holdLimitMs * 3);
    expect(world.node("db1").fenced).toBe(true);
  });

  it("whose limit passes with nobody to make it permanent comes down by itself, and nothing is built on it", async () => {
    const { world, rollout, seen } = await waiting();
    await world.order(rollout, "approve");
    await world.clock.until(() => world.node("db1").fenced);
    world.killCoordinator();
    await world.settle(holdLimitMs * 2);
    expect(world.node("db1").fenced).toBe(false);
    await world.startCoordinator();
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", hint: "hint.hold-refused" });
    expect(world.node("db2").version).toBe("1");
  });

  it("that came down is made again when the stage is resumed", async () => {
    const { world, rollout, seen } = await waiting();
    await world.order(rollout, "approve");
    await world.clock.until(() => world.node("db1").fenced);
    world.killCoordinator();
    await world.settle(holdLimitMs * 2);
    await world.startCoordinator();
    expect(await seen.rests()).toBe("stopped");
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").deeds).toEqual(["fence", "unfence", "fence"]);
    expect(world.node("db1").fenced).toBe(true);
  });

  it("that comes down past the point of no return does not begin the stage anew", async () => {
    const { world, rollout } = await begun({ method: "behind-hold" });
    const seen = watching(world, rollout);
    world.node("db2").failsAt = "ready";
    expect(await seen.rests()).toBe("stopped");
    await world.settle(holdLimitMs * 2);
    expect(world.node("db1").fenced).toBe(false);
    world.node("db2").failsAt = undefined;
    await world.order(rollout, "retry");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").deeds).toEqual(["fence", "unfence"]);
    expect(world.node("db2").deeds).toEqual(["upgrade"]);
  });

  it("is taken down by an abort, also one that was made permanent", async () => {
    const { world, rollout, seen } = await waiting();
    world.node("db2").failsAt = "stopped";
    await world.order(rollout, "approve");
    expect(await seen.rests()).toBe("stopped");
    await world.settle(holdLimitMs * 2);
    expect(world.node("db1").fenced).toBe(true);
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("aborted");
    expect(world.node("db1").fenced).toBe(false);
  });
});
