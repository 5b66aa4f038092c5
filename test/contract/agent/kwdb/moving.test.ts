/** The verbs of a move on two hosts with real rows, one after the other as a plan has them. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slug } from "#agent/engines/databases.ts";
import { awkwardData, MovingRoom, read, type Side, why } from "./moving-room.ts";

const room = new MovingRoom();
afterAll(() => room.close(), 60_000);

const all = ["Straße 1", "meters", "shop"];
const databases = JSON.stringify(all);
const waitMs = "60000";

async function must(side: Side, name: string, args: Readonly<Record<string, string>> = {}) {
  const result = await side.verbs.run(name, args);
  expect(`${name} ${why(result)}`).toBe(`${name} done`);
  return result.result === "done" ? result.outputs : {};
}

async function carry(old: Side, young: Side, database: string): Promise<void> {
  await must(old, "export-database", { database, privileges: "true" });
  await must(old, "send-export", { database });
  await must(young, "receive-export", { database });
  await must(young, "rewrite-meta", { database });
}

const extern = (side: Side) => side.host.path("/var/lib/kaiwudb/extern");

describe("a move of a 2.2 cluster into a 3.1 one", () => {
  let old: Side;
  let young: Side;
  beforeAll(async () => {
    [old, young] = await room.pair();
    expect(await old.sql(...awkwardData)).not.toContain("ERROR");
  }, 120_000);

  it("carries every row and every sign, users and settings, and leaves nothing of its own behind", async () => {
    expect((await old.verbs.fullFacts()).databases).toMatchObject({ value: all });
    await must(old, "measure-data", { databases });
    await must(young, "prove-empty", { databases, version: "3.1.0" });
    expect(await must(old, "fence-writes")).toMatchObject({ before: "false" });
    await must(old, "prove-fenced", { peers: "", waitMs: "5000" });
    expect(await old.sql("DELETE FROM shop.orders WHERE id = 1")).toContain("read-only transaction");
    expect(await must(old, "count-rows", { databases, when: "before", waitMs })).toEqual({
      tables: "4",
      rows: "9",
    });
    for (const kind of ["users", "settings"]) {
      await must(old, "export-accounts", { kind });
      await must(old, "send-export", { kind });
    }
    await must(old, "describe-cluster");
    expect(await must(young, "import-users")).toMatchObject({
      users: "clerk",
      "told.passwords": expect.stringContaining("clerk"),
    });
    const settings = await must(young, "import-settings");
    expect(settings["settings"]).toContain("server.shutdown.drain_wait=3s");
    expect(settings["told.settings"]).toMatch(
      /default_transaction_read_only\.enabled .*version \(it is the cluster's own\)/,
    );
    for (const database of all) {
      await carry(old, young, database);
      await must(young, "import-database", { database, privileges: "true" });
    }
    await must(old, "count-rows", { databases, when: "after", waitMs });
    expect(await must(young, "compare-rows", { databases, writes: "refused", waitMs })).toEqual({
      tables: "4",
      rows: "9",
    });
    expect(await young.sql(...read)).toBe(await old.sql(...read));
    await must(young, "compare-cluster");
    for (const side of [old, young]) {
      await must(side, "drop-files");
      expect(readdirSync(extern(side))).toEqual([]);
    }
    await must(old, "unfence-writes");
    expect(await old.sql("INSERT INTO shop.empty VALUES (1, 'x')")).toBe("INSERT 1");
    // the new cluster was not fenced by a setting of the old one
    expect(await young.sql("INSERT INTO shop.empty VALUES (1, 'x')")).toBe("INSERT 1");
  }, 300_000);

  it("names what it took out of meta.sql", async () => {
    const database = "meters";
    old.verbs.rollout = young.verbs.rollout = "r-meta";
    await must(old, "export-database", { database, privileges: "true" });
    await must(old, "send-export", { database });
    await must(young, "receive-export", { database });
    expect(await must(young, "rewrite-meta", { database })).toEqual({ "meta.sql": "PARTITION INTERVAL 10d" });
    expect(await must(young, "rewrite-meta", { database })).toEqual({});
  }, 240_000);

  it("does not touch a database that it has not made", async () => {
    old.verbs.rollout = young.verbs.rollout = "r-other";
    await carry(old, young, "shop");
    const before = await young.sql(...read);
    expect(why(await young.verbs.run("import-database", { database: "shop", privileges: "true" }))).toBe(
      'kwdb.database-exists {"database":"shop"}',
    );
    expect(await must(young, "drop-imported", { database: "shop" })).toEqual({
      found: "not made by this rollout",
    });
    expect(await young.sql(...read)).toBe(before);
    expect(await young.verbs.outcome("prove-empty", { databases, version: "3.1.0" })).toBe(
      "kwdb.target-not-empty",
    );
  }, 240_000);
});

describe("a move that meets trouble", () => {
  let old: Side;
  let young: Side;
  const database = "shop";
  beforeAll(async () => {
    [old, young] = await room.pair();
    expect(await old.sql(...awkwardData)).not.toContain("ERROR");
  }, 120_000);

  const shopRead = ["SELECT id, note FROM shop.orders ORDER BY id"];
  const next = (rollout: string) => {
    old.verbs.rollout = young.verbs.rollout = rollout;
    old.verbs.attempt = young.verbs.attempt = 1;
  };

  it("removes a half-made export and makes it again", async () => {
    next("r-half");
    await old.host.faults({ export_fails: "orders" });
    await expect
      .poll(async () => (await old.verbs.run("export-database", { database, privileges: "true" })).result, {
        timeout: 10_000,
      })
      .toBe("failed");
    await old.host.faults({});
    const folder = path.join(extern(old), "lockkeeper-r-half");
    const [part = ""] = readdirSync(folder);
    writeFileSync(path.join(folder, part, "public/orders/n9.9.csv"), "stale\n");
    expect(await old.verbs.probe("export-database", { database, privileges: "true" })).toEqual({
      state: "not-done",
    });
    expect(await old.verbs.outcome("send-export", { database })).toBe("kwdb.export-not-made");
    old.verbs.attempt = 2;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await must(old, "export-database", { database, privileges: "true" });
    expect(existsSync(path.join(folder, part, "public/orders/n9.9.csv"))).toBe(false);
    expect(await old.verbs.probe("export-database", { database, privileges: "true" })).toMatchObject({
      state: "done",
    });
    writeFileSync(path.join(folder, part, "meta.sql"), "changed");
    expect(await old.verbs.probe("export-database", { database, privileges: "true" })).toEqual({
      state: "not-done",
    });
    expect(await old.verbs.outcome("send-export", { database })).toBe("kwdb.export-changed");
  }, 240_000);

  it("does not begin while a job of a lost client still writes", async () => {
    next("r-busy");
    await old.host.faults({ export_ms: "3000" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const lost = old.sql('EXPORT INTO CSV "nodelocal://1/lost" FROM DATABASE shop');
    await expect.poll(() => old.sql("SHOW JOBS"), { timeout: 5_000 }).toContain("EXPORT");
    expect(await old.verbs.outcome("export-database", { database, privileges: "true" })).toBe(
      "kwdb.move-job-runs",
    );
    await old.host.faults({});
    await lost;
  }, 240_000);

  it("fails on a rejected row, keeps the import unfinished, and makes it again", async () => {
    next("r-reject");
    await carry(old, young, "meters");
    await young.host.faults({ import_rejects: "1 once" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const args = { database: "meters", privileges: "true" };
    expect(why(await young.verbs.run("import-database", args))).toMatch(
      /^kwdb\.rows-rejected .*"rejected":"1".*out of range/,
    );
    expect(await young.verbs.probe("import-database", args)).toEqual({ state: "not-done" });
    young.verbs.attempt = 2;
    await must(young, "receive-export", { database: "meters" });
    await must(young, "rewrite-meta", { database: "meters" });
    await must(young, "import-database", args);
    expect(await young.verbs.probe("import-database", args)).toMatchObject({ state: "done" });
    expect(await young.sql("SELECT count(*) FROM meters.power")).toBe("count\n2");
    await must(young, "drop-imported", { database: "meters" });
    expect(await young.sql("SHOW DATABASES")).not.toContain("meters");
  }, 240_000);

  it("finds a row that the import has lost without a word, and an empty text that became NULL", async () => {
    next("r-lost");
    const one = JSON.stringify([database]);
    await must(old, "count-rows", { databases: one, when: "before", waitMs });
    await carry(old, young, database);
    await young.host.faults({ import_loses: "1 once" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await must(young, "import-database", { database, privileges: "true" });
    await must(old, "count-rows", { databases: one, when: "after", waitMs });
    const compare = async () =>
      why(await young.verbs.run("compare-rows", { databases: one, writes: "refused", waitMs }));
    expect(await compare()).toMatch(
      /^kwdb\.rows-differ .*"table":"shop.public.orders","of":"rows".*"before":"6","after":"6","here":"5"/,
    );
    young.verbs.attempt = 2;
    await must(young, "drop-imported", { database });
    await must(young, "import-database", { database, privileges: "true" });
    expect(await compare()).toBe("done");
    await young.sql("UPDATE shop.orders SET note = NULL WHERE note = ''");
    expect(await compare()).toMatch(/^kwdb\.rows-differ .*"of":"values of note"/);
  }, 240_000);

  it("counts what came after the export where writes go on, and tells it by table", async () => {
    next("r-late");
    const one = JSON.stringify(["Straße 1"]);
    await must(old, "count-rows", { databases: one, when: "before", waitMs });
    await carry(old, young, "Straße 1");
    await must(young, "import-database", { database: "Straße 1", privileges: "true" });
    await old.sql('INSERT INTO "Straße 1".t VALUES (8), (9)');
    await must(old, "count-rows", { databases: one, when: "after", waitMs });
    expect(await must(young, "compare-rows", { databases: one, writes: "counted", waitMs })).toMatchObject({
      late: "2",
      "told.late-rows": expect.stringContaining("Straße 1.public.t 2"),
    });
    expect(why(await young.verbs.run("compare-rows", { databases: one, writes: "refused", waitMs }))).toMatch(
      /^kwdb\.rows-came-after/,
    );
  }, 240_000);

  it("carries anew what was written while the fence was down, though no row came or went", async () => {
    next("r-lapsed");
    await young.sql("DROP DATABASE IF EXISTS shop CASCADE");
    const [given, args] = [
      { database, privileges: "true" },
      { databases: JSON.stringify([database]), waitMs },
    ];
    const round = async (attempt: number) => {
      old.verbs.attempt = young.verbs.attempt = attempt;
      await must(old, "fence-writes");
      const before = await must(old, "count-rows", { ...args, when: "before" });
      await carry(old, young, database);
      expect(await young.verbs.probe("import-database", given)).toMatchObject({ state: "not-done" });
      await must(young, "import-database", given);
      await must(old, "count-rows", { ...args, when: "after" });
      await must(young, "compare-rows", { ...args, writes: "refused" });
      expect(await young.sql(...shopRead)).toBe(await old.sql(...shopRead));
      return before["rows"];
    };
    const first = await round(1);
    await must(old, "fence-writes");
    expect(await old.verbs.probe("export-database", given)).toMatchObject({ state: "done" });
    expect(await young.verbs.probe("import-database", given)).toMatchObject({ state: "done" });
    await must(old, "unfence-writes");
    expect(await old.sql("UPDATE shop.orders SET note = 'late' WHERE id = 1")).toBe("UPDATE 1");
    expect(await old.sql("INSERT INTO shop.orders VALUES (77, 'late')")).toBe("INSERT 1");
    old.verbs.attempt = 2;
    await must(old, "fence-writes");
    expect(await old.verbs.probe("export-database", given)).toEqual({ state: "not-done" });
    expect(Number(await round(2))).toBe(Number(first) + 1);
    expect(await young.sql(...shopRead)).toContain("late");
    await must(old, "unfence-writes");
    await must(young, "drop-imported", { database });
    expect(await old.sql("DELETE FROM shop.orders WHERE id = 77")).toBe("DELETE 1");
  }, 300_000);

  it("refuses what would not fit, and what lies in a database that every cluster has", async () => {
    next("r-default");
    await old.sql("CREATE DATABASE defaultdb", "CREATE TABLE defaultdb.t (id INT PRIMARY KEY)");
    const here = (await old.verbs.fullFacts()).databases;
    const names = JSON.stringify(here !== undefined && "value" in here ? here.value : []);
    expect(await old.verbs.outcome("measure-data", { databases: names })).toBe("kwdb.default-database-used");
    expect(await old.verbs.outcome("measure-data", { databases: "[]" })).toBe("kwdb.databases-differ");
    await old.sql("DROP DATABASE defaultdb");
    expect(await old.verbs.outcome("measure-data", { databases: names })).toBe("done");
    const du = path.join(old.host.root, "host-bin/du");
    writeFileSync(du, "#!/bin/sh\necho 999999999999999999\n", { mode: 0o755 });
    expect(await old.verbs.outcome("measure-data", { databases: names })).toBe("kwdb.move-no-room");
    expect(await old.verbs.outcome("export-database", { database, privileges: "true" })).toBe(
      "kwdb.move-no-room",
    );
    rmSync(du);
    const files = [{ path: "meta.sql", bytes: 999_999_999_999_999, sha256: "a".repeat(64) }];
    const bytes = Buffer.from(JSON.stringify({ format: 1, value: { files } }));
    const digest = createHash("sha256").update(bytes).digest("hex");
    young.verbs.parcels.set(`manifest/${slug(database)}`, { digest, bytes });
    expect(await young.verbs.outcome("receive-export", { database })).toBe("kwdb.move-no-room");
  }, 240_000);

  it("puts the fence back to what it was, and never takes down one that was there before", async () => {
    next("r-fence");
    const fence = "SHOW CLUSTER SETTING default_transaction_read_only.enabled";
    await old.sql("SET CLUSTER SETTING default_transaction_read_only.enabled = true");
    await must(old, "fence-writes");
    await must(old, "unfence-writes");
    expect(await old.sql(fence)).toContain("true");
    await old.sql("SET CLUSTER SETTING default_transaction_read_only.enabled = false");
    expect(await old.verbs.outcome("prove-fenced", { peers: "", waitMs: "10" })).toBe(
      "kwdb.fence-not-standing",
    );
    next("r-fence-2");
    expect(await must(old, "unfence-writes")).toEqual({ found: "never fenced by this rollout" });
    await must(old, "fence-writes");
    expect(await old.verbs.probe("unfence-writes")).toEqual({ state: "not-done" });
    const mark = path.join(old.verbs.stateDir, "moving/lockkeeper-r-fence-2/fence.json");
    const kept = readFileSync(mark, "utf8");
    writeFileSync(mark, '{"format":2}');
    await expect(old.verbs.run("unfence-writes")).rejects.toThrow("mark.unreadable");
    writeFileSync(mark, kept);
    await must(old, "unfence-writes");
    expect(await old.sql(fence)).toContain("false");
  }, 240_000);
});
