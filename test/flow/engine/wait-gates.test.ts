/** The gates of a wait, while its person is waited for: what was green on the first day may fall on the second. */
import { describe, expect, it } from "vitest";
import { begun, watching } from "./world/watching.ts";

const minuteMs = 60_000;

async function waiting() {
  const { world, rollout } = await begun({ method: "watched-long" });
  const seen = watching(world, rollout);
  expect(await seen.rests()).toBe("waiting");
  return { world, rollout, seen };
}

type Waiting = Awaited<ReturnType<typeof waiting>>;

async function lapsed(): Promise<Waiting> {
  const found = await waiting();
  found.world.node("db3").ill = "waits";
  await found.world.settle(2 * minuteMs);
  return found;
}

const codes = ({ world }: Waiting) =>
  world
    .during(world.coordinator?.application.why("c"))
    .then((why) => (why.ok ? why.value.answers.map(({ waitingFor }) => waitingFor.code) : []));

describe("the gates of a wait", () => {
  it("are looked at for as long as nobody answers: one that refuses hours later stops the rollout", async () => {
    const { world, seen } = await waiting();
    await world.settle(2 * 60 * minuteMs);
    world.node("db3").ill = "fails";
    await world.settle(minuteMs);
    expect(seen.view()?.stop).toMatchObject({
      stage: "copy",
      why: { code: "tiny.ill", facts: { node: "db3" } },
    });
  });

  it("store nothing while they are green, and nothing when they are not for less than a minute", async () => {
    const { world, seen } = await waiting();
    const before = seen.state()?.sequence;
    await world.settle(3 * 60 * minuteMs);
    world.node("db3").ill = "waits";
    await world.settle(minuteMs / 2);
    world.node("db3").ill = undefined;
    await world.settle(10 * minuteMs);
    expect(seen.phase()).toBe("waiting");
    expect(seen.state()?.sequence).toBe(before);
  });

  it("that have to wait again are told beside the question, and are green again by themselves", async () => {
    const found = await lapsed();
    const { world, seen } = found;
    expect(seen.phase()).toBe("waiting");
    expect(await codes(found)).toEqual(["rollout.waits-for-approval", "tiny.down"]);
    expect(seen.view()?.gateWaits?.why).toMatchObject({ code: "tiny.down", facts: { node: "db3" } });
    world.node("db3").ill = undefined;
    await world.settle(minuteMs);
    expect(await codes(found)).toEqual(["rollout.waits-for-approval"]);
    expect(seen.view()?.gateWaits).toBeUndefined();
  });

  it("that stay so stop the rollout when their own limit has passed once more, and not before", async () => {
    const { world, seen } = await waiting();
    world.node("db3").ill = "waits";
    await world.settle(2 * minuteMs);
    expect(seen.phase()).toBe("waiting");
    await world.settle(minuteMs);
    expect(seen.view()?.stop?.why).toMatchObject({ code: "tiny.down" });
    expect(seen.state()?.stages[1]?.standing).toBe("pending");
  });

  it("hold up a yes that is given while they have to wait", async () => {
    const { world, rollout, seen } = await lapsed();
    expect(await world.order(rollout, "approve")).toMatchObject({ ok: true });
    await world.settle(minuteMs / 3);
    expect(seen.phase()).toBe("running");
    expect(seen.state()?.stages[1]?.standing).toBe("pending");
    world.node("db3").ill = undefined;
    expect(await seen.rests()).toBe("done");
  });

  it("are looked at once more when the yes comes: it does not pass what fell a second ago", async () => {
    const { world, rollout, seen } = await waiting();
    world.node("db3").ill = "fails";
    await world.order(rollout, "approve");
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ stage: "copy", why: { code: "tiny.ill" } });
    expect(world.node("db1").deeds).toEqual([]);
    world.node("db3").ill = undefined;
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
  });

  it("need no dwell of their own after the yes, unless one had to wait", async () => {
    const { world, rollout, seen } = await waiting();
    const beganMs = world.clock.monotonicMs();
    await world.order(rollout, "approve");
    await world.clock.until(() => seen.state()?.stages[0]?.waitOver === true);
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(1_000);
  });

  it("are looked at by the next coordinator too, whenever the first one died", async () => {
    const { world, seen } = await lapsed();
    world.killCoordinator();
    await world.settle(5_000);
    await world.startCoordinator();
    await world.settle(minuteMs / 2);
    expect(seen.phase()).toBe("waiting");
    world.node("db3").ill = undefined;
    await world.settle(minuteMs);
    expect(seen.view()?.gateWaits).toBeUndefined();
    world.killCoordinator();
    world.node("db3").ill = "fails";
    await world.settle(5_000);
    await world.startCoordinator();
    await world.settle(minuteMs);
    expect(seen.view()?.stop?.why.code).toBe("tiny.ill");
  });
});
