/** A wait that cannot go on for something that an earlier stage mends: the stage runs again, and the wait goes on as it stood. */
import { describe, expect, it } from "vitest";
import { mendedForMs } from "#coordinator/domain/rollout/reopening.ts";
import { mendedWaitLimitMs, mostMendings } from "./tiny-shapes.ts";
import { begun, watching } from "./world/watching.ts";

const method = "mended";

async function waiting() {
  const { world, rollout } = await begun({ method });
  const seen = watching(world, rollout);
  expect(await seen.rests()).toBe("waiting");
  expect(world.node("db2").deeds).toEqual([]);
  return { world, rollout, seen };
}

type Waiting = Awaited<ReturnType<typeof waiting>>;

const reopenings = ({ world, rollout }: Pick<Waiting, "world" | "rollout">) =>
  world.facts(rollout).then((facts) => facts.filter(({ kind }) => kind === "stage-reopened").length);

const untilReopened = (of: Waiting, times = 1) =>
  of.world.clock.until(() => (of.seen.state()?.stages[0]?.reopened ?? 0) >= times);

const words = [{ kind: "acknowledgement", check: "lock.broken", reason: "looked at it" }] as const;

async function breaks({ world }: Waiting): Promise<void> {
  const wish = { cluster: "c", reason: "it hangs", word: "" };
  const broken = world.coordinator?.application.breakLock("op", wish);
  expect(await world.during(broken)).toMatchObject({ ok: true });
}

