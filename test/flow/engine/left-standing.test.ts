/** An abort where what passed stages have made is undone by a way back alone. */
import { describe, expect, it } from "vitest";
import type { RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { begun, watching } from "./world/watching.ts";

const method = "standing";

async function toReady() {
  const { world, rollout } = await begun({ method });
  const seen = watching(world, rollout);
  expect(await seen.rests()).toBe("waiting");
  return { world, rollout, seen };
}

async function aborted() {
  const found = await toReady();
  await found.world.order(found.rollout, "abort");
  expect(await found.seen.rests()).toBe("stopped");
  return found;
}

type Here = Awaited<ReturnType<typeof toReady>>;

async function abortedAgain(): Promise<Here> {
  const found = await aborted();
  await found.world.order(found.rollout, "abort");
  await found.world.clock.until(() => found.seen.phase() === "aborted");
  return found;
}

const answers = ({ world }: Here, name: string) =>
  world
    .during(world.coordinator?.application.why(name))
    .then((why) =>
      why.ok ? why.value.answers.map(({ waitingFor: { code }, command }) => ({ code, command })) : [],
    );

describe("an abort after stages that leave something standing", () => {
  it("says so, and how to go back, and holds the clusters until that is done", async () => {
    const found = await aborted();
    const { world, rollout, seen } = found;
    const command = `lockkeeper plan --back ${rollout} -o back.json, then lockkeeper apply back.json`;
    expect(seen.view()?.stop).toMatchObject({ why: { code: "rollout.left-standing" }, command });
    expect(await answers(found, "c")).toEqual([{ code: "rollout.left-standing", command }]);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe(rollout);
    expect(await world.stores.locks.read("c")).toMatchObject({ value: { state: "free" } });
  });

  it("leaves its watches standing, with or without a coordinator: what is left would fill the disk", async () => {
    const { world, seen } = await aborted();
    expect(seen.state()?.stages[0]?.armed).toEqual(["lag"]);
    world.killCoordinator();
    world.node("db1").lag = 9;
    await world.settle(5_000);
    expect(world.node("db1").slot).toBe(false);
    await world.startCoordinator();
    await world.settle(1_000);
    expect(seen.view()?.stop?.why.code).toBe("rollout.left-standing");
    expect(seen.view()?.stop?.touched.reacted).toEqual([{ node: "db1", watch: "lag" }]);
  });

  it("is over with the plan that takes over from it, and its watches go then", async () => {
    const found = await aborted();
    const { world, rollout, seen } = found;
    const fact: RolloutFact = { kind: "abort-asked", by: "op", reason: "back", leftTo: "sha" };
    await world.during(world.coordinator?.drivers.order(rollout, fact));
    await world.clock.until(() => seen.phase() === "aborted");
    expect(seen.state()?.stages[0]?.armed).toEqual([]);
    expect(seen.view()?.leftStanding).toBeUndefined();
    expect(await answers(found, "c")).toEqual([]);
  });

  it("is given up by a second one, which is told for as long as no way back was made", async () => {
    const found = await abortedAgain();
    const { world, rollout, seen } = found;
    expect(seen.state()?.stages[0]?.armed).toEqual([]);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe("");
    const command = `lockkeeper plan --back ${rollout} -o back.json, then lockkeeper apply back.json`;
    expect(seen.view()?.leftStanding).toMatchObject({ why: { code: "rollout.given-up" }, command });
    for (const name of ["c", rollout])
      expect(await answers(found, name)).toEqual([{ code: "rollout.given-up", command }]);
  });

  it("may be thought better of: resume goes on to the end", async () => {
    const { world, rollout, seen } = await aborted();
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
    await world.order(rollout, "approve");
    expect(await seen.rests()).toBe("done");
    expect(seen.state()?.stages[0]?.armed).toEqual([]);
  });

  it("is none where nothing was begun: it ends there and then", async () => {
    const { world, rollout } = await begun({ method });
    const seen = watching(world, rollout);
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "aborted");
    expect(seen.view()?.leftStanding).toBeUndefined();
    expect(seen.state()?.stages[0]?.armed).toEqual([]);
  });
});

describe("an abort of a stage that takes away what a way back needs", () => {
  it("is refused once that has begun, and a retry goes on", async () => {
    const { world, rollout, seen } = await toReady();
    world.node("db2").failsAt = "ready";
    await world.order(rollout, "approve");
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.stage).toBe("retire");
    expect(await world.order(rollout, "abort")).toMatchObject({ failure: { code: "rollout.past-abort" } });
    world.node("db2").failsAt = undefined;
    await world.order(rollout, "retry");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
  });

  it("is taken before that", async () => {
    const { world, rollout, seen } = await toReady();
    world.node("db2").failsAt = "stop";
    await world.order(rollout, "approve");
    await world.clock.until(() => seen.state()?.stages[2]?.standing === "passed");
    expect(await world.order(rollout, "abort")).toMatchObject({ ok: true });
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("rollout.left-standing");
  });
});
