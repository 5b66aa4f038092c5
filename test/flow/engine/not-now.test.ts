import { describe, expect, it } from "vitest";
import { exitCodeOfRest, exitCodes } from "#coordinator/cli/exit-code.ts";
import { awake, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const hour = 3_600_000;

async function rested(world: World) {
  const rollout = await world.apply();
  const seen = watching(world, rollout);
  const phase = await seen.rests();
  return { rollout, seen, phase };
}

/** The world begins on Thursday, 2026-01-01 00:00 UTC. */
const later = ["Thu 03:00-04:00 UTC"];

describe("what is not wrong and forbids to start a node", () => {
  it.each([
    ["a closed window", "window.closed", (world: World) => world.edit("c", { windows: later })],
    ["a freeze", "freeze.set", (world: World) => world.edit("c", { freeze: "year end" })],
    [
      "a blocker",
      "blocker.backup",
      (world: World) => Object.assign(world.node("db3"), { blocker: "backup" }),
    ],
  ])("is waited for, said with its reason, and told by exit code 7: %s", async (_, code, forbid) => {
    const world = await awake();
    forbid(world);
    const { phase, seen } = await rested(world);
    expect(phase).toBe("waiting");
    const view = seen.view();
    expect(view?.waitingFor?.why.code).toBe(code);
    expect(view === undefined ? undefined : exitCodeOfRest(view)).toBe(exitCodes.notNow);
    await world.settle(hour);
    expect(versions(world)).toEqual(["1", "1", "1"]);
    expect(await world.stores.locks.read("c")).toBeUndefined();
  });

  it("starts nodes by itself when the window opens, and none after it has closed", async () => {
    const world = await awake();
    world.edit("c", { windows: later });
    const { seen } = await rested(world);
    await world.clock.until(() => versions(world)[0] === "2", 4 * hour);
    expect(world.clock.monotonicMs()).toBeGreaterThan(3 * hour);
    world.edit("c", { windows: ["Fri 03:00-04:00 UTC"] });
    expect(await seen.rests()).toBe("waiting");
    expect(versions(world)).toEqual(["2", "1", "1"]);
  });

  it("takes the gates again after the wait: green hours ago is not green", async () => {
    const world = await awake();
    world.edit("c", { windows: later });
    const { seen } = await rested(world);
    world.node("db2").ill = "fails";
    await world.clock.until(() => seen.phase() === "stopped", 5 * hour);
    expect(seen.view()?.stop?.why.code).toBe("tiny.ill");
    expect(versions(world)).toEqual(["1", "1", "1"]);
  });

  it("is no question that a person can approve away", async () => {
    const world = await awake();
    world.edit("c", { freeze: "year end" });
    const { rollout } = await rested(world);
    expect(await world.order(rollout, "approve")).toMatchObject({ failure: { code: "rollout.wrong-phase" } });
  });
});
