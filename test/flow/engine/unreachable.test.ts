import { describe, expect, it } from "vitest";
import { StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { awake, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

describe("rule 1: a node that cannot be asked", () => {
  it("blocks the grant of every other node of its cluster, and is named", async () => {
    const world = await awake();
    const rollout = await world.apply({ method: "ungated" });
    const seen = watching(world, rollout);
    await world.clock.until(() => seen.state()?.stages[1]?.standing === "started");
    world.agent("db3").cut();
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why).toMatchObject({ code: "node.unreachable", facts: { node: "db3" } });
    expect(versions(world)).toEqual(["1", "1", "1"]);
    expect((await world.stores.locks.read("c"))?.value.state ?? "free").toBe("free");
  });

  it("is waited for a while: a short cut only delays", async () => {
    const world = await awake();
    const rollout = await world.apply({ method: "ungated" });
    const seen = watching(world, rollout);
    await world.clock.until(() => seen.state()?.stages[1]?.standing === "started");
    world.agent("db3").cut();
    await world.settle(20_000);
    expect(versions(world)).toEqual(["1", "1", "1"]);
    world.agent("db3").mend();
    expect(await seen.rests()).toBe("done");
  });

  it("in work keeps the lock, works on by itself, and is adopted when it is back", async () => {
    const world = await awake();
    const rollout = await world.apply();
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up);
    world.agent("db1").cut();
    await world.settle(20_000);
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await world.stores.locks.read("c"))?.value).toMatchObject({ state: "entered", nodes: ["db1"] });
    world.agent("db1").mend();
    expect(await seen.rests()).toBe("done");
    expect(world.node("db1").deeds).toEqual(["stop", "upgrade", "start"]);
  });

  it("for too long while in work stops the rollout before another node starts", async () => {
    const world = await awake();
    const rollout = await world.apply();
    const seen = watching(world, rollout);
    await world.clock.until(() => !world.node("db1").up);
    world.agent("db1").cut();
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "node.silent" } });
    expect(versions(world).slice(1)).toEqual(["1", "1"]);
  });

  it("for too long while in work is noticed however much another node in work tells", async () => {
    const world = await awake();
    const rollout = await world.apply({ method: "offline" });
    const seen = watching(world, rollout);
    for (const name of ["db1", "db2"]) world.node(name).slowAt = { stop: 6_000 };
    const begun = () => seen.state()?.stages[1]?.begun.length ?? 0;
    await world.clock.until(() => begun() === 3);
    const cutAtMs = world.clock.monotonicMs();
    world.agent("db1").cut();
    const tell = (sequence: number) => {
      if (world.clock.monotonicMs() - cutAtMs > 200_000) return;
      tellProgress(world, rollout, sequence);
      world.clock.after(100, () => tell(sequence + 1));
    };
    tell(1_000);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop).toMatchObject({ node: "db1", why: { code: "node.silent" } });
    expect(world.clock.monotonicMs() - cutAtMs).toBeLessThan(125_000);
  });
});

function tellProgress(world: World, rollout: string, sequence: number): void {
  const about = { stage: "offline/stop", attempt: 1, step: "stop", phase: StepPhase.PROGRESS };
  const value = { ...about, rollout, sequence, elapsedMs: 1, outputs: {}, tail: "", runner: "" };
  world.coordinator?.hear("db2", { $case: "stepEvent", value });
}
