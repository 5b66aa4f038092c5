/** NATS has lost all of its memory, and the agents have not: what they still hold must be answered for by a person. */
import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";
import type { ApplyShape, Shape, World } from "./world/world.ts";

const ack = { kind: "acknowledgement" as const, check: "node.unfinished", reason: "looked at db1: all is 2" };
const inFlight = 2;
const ended = 3;

const standing = (world: World, node = "db1") => world.agent(node).hello()?.unfinished?.standing;

async function comesBackEmpty(world: World): Promise<void> {
  world.killCoordinator();
  await world.loseStore();
  await world.startCoordinator();
  await world.settle(2_000);
}

/** They are upgraded, and not proven: db1's gates have not been green. */
async function lostAfterEnd(wish?: ApplyShape, shape?: Shape, nodes: readonly string[] = ["db1"]) {
  const { world, rollout } = await begun(wish, shape);
  await world.clock.until(() => !world.node("db1").up);
  world.node("db1").ill = "waits";
  const isOver = (node: string) => world.node(node).up && standing(world, node) === ended;
  await world.clock.until(() => nodes.every(isOver));
  await comesBackEmpty(world);
  world.node("db1").ill = undefined;
  return { world, forgotten: rollout };
}

async function lostInMidWork(stoppedTakes: number) {
  const { world } = await begun();
  world.node("db1").slowAt = { stopped: stoppedTakes };
  await world.clock.until(() => !world.node("db1").up);
  await comesBackEmpty(world);
  expect(standing(world)).toBe(inFlight);
  return world;
}

async function checked(world: World) {
  const target = { cluster: "c", version: "2" };
  const checks = await world.during(world.coordinator?.application.check(target));
  const plan = await world.plan();
  if (!checks.ok || !plan.ok) throw new Error("no answer");
  return { checks: checks.value, plan: plan.value };
}

describe("a program that had ended, of a rollout that the store has forgotten", () => {
  it("is shown by check and plan: its node, rollout and stage, and that a person's word is needed", async () => {
    const { world, forgotten } = await lostAfterEnd();
    const shown = {
      id: "node.unfinished",
      node: "db1",
      status: "unknown",
      yields: "acknowledge",
      facts: { cluster: "c", node: "db1", rollout: forgotten, stage: "node-db1", epoch: "1" },
    };
    const { checks, plan } = await checked(world);
    expect(checks).toContainEqual(
      expect.objectContaining({ ...shown, facts: expect.objectContaining(shown.facts) }),
    );
    expect(plan.checks.filter(({ id }) => id === "node.unfinished")).toHaveLength(1);
    expect(plan.asks).toEqual(["node.unfinished"]);
  });

  it("is let go of by that word and by nothing less, and the next rollout ends", async () => {
    const { world } = await lostAfterEnd();
    expect(await world.tryApply()).toMatchObject({
      failure: { code: "check.refused", facts: { checks: "db1 node.unfinished unknown" } },
    });
    expect(standing(world)).toBe(ended);
    const seen = watching(world, await world.apply({ words: [ack] }));
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(world.node("db1").deeds.filter((deed) => deed === "upgrade")).toHaveLength(1);
    expect(world.violations).toEqual([]);
    expect((await checked(world)).plan.asks).toEqual([]);
  });

  it("has that word in the audit log, with who and why", async () => {
    const { world } = await lostAfterEnd();
    const rollout = await world.apply({ words: [ack] });
    const audit = await world.during(world.coordinator?.application.audit(10));
    expect(audit.ok ? audit.value.entries : []).toContainEqual(
      expect.objectContaining({
        who: "op",
        deed: "acknowledgement",
        subject: rollout,
        reason: ack.reason,
        facts: { check: "node.unfinished" },
      }),
    );
  });

  it("is shown and let go of on every node, where it was a stage of the whole cluster", async () => {
    const { world } = await lostAfterEnd({ into: "b" }, { c: ["db1"], b: ["db2"] }, ["db1", "db2"]);
    expect(await world.tryApply({ into: "b" })).toMatchObject({
      failure: { facts: { checks: "db1 node.unfinished unknown, db2 node.unfinished unknown" } },
    });
    const seen = watching(world, await world.apply({ into: "b", words: [ack] }));
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
  });
});

describe("a program that is not as it was shown when the claim is taken", () => {
  async function applied(meanwhile: (world: World) => void) {
    const { world } = await lostAfterEnd();
    const { swap } = world.stores.claims;
    world.stores.claims.swap = (...asked) => {
      meanwhile(world);
      world.stores.claims.swap = swap;
      return swap(...asked);
    };
    const refused = await world.tryApply({ words: [ack] });
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe("");
    return { world, refused };
  }

  it("is not let go of: its agent is gone, the apply is refused and its claim is given back", async () => {
    const { world, refused } = await applied((now) => now.agent("db1").cut());
    expect(refused).toMatchObject({ failure: { code: "node.unreachable", facts: { node: "db1" } } });
    world.agent("db1").mend();
    await world.settle(1_000);
    expect(standing(world)).toBe(ended);
    const seen = watching(world, await world.apply({ words: [ack] }));
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
  });
});

describe("a program still in flight, of a rollout that the store has forgotten", () => {
  it("is answered for by no word, and works on", async () => {
    const world = await lostInMidWork(1_000);
    expect(await world.tryApply({ words: [ack] })).toMatchObject({
      failure: { code: "check.refused", facts: { checks: "db1 node.unfinished ko" } },
    });
    expect((await checked(world)).plan.asks).toEqual([]);
    expect(standing(world)).toBe(inFlight);
    expect(world.node("db1").deeds).toEqual(["stop"]);
  });

  it("can be answered for when it has come to its end", async () => {
    const world = await lostInMidWork(100);
    await world.clock.until(() => standing(world) === ended);
    await world.settle(10);
    const seen = watching(world, await world.apply({ words: [ack] }));
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(world.node("db1").deeds.filter((deed) => deed === "upgrade")).toHaveLength(1);
    expect(world.violations).toEqual([]);
  });
});

describe("a program of a rollout that the store knows", () => {
  it("is its driver's business, word or no word", async () => {
    const { world } = await begun();
    await world.clock.until(() => !world.node("db1").up);
    const { checks, plan } = await checked(world);
    expect([...checks, ...plan.checks].filter(({ id }) => id === "node.unfinished")).toEqual([]);
    expect(await world.tryApply({ words: [ack] })).toMatchObject({ failure: { code: "claim.held" } });
  });
});
