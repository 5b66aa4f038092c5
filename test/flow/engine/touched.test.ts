import { describe, expect, it } from "vitest";
import { tinySteps } from "./tiny-shapes.ts";
import { begun, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

/** What the hosts say themselves, against what a stop says of them. */
function expectTrue(world: World, seen: ReturnType<typeof watching>): void {
  const touched = seen.view()?.stop?.touched;
  expect(touched).toBeDefined();
  for (const name of touched?.untouched ?? []) expect(world.node(name).deeds, name).toEqual([]);
  for (const name of touched?.done ?? []) expect(world.node(name).version, name).toBe("2");
  const begunSteps = Object.fromEntries((touched?.begun ?? []).map(({ node, steps }) => [node, steps]));
  for (const [name, { deeds }] of world.nodes) {
    const mayBeMore =
      touched?.done.includes(name) === true ||
      touched?.unknown.includes(name) === true ||
      touched?.begun.some((each) => each.node === name && !each.told) === true;
    if (!mayBeMore) expect(begunSteps[name] ?? [], name).toEqual(expect.arrayContaining(deeds));
  }
}

const faults = tinySteps.flatMap(({ id }) =>
  (["failsAt", "unknownAt"] as const).map((how) => [id, how] as const),
);

describe("a stop says of every node what the host would say", () => {
  it.each(faults)("rolling, %s %s", async (id, how) => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db2")[how] = id;
    expect(await seen.rests()).toBe("stopped");
    expectTrue(world, seen);
  });

  it.each(faults)("offline, %s %s", async (id, how) => {
    const { world, rollout } = await begun({ method: "offline" });
    const seen = watching(world, rollout);
    world.node("db2")[how] = id;
    expect(await seen.rests()).toBe("stopped");
    expectTrue(world, seen);
  });

  it("after an abort that could not undo", async () => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").failsAt = "stopped";
    expect(await seen.rests()).toBe("stopped");
    world.node("db1").failsAt = "start";
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() === "stopped" && seen.state()?.aborting === true);
    expectTrue(world, seen);
    expect(seen.view()?.stop?.touched.begun).toMatchObject([{ node: "db1", steps: ["stop"], undone: [] }]);
  });

  it.each(["look", "stopped"])("a node that is cut off at %s and never comes back", async (id) => {
    const { world, rollout } = await begun();
    const seen = watching(world, rollout);
    world.node("db1").slowAt = { [id]: 50 };
    await world.clock.until(
      () =>
        seen
          .state()
          ?.stages.some(({ programs }) =>
            Object.values(programs).some(
              ({ wireStage, lastStep }) => wireStage === "node-db1" && lastStep === id,
            ),
          ) === true,
    );
    world.agent("db1").cut();
    expect(await seen.rests()).toBe("stopped");
    expectTrue(world, seen);
    expect(seen.view()?.stop?.touched.untouched.includes("db1")).toBe(id === "look");
  });
});
