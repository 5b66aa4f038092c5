import { describe, expect, it } from "vitest";
import { begun, versions, watching } from "./world/watching.ts";
import type { World } from "./world/world.ts";

const hostIsOff = "the host is off";
const ack = { kind: "acknowledgement" as const, check: "lock.broken", reason: "looked at it" };
const recordOf = async (world: World) => (await world.stores.locks.read("c"))?.value;

function breakIt(world: World, word = "", cluster = "c") {
  return world.during(world.coordinator?.application.breakLock("op", { cluster, reason: "it hangs", word }));
}

async function down(slowAt: Readonly<Record<string, number>> = {}) {
  const { world, rollout } = await begun();
  world.node("db1").slowAt = slowAt;
  await world.clock.until(() => !world.node("db1").up);
  return { world, rollout, seen: watching(world, rollout) };
}

async function whyOf(world: World, name: string) {
  const why = await world.during(world.coordinator?.application.why(name));
  return why.ok ? why.value.answers.map(({ waitingFor }) => waitingFor.code) : [why.failure.code];
}

describe("lock break on a node that answers", () => {
  it("stops its program at the next safe boundary and needs no word", async () => {
    const { world, seen } = await down();
    const broken = await breakIt(world);
    expect(broken.ok).toBe(true);
    expect(world.node("db1").deeds).toEqual(["stop"]);
    expect(await recordOf(world)).toMatchObject({
      state: "free",
      epoch: 2,
      broken: { nodes: ["db1"], by: "op" },
    });
    expect(seen.phase()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("lock.broken");
  });

  it("is refused while its step takes long, word or no word: a host that answers is not off", async () => {
    const { world } = await down({ stopped: 1_000 });
    const broken = await breakIt(world, hostIsOff);
    expect(broken).toMatchObject({ failure: { code: "lock.break-still-works", facts: { nodes: "db1" } } });
    expect(await recordOf(world)).toMatchObject({ state: "entered" });
    await world.settle(100_000);
    expect(await breakIt(world)).toMatchObject({ ok: true });
    expect(world.node("db1").deeds).toEqual(["stop"]);
  });

  it("is refused too where it works in a later phase under the lock: the end of the phase before is not its end", async () => {
    const { world, rollout } = await begun({ method: "offline" });
    world.node("db1").slowAt = { upgrade: 1_000 };
    const works = ({ programs }: { readonly programs: object }) =>
      Object.values(programs).some(({ wireStage, standing }) => {
        return wireStage === "offline/upgrade" && standing !== "ended";
      });
    await world.clock.until(() => watching(world, rollout).state()?.stages.some(works) === true);
    await world.settle(10);
    expect(await breakIt(world)).toMatchObject({ failure: { code: "lock.break-still-works" } });
    expect(await recordOf(world)).toMatchObject({ state: "entered" });
  });

  it("is refused while any of them works, though it had ended its phase when the others were asked", async () => {
    const { world } = await begun({ method: "offline" });
    world.node("db2").slowAt = { stop: 100 };
    world.node("db1").slowAt = { upgrade: 1_000 };
    await world.clock.until(() => !world.node("db1").up && !world.node("db3").up);
    await world.settle(1_000);
    const broken = await breakIt(world);
    expect(world.agent("db1").hello()?.unfinished).toMatchObject({ stage: "offline/upgrade", standing: 2 });
    expect(broken).toMatchObject({ failure: { code: "lock.break-still-works", facts: { nodes: "db1" } } });
    expect(await recordOf(world)).toMatchObject({ state: "entered" });
  });

  it("leaves its note on a node that works, where the store has forgotten that it entered", async () => {
    const { world, seen } = await down();
    world.stores.locks.forget("c", 1);
    expect(await recordOf(world)).toMatchObject({ state: "granted", entered: [] });
    expect(await breakIt(world)).toMatchObject({ ok: true });
    expect(world.agent("db1").hello()?.unfinished?.standing).toBe(3);
    expect(await recordOf(world)).toMatchObject({ state: "free", epoch: 2, broken: { nodes: ["db1"] } });
    expect(seen.view()?.stop?.why).toMatchObject({ code: "lock.broken", facts: { nodes: "db1" } });
  });

  it("leaves no note where nobody has entered: nothing was touched", async () => {
    const { world } = await begun({ approveEach: true });
    await world.stores.locks.swap(
      "c",
      {
        format: 1,
        epoch: 4,
        state: "granted",
        scope: "node",
        nodes: ["db1"],
        entered: [],
        rollout: "before",
        stage: "s",
        nonce: "n",
        since: "",
        by: "",
      },
      0,
    );
    expect((await breakIt(world)).ok).toBe(true);
    expect(await recordOf(world)).toMatchObject({ state: "free", epoch: 5 });
    expect((await recordOf(world))?.broken).toBeUndefined();
  });

  it("of a free lock, or without a reason, is refused", async () => {
    const { world } = await begun({ approveEach: true });
    expect(await breakIt(world)).toMatchObject({ failure: { code: "lock.free" } });
    const { world: other } = await down();
    const nothing = other.coordinator?.application.breakLock("op", { cluster: "c", reason: " ", word: "" });
    expect(await other.during(nothing)).toMatchObject({ failure: { code: "lock.break-without-reason" } });
  });
});

describe("a person's answer for a broken lock", () => {
  it("given at once lets the node be worked on again, and the note goes", async () => {
    const { world, rollout, seen } = await down();
    await breakIt(world);
    world.node("db1").up = true;
    await world.order(rollout, "resume", { words: [ack] });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect((await recordOf(world))?.broken).toBeUndefined();
    expect(versions(world)).toEqual(["2", "2", "2"]);
  });
});

describe("lock break on a node that does not answer", () => {
  async function silent() {
    const found = await down();
    found.world.agent("db1").cut();
    return found;
  }

  it("needs the typed word, and changes nothing without it", async () => {
    const { world } = await silent();
    expect(await breakIt(world)).toMatchObject({
      failure: { code: "lock.break-needs-word", facts: { nodes: "db1" } },
    });
    expect(await recordOf(world)).toMatchObject({ state: "entered", epoch: 1 });
    expect((await breakIt(world, hostIsOff)).ok).toBe(true);
    expect(await recordOf(world)).toMatchObject({ state: "free", epoch: 2 });
  });

  it("needs that word too where the store has forgotten that it entered: the rollout's log has not", async () => {
    const { world } = await silent();
    world.stores.locks.forget("c", 1);
    expect(await breakIt(world)).toMatchObject({ failure: { code: "lock.break-needs-word" } });
    expect((await breakIt(world, hostIsOff)).ok).toBe(true);
    expect((await recordOf(world))?.broken?.nodes).toEqual(["db1"]);
  });

  it("is recorded in the audit log with who and why", async () => {
    const { world } = await silent();
    await breakIt(world, hostIsOff);
    const audit = await world.during(world.coordinator?.application.audit(10));
    expect(audit.ok ? audit.value.entries : []).toContainEqual(
      expect.objectContaining({ who: "op", deed: "lock-break", subject: "c", reason: "it hangs" }),
    );
  });

  it("grants nothing to anybody before a person has answered for it, and it has reported", async () => {
    const { world, rollout, seen } = await silent();
    await breakIt(world, hostIsOff);
    await world.clock.until(() => seen.phase() === "stopped");
    await world.order(rollout, "resume", { words: [ack] });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("stopped");
    await world.settle(600_000);
    expect(versions(world).slice(1)).toEqual(["1", "1"]);
    expect((await recordOf(world))?.broken?.nodes).toEqual(["db1"]);
  });

  it("stops what it still runs when it is back, and goes on with it under a newer epoch once answered for", async () => {
    const { world, rollout, seen } = await down({ stopped: 20 });
    world.agent("db1").cut();
    await breakIt(world, hostIsOff);
    world.agent("db1").mend();
    await world.settle(120_000);
    expect(world.agent("db1").hello()?.unfinished?.standing).toBe(3);
    expect(world.node("db1").deeds).toEqual(["stop"]);
    Object.assign(world.node("db1"), { up: true });
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("stopped");
    await world.order(rollout, "resume", { words: [ack] });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect((await recordOf(world))?.broken).toBeUndefined();
    expect(world.violations).toEqual([]);
  });

  it("stands in why, in every plan and in every snapshot until it is proven", async () => {
    const { world, rollout } = await silent();
    await breakIt(world, hostIsOff);
    expect(await whyOf(world, "c")).toContain("lock.broken");
    expect(await whyOf(world, "")).toContain("lock.broken");
    await world.order(rollout, "abort");
    await watching(world, rollout).rests();
    await world.settle(100);
    expect(await whyOf(world, "c")).toContain("lock.broken");
    world.agent("db1").mend();
    await world.settle(5_000);
    const plan = await world.plan();
    expect(plan.ok ? plan.value.checks : []).toContainEqual(
      expect.objectContaining({ id: "lock.broken", status: "unknown", yields: "acknowledge" }),
    );
    const snapshot = await world.during(
      world.coordinator?.application.takeSnapshot("op", { cluster: "c", reason: "look" }),
    );
    expect(snapshot.ok ? snapshot.value.clusters[0]?.lock : undefined).toMatchObject({
      value: { broken: { nodes: ["db1"], reason: "it hangs" } },
    });
    expect(await world.tryApply()).toMatchObject({ failure: { code: "check.refused" } });
    world.node("db1").up = true;
    const next = await world.apply({ words: [ack] });
    const seen = watching(world, next);
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("done");
    expect(versions(world)).toEqual(["2", "2", "2"]);
    expect(await whyOf(world, "c")).not.toContain("lock.broken");
  });
});

describe("lock break and the coordinator's death", () => {
  it("between the record and the event is noticed: the next one does not go on as the holder", async () => {
    const { world, rollout, seen } = await down();
    world.agent("db1").cut();
    world.stores.log.setLeaderless(true);
    const breaking = world.coordinator?.application.breakLock("op", {
      cluster: "c",
      reason: "it hangs",
      word: hostIsOff,
    });
    void breaking?.catch(() => undefined);
    await world.settle(2_000);
    expect(await recordOf(world)).toMatchObject({ state: "free", epoch: 2 });
    world.killCoordinator();
    world.stores.log.setLeaderless(false);
    await world.startCoordinator();
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why.code).toBe("lock.broken");
    expect(seen.state()?.lock).toBeUndefined();
    expect(rollout).not.toBe("");
  });
});

describe("lock break of a stage over two clusters", () => {
  it("breaks both: half of it would be held by nobody", async () => {
    const { world } = await begun({ into: "b" }, { c: ["db1"], b: ["db2"] });
    await world.clock.until(() => !world.node("db1").up && !world.node("db2").up);
    world.agent("db1").cut();
    world.agent("db2").cut();
    expect((await breakIt(world, hostIsOff)).ok).toBe(true);
    for (const cluster of ["c", "b"])
      expect((await world.stores.locks.read(cluster))?.value).toMatchObject({ state: "free", epoch: 2 });
  });
});
