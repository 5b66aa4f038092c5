/** What a host's agent tells its Patroni, and takes back: no more than a rollout has said itself. */
import { afterEach, describe, expect, it } from "vitest";
import { keepingVerbs } from "#agent/engines/postgresql/patroni/keeping.ts";
import { pausingVerbs } from "#agent/engines/postgresql/patroni/pausing.ts";
import { deskOf, forgetAll, type Told } from "./told.ts";

afterEach(forgetAll);

const told = (config: Record<string, unknown> = {}): Told => ({
  config: { loop_wait: 10, ...config },
  ran: [],
});
const shop = { databases: '["shop"]' };

describe("a pause", () => {
  it("is made once, and taken back by the rollout that made it", async () => {
    const patroni = told();
    const { does, probes } = deskOf(patroni, pausingVerbs);
    expect(await probes("pause-patroni")).toMatchObject({ state: "not-done" });
    await does("pause-patroni");
    await does("pause-patroni");
    expect(patroni.ran).toEqual(["pause --wait"]);
    expect(await probes("pause-patroni")).toMatchObject({ state: "done" });
    expect(await does("resume-patroni", { of: "another" })).toMatchObject({ result: "done" });
    expect(patroni.config["pause"]).toBe(true);
    await does("resume-patroni");
    expect(patroni.config).toEqual({ loop_wait: 10 });
    expect(await probes("resume-patroni")).toMatchObject({ state: "done" });
  });

  it("of somebody else stays", async () => {
    const patroni = told({ pause: true });
    const { does } = deskOf(patroni, pausingVerbs);
    await does("pause-patroni");
    await does("resume-patroni");
    expect(patroni.ran).toEqual([]);
    expect(patroni.config["pause"]).toBe(true);
  });

  it("that was not taken is none", async () => {
    const { does } = deskOf({ ...told(), isDeaf: true }, pausingVerbs);
    expect(await does("pause-patroni")).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.patroni-not-taken" },
    });
  });

  it("cannot be judged while Patroni does not answer", async () => {
    const { does, probes } = deskOf({ ...told(), isGone: true }, pausingVerbs);
    expect(await does("pause-patroni")).toMatchObject({ failure: { code: "postgresql.patronictl-failed" } });
    const patroni = told();
    const desk = deskOf(patroni, pausingVerbs);
    await desk.does("pause-patroni");
    patroni.isGone = true;
    expect(await desk.probes("pause-patroni")).toMatchObject({ state: "unknown" });
    expect(await probes("resume-patroni")).toMatchObject({ state: "done" });
  });
});

describe("slots", () => {
  it("are let alone and kept, and all of it goes again", async () => {
    const foreign = { ignore_slots: [{ name: "debezium" }], slots: { cdc: { type: "physical" } } };
    const patroni = told(structuredClone(foreign));
    const { does, probes } = deskOf(patroni, keepingVerbs);
    expect(await probes("ignore-slots", shop)).toMatchObject({ state: "not-done" });
    await does("ignore-slots", shop);
    await does("declare-slots", { ...shop, direction: "forward" });
    expect(await probes("ignore-slots", shop)).toMatchObject({ state: "done" });
    expect(await probes("declare-slots", { ...shop, direction: "forward" })).toMatchObject({ state: "done" });
    expect(Object.keys(patroni.config["slots"] as object)).toHaveLength(2);
    expect(await probes("release-slots")).toMatchObject({ state: "not-done" });
    await does("release-slots", { of: "another" });
    expect(Object.keys(patroni.config["slots"] as object)).toHaveLength(2);
    await does("release-slots");
    expect(patroni.config).toEqual({ loop_wait: 10, ...foreign });
    expect(await does("release-slots")).toMatchObject({ outputs: { changed: "nothing" } });
  });

  it("of one batch are taken back without the others'", async () => {
    const patroni = told();
    const { does } = deskOf(patroni, keepingVerbs);
    for (const database of ["shop", "stock"])
      await does("declare-slots", { databases: JSON.stringify([database]), direction: "forward" });
    await does("undeclare-slots", { ...shop, direction: "forward" });
    const left = Object.values(patroni.config["slots"] as Record<string, { database: string }>);
    expect(left.map(({ database }) => database)).toEqual(["stock"]);
  });

  it("that Patroni has not taken stop the step", async () => {
    const { does } = deskOf({ ...told(), isDeaf: true }, keepingVerbs);
    expect(await does("ignore-slots", shop)).toMatchObject({
      failure: { code: "postgresql.patroni-not-taken", facts: { what: "ignore_slots" } },
    });
  });
});
