import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { begun, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const claimOf = async (world: World) => (await world.stores.claims.read("c"))?.value.rollout;
const lockOf = async (world: World) => (await world.stores.locks.read("c"))?.value;

async function planBack(world: World, rollout: string): Promise<Plan> {
  const made = await world.during(world.coordinator?.application.makePlanBack(rollout));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const refusal = async (world: World, rollout: string) => {
  const made = await world.during(world.coordinator?.application.makePlanBack(rollout));
  return made.ok ? "planned" : made.failure.code;
};

/** db2's upgrade has gone wrong past its return; db1 is upgraded. */
async function halfWay() {
  const { world, rollout } = await begun();
  const seen = watching(world, rollout);
  world.node("db2").failsAt = "start";
  expect(await seen.rests()).toBe("stopped");
  world.node("db2").failsAt = undefined;
  expect(versions(world)).toEqual(["2", "2 down", "1"]);
  return { world, rollout, seen };
}

describe("a way back", () => {
  it("takes over from a rollout that stopped half-way, claim and lock, and ends at the old version", async () => {
    const { world, rollout, seen } = await halfWay();
    expect(seen.view()?.stop?.otherwise).toBe(`lockkeeper plan --back ${rollout} -o back.json`);
    const plan = await planBack(world, rollout);
    expect(plan).toMatchObject({ back: rollout, from: "2", to: "1" });
    const begins = await world.during(world.begins(plan));
    if (!begins.ok) throw new Error(begins.failure.code);
    expect(seen.phase()).toBe("aborted");
    expect(await claimOf(world)).toBe(begins.value.rollout);
    expect(await watching(world, begins.value.rollout).rests()).toBe("done");
    expect(versions(world)).toEqual(["1", "1", "1"]);
    expect((await lockOf(world))?.state).toBe("free");
    expect(await claimOf(world)).toBe("");
    expect(world.node("db2").deeds).toEqual(["stop", "upgrade", "downgrade", "start"]);
  });

  it("does not begin while a program of the rollout runs, and changes nothing of it", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    await world.clock.until(() => world.node("db1").deeds.includes("upgrade"));
    const begins = await world.during(world.begins(await planBack(world, rollout)));
    expect(begins).toMatchObject({ failure: { code: "way-back.still-running" } });
    expect(await seen.rests()).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
  });

  it("is made anew when it is applied: what was retried meanwhile makes it another plan", async () => {
    const { world, rollout, seen } = await halfWay();
    const plan = await planBack(world, rollout);
    await world.order(rollout, "retry", { node: "db2" });
    expect(await seen.rests()).toBe("done");
    expect(await world.during(world.begins(plan))).toMatchObject({ failure: { code: "plan.drift" } });
    expect(versions(world)).toEqual(["2", "2", "2"]);
  });

  it("holds the claim of no other rollout for its own to take", async () => {
    const { world, rollout, seen } = await halfWay();
    const plan = await planBack(world, rollout);
    await world.order(rollout, "retry", { node: "db2" });
    expect(await seen.rests()).toBe("done");
    const other = await world.apply();
    expect(await world.during(world.begins(plan))).toMatchObject({ failure: { code: "claim.held" } });
    expect(await watching(world, other).rests()).toBe("done");
  });

  it("of a way back that has stopped is made from the same rollout, and takes over from it", async () => {
    const { world, rollout } = await halfWay();
    world.node("db2").failsAt = "downgrade";
    const first = await world.during(world.begins(await planBack(world, rollout)));
    if (!first.ok) throw new Error(first.failure.code);
    const stopped = watching(world, first.value.rollout);
    expect(await stopped.rests()).toBe("stopped");
    expect(stopped.view()?.stop?.otherwise).toBeUndefined();
    expect(await refusal(world, first.value.rollout)).toBe("way-back.of-way-back");
    world.node("db2").failsAt = undefined;
    const second = await world.during(world.begins(await planBack(world, rollout)));
    if (!second.ok) throw new Error(second.failure.code);
    expect(stopped.phase()).toBe("aborted");
    expect(await watching(world, second.value.rollout).rests()).toBe("done");
    expect(versions(world)).toEqual(["1", "1", "1"]);
  });

  it("is not needed where nothing was begun that cannot be undone", async () => {
    const { world, rollout } = await begun();
    world.node("db1").failsAt = "stop";
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.otherwise).toBeUndefined();
    expect(await refusal(world, rollout)).toBe("way-back.not-needed");
  });
});
