/** I5 at the coordinator: killed in every one of its writes, in each shape of a stage, and followed by another. */
import { describe, expect, it } from "vitest";
import { awake, versions, watching } from "./world/watching.ts";
import type { ApplyShape, Shape, World } from "./world/world.ts";

interface Case {
  readonly shape: Shape;
  readonly wish: ApplyShape;
  /** What a rollout that ends has done to each node, in order. */
  readonly deeds: Readonly<Record<string, readonly string[]>>;
  readonly ends: readonly string[];
}

const one: Shape = { c: ["db1", "db2", "db3"] };
const two: Shape = { c: ["db1", "db2"], b: ["db3", "db4"] };

function each(shape: Shape, ...deeds: readonly string[]): Case["deeds"] {
  const nodes = Object.values(shape).flat();
  return Object.fromEntries(nodes.map((node) => [node, deeds]));
}

const upgraded = { deeds: each(one, "stop", "upgrade", "start"), ends: ["2", "2", "2"] };
const restarted = { deeds: each(two, "stop", "start"), ends: ["1", "1", "1", "1"] };
const cutOver = { deeds: { db1: ["fence"], db2: ["upgrade"], db3: [] }, ends: ["1", "2", "1"] };

const cases: readonly (readonly [string, Case])[] = [
  ["node after node", { shape: one, wish: {}, ...upgraded }],
  ["a cluster stage with phases", { shape: one, wish: { method: "offline" }, ...upgraded }],
  ["a stage over two clusters", { shape: two, wish: { into: "b" }, ...restarted }],
  ["a cut-over behind a fence", { shape: one, wish: { method: "watched-fast" }, ...cutOver }],
];

describe("I5: a coordinator killed at any of its writes", () => {
  it.each(cases)(
    "is followed by one that ends the rollout, whatever it was doing, and nothing stays held: %s",
    async (_, given) => {
      const writes = await writesOf(given);
      expect(writes).toBeGreaterThan(20);
      for (let kill = 1; kill <= writes; kill += 1) {
        const world = await awake(given.shape);
        const plan = await world.plan(given.wish);
        if (!plan.ok) throw new Error(plan.failure.code);
        killAt(world, kill);
        void world.begins(plan.value, given.wish);
        await world.clock.until(() => world.coordinator === undefined);
        await world.settle(1_000);
        await world.startCoordinator();
        await endsWell(world, given, `killed at write ${kill}`);
      }
    },
  );
});

async function endsWell(world: World, { shape, deeds, ends }: Case, at: string): Promise<void> {
  const [rollout] = await world.stores.log.subjects();
  if (rollout !== undefined) {
    const seen = watching(world, rollout);
    expect(await seen.rests(), `${at}: ${JSON.stringify(seen.view()?.stop)}`).toBe("done");
  }
  await world.settle(1_000);
  for (const cluster of Object.keys(shape)) {
    expect((await world.stores.claims.read(cluster))?.value.rollout ?? "", at).toBe("");
    expect((await world.stores.locks.read(cluster))?.value.state ?? "free", `${at}: ${cluster}`).toBe("free");
  }
  expect(world.violations, at).toEqual([]);
  expect(versions(world), at).toEqual(rollout === undefined ? Object.keys(deeds).map(() => "1") : ends);
  for (const { name, deeds: done } of world.nodes.values())
    expect(done, at).toEqual(rollout === undefined ? [] : deeds[name]);
}

async function writesOf({ shape, wish }: Case): Promise<number> {
  const world = await awake(shape);
  let writes = 0;
  world.onStored = () => {
    writes += 1;
  };
  const { rests } = watching(world, await world.apply(wish));
  await rests();
  await world.settle(1_000);
  return writes;
}

function killAt(world: World, kill: number): void {
  let writes = 0;
  world.onStored = () => {
    writes += 1;
    if (writes === kill) world.killCoordinator();
  };
}
