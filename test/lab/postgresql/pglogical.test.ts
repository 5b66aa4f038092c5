// The same move through pglogical: two real servers of Debian's with its packages, an application that writes the whole time, the way
// there and the way back, and nothing of the extension left where nobody had it before.
import { afterEach, expect, it } from "vitest";
import { describeLab, describeLongLab } from "../harness/index.ts";
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

await describeLab("a PostgreSQL server of Debian's, moved through pglogical while it is written to", () => {
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
      for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
    },
    caseMs,
  );
});

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
      await story.untilReady();
      await story.goBack();
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
    },
    caseMs,
  );
});
