/** A node that lost its memory half-way: that a later try of its program never began says nothing of its database. */
import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const ack = { kind: "acknowledgement" as const, check: "node.unproven", reason: "looked at it" };
const recordOf = async (world: World) => (await world.stores.locks.read("c"))?.value;

/** db1's database is down, its agent knows nothing, a person has answered for it: it is sent again. */
async function sentAgain() {
  const { world, rollout } = await begun();
  const seen = watching(world, rollout);
  world.node("db1").slowAt = { stopped: 20, upgrade: 20 };
  await world.clock.until(() => !world.node("db1").up);
  world.agent("db1").loseMemory();
  expect(await seen.rests()).toBe("stopped");
  expect(seen.view()?.stop?.why.code).toBe("node.unproven");
  await world.order(rollout, "resume", { words: [ack] });
  const attempts = () =>
    (seen.state()?.stages ?? []).flatMap(({ programs }) =>
      Object.values(programs).flatMap(({ node, attempt }) => (node === "db1" ? [attempt] : [])),
    );
  await world.clock.until(() => Math.max(0, ...attempts()) > 1);
  return { world, rollout, seen };
}

const withdrawals = async (world: World, rollout: string) =>
  (await world.facts(rollout)).filter(({ kind }) => kind === "withdrawn");

/** Longer than its agent waits for an answer. */
async function withoutLeader(world: World, ms = 8_000) {
  world.stores.locks.setLeaderless(true);
  await world.settle(ms);
  world.stores.locks.setLeaderless(false);
}

describe("a node half-way whose next try never began", () => {
  it("keeps its lock while no store answers, and goes on when one does", async () => {
    const { world, rollout, seen } = await sentAgain();
    await withoutLeader(world);
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(await withdrawals(world, rollout)).toEqual([]);
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
    expect(versions(world)).toEqual(["2", "2", "2"]);
  });

  it("is not let go of by an abort while its database is down", async () => {
    const { world, rollout, seen } = await sentAgain();
    await withoutLeader(world);
    await world.order(rollout, "abort");
    expect(await seen.rests()).toBe("stopped");
    expect(world.node("db1").up).toBe(false);
    expect(await withdrawals(world, rollout)).toEqual([]);
    expect(await recordOf(world)).toMatchObject({ state: "entered", entered: ["db1"], epoch: 1 });
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe(rollout);
  });
});