describe("a stage that a wait has run again", () => {
  it("mends what the wait's gate says, under its own lock; the watch stands, and the person is asked as before", async () => {
    const of = await waiting();
    const { world, rollout, seen } = of;
    const before = seen.state()?.stages[1];
    world.node("db2").torn = true;
    await untilReopened(of);
    expect(seen.view()?.phase).toBe("running");
    expect(await seen.rests()).toBe("waiting");
    expect(world.node("db2")).toMatchObject({ torn: false, deeds: ["mend"] });
    expect(await reopenings(of)).toBe(1);
    const granted = (await world.facts(rollout)).filter(({ kind }) => kind === "granted");
    expect(granted).toHaveLength(2);
    const green = (await world.facts(rollout)).filter(
      (fact) => fact.kind === "gate-passed" && fact.stage === "copy",
    );
    expect(green).toHaveLength(2);
    expect(seen.state()?.stages[1]).toMatchObject({
      armed: ["lag"],
      startedAt: before?.startedAt,
      attempt: 1,
    });
    expect(seen.state()?.stages[0]).toMatchObject({ standing: "passed", attempt: 2 });
    expect((await world.stores.locks.read("c"))?.value.state).toBe("free");
    await world.order(rollout, "approve");
    await world.clock.until(() => seen.state()?.stages[1]?.standing === "passed");
    expect(await seen.rests()).toBe("done");
  });

  it.each([true, "refused"] as const)(
    "mends it where a gate says it, at its next look, whether that gate waits or refuses: %s",
    async (torn) => {
      const of = await waiting();
      of.world.node("db2").torn = torn;
      await of.world.settle(40_000);
      expect(await reopenings(of)).toBe(1);
      expect(await of.seen.rests()).toBe("waiting");
    },
  );

  it("tells at the end what it has mended, each time, and until then in the view", async () => {
    const of = await waiting();
    for (const times of [1, 2]) {
      of.world.node("db2").torn = true;
      await untilReopened(of, times);
      expect(await of.seen.rests()).toBe("waiting");
    }
    expect(of.seen.view()?.mended?.map(({ facts }) => facts["says"])).toContain("once more (1)");
    await of.world.order(of.rollout, "approve");
    await of.world.clock.until(() => of.seen.state()?.stages[1]?.standing === "passed");
    expect(await of.seen.rests()).toBe("done");
    const told = of.seen.state()?.notSeen.map(({ facts }) => facts["says"]);
    expect(told).toEqual(["once more (1)", "once more (2)"]);
  });

  it("runs no more often than the plan allows; then the rollout stops at what the gate says, and goes on after a person has mended it", async () => {
    const of = await waiting();
    const { world, rollout, seen } = of;
    world.node("db2").torn = "always";
    await world.clock.until(() => seen.phase() === "stopped");
    expect(await reopenings(of)).toBe(mostMendings);
    expect(seen.view()?.stop).toMatchObject({
      stage: "copy",
      hint: "hint.mended-in-vain",
      why: { code: "tiny.torn" },
    });
    world.node("db2").torn = false;
    await world.order(rollout, "resume");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
    world.node("db2").torn = true;
    await world.clock.until(() => world.node("db2").torn === false);
    expect(await seen.rests()).toBe("waiting");
  });

  it("runs on for weeks where each time was some while after the last: that one was not in vain", async () => {
    const of = await waiting();
    for (let times = 1; times <= mostMendings + 2; times += 1) {
      of.world.node("db2").torn = true;
      await of.world.settle(40_000);
      expect(await reopenings(of)).toBe(times);
      expect(await of.seen.rests()).toBe("waiting");
      await of.world.settle(mendedForMs);
    }
  });

  it("that fails stops the rollout there; a retry begins it with its first phase, and the wait goes on", async () => {
    const of = await waiting();
    const { world, rollout, seen } = of;
    Object.assign(world.node("db2"), { torn: true, failsAt: "mend" });
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.view()?.stop).toMatchObject({ stage: "mend", node: "db2" });
    world.node("db2").failsAt = undefined;
    const before = (await world.facts(rollout)).length;
    await world.order(rollout, "retry");
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("waiting");
    const sent = (await world.facts(rollout))
      .slice(before)
      .flatMap((fact) => (fact.kind === "program-sent" ? [`${fact.phase} on ${fact.node}`] : []));
    expect(sent).toEqual(["look on db1", "mend on db2"]);
    expect(world.node("db2").torn).toBe(false);
  });

  it("is not begun while the rollout is paused", async () => {
    const of = await waiting();
    await of.world.order(of.rollout, "pause");
    await of.world.clock.until(() => of.seen.phase() === "paused");
    of.world.node("db2").torn = true;
    await of.world.settle(60_000);
    expect(await reopenings(of)).toBe(0);
    await of.world.order(of.rollout, "resume");
    await untilReopened(of);
    expect(await of.seen.rests()).toBe("waiting");
  });

  it("is left by an abort as in its first run: the watch is disarmed, the lock and the claim are given back", async () => {
    const of = await waiting();
    const { world, rollout, seen } = of;
    Object.assign(world.node("db2"), { torn: true, failsAt: "mend" });
    await world.clock.until(() => seen.phase() === "stopped");
    await world.order(rollout, "abort");
    await world.clock.until(() => seen.phase() !== "stopped");
    world.node("db2").torn = false;
    expect(await seen.rests()).toBe("aborted");
    world.node("db1").lag = 99;
    await world.settle(10_000);
    expect(world.node("db1").slot).toBe(true);
    expect((await world.stores.claims.read("c"))?.value.rollout).toBe("");
    expect((await world.stores.locks.read("c"))?.value.state).toBe("free");
  });

  it("is not begun once a watch of the wait has reacted", async () => {
    const of = await waiting();
    const { world, rollout, seen } = of;
    Object.assign(world.node("db2"), { torn: true, failsAt: "mend" });
    await world.clock.until(() => seen.phase() === "stopped");
    await breaks(of);
    world.node("db1").lag = 9;
    await world.clock.until(() => !world.node("db1").slot);
    world.node("db2").failsAt = undefined;
    const before = (await world.facts(rollout)).length;
    await world.order(rollout, "resume", { words });
    await world.settle(5_000);
    expect(seen.view()?.stop).toMatchObject({ stage: "mend", why: { code: "watch.reacted" } });
    expect((await world.facts(rollout)).slice(before).filter(({ kind }) => kind === "granted")).toEqual([]);
  });

  it("does not begin the wait's limit anew", async () => {
    const of = await waiting();
    await of.world.settle(mendedWaitLimitMs / 2);
    of.world.node("db2").torn = true;
    await untilReopened(of);
    expect(await of.seen.rests()).toBe("waiting");
    await of.world.settle(mendedWaitLimitMs / 2);
    expect(of.seen.view()?.stop?.why.code).toBe("wait.limit-passed");
  });

  it("whose lock is broken is begun anew from its first phase after a person's word", async () => {
    const of = await waiting();
    const { world, rollout, seen } = of;
    Object.assign(world.node("db2"), { torn: true, failsAt: "mend" });
    await world.clock.until(() => seen.phase() === "stopped");
    expect(seen.state()?.stages[0]?.phasesPassed).toEqual(["look"]);
    world.node("db2").failsAt = undefined;
    await breaks(of);
    const before = (await world.facts(rollout)).length;
    await world.order(rollout, "resume", { words });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests(), JSON.stringify(seen.view()?.stop)).toBe("waiting");
    const sent = (await world.facts(rollout))
      .slice(before)
      .flatMap((fact) => (fact.kind === "program-sent" ? [fact.phase] : []));
    expect(sent).toEqual(["look", "mend"]);
  });

  it("is gone on with by the next coordinator, after whatever event the first one dies", async () => {
    const whole = await waiting();
    const first = (await whole.world.facts(whole.rollout)).length;
    whole.world.node("db2").torn = true;
    await untilReopened(whole);
    await whole.seen.rests();
    const last = (await whole.world.facts(whole.rollout)).length;
    expect(last - first).toBeGreaterThan(12);
    for (let boundary = first + 1; boundary <= last; boundary += 1) {
      const of = await waiting();
      const { world, rollout, seen } = of;
      world.node("db2").torn = true;
      await world.clock.until(() => (seen.state()?.sequence ?? 0) >= boundary);
      world.killCoordinator();
      await world.settle(5_000);
      await world.startCoordinator();
      await world.clock.until(() => world.node("db2").torn === false);
      expect(await seen.rests(), `killed after event ${boundary}: ${JSON.stringify(seen.view()?.stop)}`).toBe(
        "waiting",
      );
      expect(world.node("db2").deeds, `killed after event ${boundary}`).toEqual(["mend"]);
      await world.order(rollout, "approve");
      await world.clock.until(() => seen.state()?.stages[1]?.standing === "passed");
      expect(await seen.rests()).toBe("done");
    }
  });
});
