import { describe, expect, it } from "vitest";
import { whyOf } from "#coordinator/domain/rollout/view.ts";
import type { GivenWord } from "#coordinator/engine/orders/application-means.ts";
import { awake, versions, watching } from "./world/watching.ts";

const ack: GivenWord = { kind: "acknowledgement", check: "tiny.backup", reason: "on tape, Tuesday" };
const minute = 60_000;

const override = (untilMs: number): GivenWord => ({
  kind: "override",
  check: "tiny.disk",
  reason: "we know",
  until: new Date(untilMs).toISOString(),
});

describe("an acknowledgement", () => {
  it("stands in for what could not be measured; without it nothing is claimed", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.backup"] = "unknown";
    expect(await world.tryApply()).toMatchObject({ failure: { code: "check.refused" } });
    expect(await world.stores.claims.read("c")).toBeUndefined();
    const seen = watching(world, await world.apply({ words: [ack] }));
    expect(await seen.rests()).toBe("done");
    expect(seen.view()?.words).toMatchObject([
      { check: "tiny.backup", by: "op", reason: "on tape, Tuesday" },
    ]);
  });

  it("does not stand against what was measured", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.backup"] = "ko";
    expect(await world.tryApply({ words: [ack] })).toMatchObject({ failure: { code: "check.refused" } });
  });
});

describe("a gate that waits for what a person must bring", () => {
  async function lacking(words: readonly GivenWord[] = []) {
    const world = await awake();
    world.node("db2").ill = "lacks";
    const rollout = await world.apply({ words });
    return { world, rollout, seen: watching(world, rollout) };
  }

  it("says so, goes on when it is there, and says it no more", async () => {
    const { world, seen } = await lacking();
    await world.settle(5_000);
    expect(seen.view()?.gateWaits?.why).toMatchObject({ code: "tiny.lacking", facts: { node: "db2" } });
    const state = seen.state();
    const since = seen.view()?.gateWaits?.since;
    expect(state === undefined ? [] : whyOf(state)).toMatchObject([{ who: "who.operator", since }]);
    expect(versions(world)).toEqual(["1", "1", "1"]);
    world.node("db2").ill = undefined;
    expect(await seen.rests()).toBe("done");
    expect(seen.view()?.gateWaits).toBeUndefined();
  });

  it("is told by a word with the order to begin that it goes without, and by no other word", async () => {
    const { world, seen } = await lacking([{ ...ack, check: "tiny.disk" }]);
    await world.settle(5_000);
    expect(versions(world)).toEqual(["1", "1", "1"]);
    expect(seen.view()?.gateWaits).toBeDefined();
    expect(await (await lacking([ack])).seen.rests()).toBe("done");
  });

  it("is told later too: the rollout is paused, and goes on with a word", async () => {
    const { world, rollout, seen } = await lacking();
    await world.settle(5_000);
    await world.order(rollout, "pause");
    expect(await seen.rests()).toBe("paused");
    await world.order(rollout, "resume");
    await world.settle(5_000);
    expect(versions(world)).toEqual(["1", "1", "1"]);
    await world.order(rollout, "pause");
    expect(await seen.rests()).toBe("paused");
    await world.order(rollout, "resume", { words: [ack] });
    expect(await seen.rests()).toBe("done");
    expect(seen.view()?.words).toMatchObject([{ check: "tiny.backup", by: "op" }]);
  });
});

describe("an override", () => {
  it("that has expired blocks the next node again, and another one lets it go on", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.disk"] = "ko";
    const rollout = await world.apply({ words: [override(world.clock.now() + 5_000)] });
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("stopped");
    expect(seen.view()?.stop?.why).toMatchObject({ code: "check.lapsed" });
    expect(versions(world)).toEqual(["2", "1", "1"]);
    expect((await world.stores.locks.read("c"))?.value.state).toBe("free");
    await world.order(rollout, "resume", { words: [override(world.clock.now() + 60 * minute)] });
    await world.clock.until(() => seen.phase() !== "stopped");
    expect(await seen.rests()).toBe("done");
  });

  it("without an end is refused: nobody remembers it in a year", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.disk"] = "ko";
    const endless: GivenWord = { kind: "override", check: "tiny.disk", reason: "we know" };
    expect(await world.tryApply({ words: [endless] })).toMatchObject({
      failure: { code: "word.override-without-until" },
    });
  });

  it("cannot stand against what nobody may overrule", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.dead"] = "ko";
    const word = { ...override(world.clock.now() + minute), check: "tiny.dead" };
    expect(await world.tryApply({ words: [word] })).toMatchObject({ failure: { code: "check.refused" } });
  });

  it("is in the audit log with who, why and until when", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.disk"] = "ko";
    const word = override(world.clock.now() + minute);
    const rollout = await world.apply({ words: [word] });
    const audit = await world.coordinator?.application.audit(10);
    expect(audit?.ok === true ? audit.value.entries : []).toContainEqual(
      expect.objectContaining({
        who: "op",
        deed: "override",
        subject: rollout,
        reason: "we know",
        facts: { check: "tiny.disk", until: word.until },
      }),
    );
  });
});

describe("a word that nothing asks for", () => {
  const disk: GivenWord = { ...ack, check: "tiny.disk" };

  it("is told when the rollout begins, and beside what the plan refuses for", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.backup"] = "unknown";
    expect(await world.tryApply({ words: [disk] })).toMatchObject({
      failure: { code: "check.refused", facts: { idle: "tiny.disk" } },
    });
    expect(await world.tryApply({ words: [ack, disk] })).toMatchObject({
      value: {
        notes: [{ code: "word.not-asked-for", facts: { check: "tiny.disk", asked: "tiny.backup" } }],
      },
    });
  });

  it("is none where a gate of the plan may ask for it", async () => {
    expect(await (await awake()).tryApply({ words: [ack] })).toMatchObject({ value: { notes: [] } });
  });

  it("refuses the order that it came with, before anything is recorded", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.backup"] = "unknown";
    const rollout = await world.apply({ approveEach: true, words: [ack] });
    const seen = watching(world, rollout);
    expect(await seen.rests()).toBe("waiting");
    expect(await world.order(rollout, "approve", { words: [ack] })).toMatchObject({
      failure: { code: "word.not-with-order", facts: { check: "tiny.backup", order: "approve" } },
    });
    await world.order(rollout, "pause");
    expect(await seen.rests()).toBe("paused");
    const refused = { code: "word.answers-nothing", facts: { checks: "tiny.disk", asked: "tiny.backup" } };
    expect(await world.order(rollout, "resume", { words: [ack, disk] })).toMatchObject({ failure: refused });
    expect(seen.phase()).toBe("paused");
    const audit = await world.coordinator?.application.audit(20);
    const said = audit?.ok === true ? audit.value.entries.filter(({ deed }) => deed === ack.kind) : [];
    expect(said.map(({ facts }) => facts)).toEqual([{ check: "tiny.backup" }]);
  });

  it("is so too for a stop that another word answers", async () => {
    const world = await awake();
    world.node("db2").checks["tiny.disk"] = "ko";
    const rollout = await world.apply({ words: [override(world.clock.now() + 5_000)] });
    expect(await watching(world, rollout).rests()).toBe("stopped");
    expect(
      await world.order(rollout, "resume", { words: [{ ...ack, check: "node.unproven" }] }),
    ).toMatchObject({
      failure: { code: "word.answers-nothing", facts: { checks: "node.unproven", asked: "tiny.disk" } },
    });
  });
});
