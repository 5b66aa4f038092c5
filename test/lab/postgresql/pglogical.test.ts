// The same move through pglogical: two real servers of Debian's with its packages, an application that writes the whole time, the way
// there and the way back, and nothing of the extension left where nobody had it before.
import { readFile } from "node:fs/promises";
import { afterEach, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { describeLongLab, until } from "../harness/index.ts";
import type { PgFleetSpec } from "./fleet.ts";
import type { PgHost } from "./pg-host.ts";
import { type Application, leftOn, MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

/** Longer than pglogical leaves it in a slot's name, and with signs that a slot's name may not hold. */
const far = "Far Away, and of a long name";

const tables = [
  "CREATE TABLE written (id bigint PRIMARY KEY, body text)",
  "CREATE TABLE chosen (a int NOT NULL, b text)",
  "INSERT INTO chosen SELECT i, 'x' || i FROM generate_series(1, 500) AS i",
  "CREATE UNIQUE INDEX chosen_a ON chosen (a)",
  "CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n float8, at timestamptz DEFAULT now(), took interval)",
  "INSERT INTO made (n, took) SELECT i / 3.0, make_interval(days => i, secs => i / 7.0) FROM generate_series(1, 300) AS i",
  "CREATE TABLE parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
  "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
  "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
  "INSERT INTO parts SELECT i, date '2020-01-01' + i FROM generate_series(1, 700) AS i",
  `CREATE TABLE "Mixed Case" ("Id" int PRIMARY KEY, "Of" int REFERENCES made)`,
  `INSERT INTO "Mixed Case" SELECT i, i FROM generate_series(1, 100) AS i`,
  "CREATE SEQUENCE free START 40 INCREMENT 3",
  "SELECT nextval('free'), nextval('free')",
  "CREATE INDEX later ON chosen (b)",
  "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
];

const shop: Application = {
  role: "app",
  async prepare(old) {
    await old.createRole("app");
    await old.sql("postgres", `CREATE DATABASE shop OWNER app;\nCREATE DATABASE "${far}"`);
    await old.sql("shop", `${tables.join(";\n")};`);
    await old.sql(
      far,
      "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); CREATE SEQUENCE s; SELECT nextval('s')",
    );
  },
};

const counts = `
  SELECT (SELECT count(*) FROM chosen), (SELECT sum(a) FROM chosen), (SELECT count(*) FROM made), (SELECT sum(n) FROM made),
         (SELECT sum(took) FROM made), (SELECT count(*) FROM parts), (SELECT count(*) FROM "Mixed Case")`;

/** What pglogical itself would leave in a database, and in the server. */
const leftOfIt = `
  SELECT 'extension ' || extname FROM pg_extension WHERE extname = 'pglogical'
  UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'pglogical'
  UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin
  UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE '%truncate%'
  UNION ALL SELECT 'setting ' || name FROM pg_file_settings WHERE name = 'output_plugin_libraries'`;

async function everythingLeftOn(server: PgHost): Promise<readonly string[]> {
  const found = [...(await leftOn(server))];
  const databases = await server.sql("postgres", "SELECT datname FROM pg_database WHERE datallowconn");
  for (const database of databases.split("\n"))
    found.push(...(await server.sql(database, leftOfIt)).split("\n").filter((line) => line !== ""));
  return found;
}

const trustedNow = "test_decoding, pgoutput, pglogical_output";

/** Where this minor version has the setting: in an order of somebody's own, which must come back. */
async function trust(server: PgHost): Promise<boolean> {
  const there = "SELECT count(*) FROM pg_settings WHERE name = 'output_plugin_libraries'";
  if ((await server.sql("postgres", there)) === "0") return false;
  await server.sql("postgres", "ALTER SYSTEM SET output_plugin_libraries = test_decoding, pgoutput");
  await server.sql("postgres", "SELECT pg_reload_conf()");
  return true;
}

async function pluginsOf(server: PgHost): Promise<string> {
  const [last = ""] = (await server.sql("postgres", "SHOW output_plugin_libraries")).split("\n").slice(-1);
  return last;
}

/** About 200 MB, so that the copy takes some seconds. */
const big = `
  CREATE TABLE big (id int PRIMARY KEY, body text);
  ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
  INSERT INTO big SELECT i, repeat(md5(i::text), 12) FROM generate_series(1, 400000) AS i`;

const spec = (name: string): PgFleetSpec => ({
  name,
  old: 15,
  new: 17,
  method: "pglogical",
  servers: {
    packages: (major) => [`postgresql-${major}-pglogical`],
    settings: ["shared_preload_libraries = 'pglogical'"],
  },
});

await describeLongLab(
  "a PostgreSQL server of Debian's, moved through pglogical while it is written to",
  () => {
    it(
      "15 to 17: no row is lost or doubled, sequences go on, and nothing is left of it",
      async () => {
        story = await MoveStory.begin(spec("pg-pglogical"), shop);
        const { fleet } = story;
        await story.untilReady();
        expect(await story.writesOn(20)).toBe("old");
        // changes of every kind, after the copy
        await fleet.old.sql(
          "shop",
          "UPDATE chosen SET b = 'y' WHERE a <= 100; DELETE FROM chosen WHERE a > 450",
        );
        await fleet.old.sql("shop", `INSERT INTO made (n) VALUES ('NaN'), (1e-300); TRUNCATE "Mixed Case"`);
        const before = await fleet.old.sql("shop", counts);
        await story.approve(8);
        expect(await story.writesOn(50)).toBe("new");
        expect(await fleet.new.sql("shop", counts)).toBe(before);
        await story.approve(0);
        await story.writesOn(20);
        const log = await story.prove("new");
        expect(log.longestPauseMs).toBeLessThan(noticedMs);
        expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
        expect(await fleet.new.sql(far, "SELECT nextval('s'), count(*) FROM t")).toBe("2|1000");
        await fleet.old.takeBack();
        for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
      },
      caseMs,
    );
  },
);

await describeLongLab("a move through pglogical that a person goes back from", () => {
  it(
    "after the cut-over: the old server has the rows of both, and goes on with them",
    async () => {
      story = await MoveStory.begin(spec("pg-pglogical-back"), shop);
      const { fleet } = story;
      await story.untilReady();
      await story.approve(8);
      expect(await story.writesOn(50)).toBe("new");
      await fleet.new.sql(
        "shop",
        "UPDATE chosen SET b = 'z' WHERE a <= 10; INSERT INTO parts VALUES (1, '2021-05-05')",
      );
      const after = await fleet.new.sql("shop", counts);
      expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
      await story.goBack();
      expect(await story.writesOn(30)).toBe("old");
      const log = await story.prove("old");
      expect(log.longestPauseMs).toBeLessThan(noticedMs);
      expect(await fleet.old.sql("shop", counts)).toBe(after);
      expect(await fleet.old.sql("shop", "SELECT nextval('free')")).toBe("49");
      for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
    },
    caseMs,
  );

  it(
    "before the cut-over: nothing is left on either server, and it can be planned once more",
    async () => {
      story = await MoveStory.begin(spec("pg-pglogical-early"), shop);
      const { fleet } = story;
      const trusted = await trust(fleet.new);
      await story.untilReady();
      expect(trusted ? await pluginsOf(fleet.new) : trustedNow).toBe(trustedNow);
      await story.goBack();
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      const settings = trusted ? ["setting output_plugin_libraries"] : [];
      expect(await everythingLeftOn(fleet.old)).toEqual([]);
      expect([...new Set(await everythingLeftOn(fleet.new))]).toEqual(settings);
      if (trusted) expect(await pluginsOf(fleet.new)).toBe("test_decoding, pgoutput");
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
    },
    caseMs,
  );

  it(
    "whose first copy is cut: nothing is waited for in vain, and the way back clears everything",
    async () => {
      story = await MoveStory.begin(spec("pg-pglogical-cut"), shop);
      const { fleet } = story;
      await fleet.old.sql("shop", big);
      const planned = await fleet.plan();
      expect(planned.code, await fleet.explained(planned)).toBe(0);
      const { asks } = JSON.parse(await readFile(fleet.planFile, "utf8")) as Plan;
      const applied = fleet.applyFile(fleet.planFile, 300_000, ...asks.flatMap((check) => ["--ack", check]));
      const copying = "SELECT count(*) FROM pg_stat_progress_copy WHERE relid = to_regclass('big')";
      await until(
        "rows of the big table are copied",
        async () => (await fleet.new.psql("shop", copying)).stdout.trim() === "1",
        120_000,
      );
      await fleet.new.killServer();
      await fleet.new.startServer();
      const stopped = await applied;
      expect(stopped.code, await fleet.explained(stopped)).toBe(5);
      expect(await fleet.must("why", fleet.clusterName)).toContain("plan --back");
      story.rollout = (await fleet.rollout()).id;
      await story.goBack();
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
    },
    caseMs,
  );
});
