/** Functions that the owner of a database has laid where a superuser reads: none of them runs in a session of ours. */
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { hashRows, sequencesOf } from "#agent/engines/postgresql/content.ts";
import { measuringVerbs } from "#agent/engines/postgresql/measuring.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { withSql } from "#agent/engines/postgresql/sql.ts";
import type { StepContext } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { factsOf, hostOf, run, serverOf, stopAll, told } from "./asked-server.ts";

afterEach(stopAll);

const database = "theirs";

/** `SELECT` of the function makes its owner a superuser, where one calls it. */
const trap = (name: string, argument: string, result: string, value: string) => `
  CREATE FUNCTION ${name}(${argument}) RETURNS ${result} LANGUAGE plpgsql AS $$
    BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN ${value}; END $$`;

const laid = [
  "CREATE SCHEMA _timescaledb_catalog",
  trap("count_me", "", "int", "1"),
  "CREATE VIEW _timescaledb_catalog.hypertable AS SELECT count_me()",
  "CREATE SCHEMA mine",
  "CREATE TYPE mine.mood AS ENUM ('well')",
  "CREATE TYPE mine.pair AS (x int)",
  "CREATE TYPE mine.float8 AS (x int)",
  "CREATE TYPE mine.money AS (x int)",
  "CREATE TYPE mine.span AS RANGE (subtype = int)",
  "CREATE DOMAIN mine.mostly AS mine.mood",
  trap("told", "mine.mood", "text", "''"),
  trap("told", "mine.mood[]", "text", "''"),
  trap("told", "mine.pair", "text", "''"),
  trap("told", "mine.span", "text", "''"),
  trap("sent", "mine.float8", "pg_catalog.float8", "1"),
  trap("paid", "mine.money", "numeric", "1"),
  ...["mine.mood", "mine.mood[]", "mine.pair", "mine.span"].map(
    (type) => `CREATE CAST (${type} AS text) WITH FUNCTION told(${type}) AS IMPLICIT`,
  ),
  "CREATE CAST (mine.float8 AS pg_catalog.float8) WITH FUNCTION sent(mine.float8) AS IMPLICIT",
  "CREATE CAST (mine.money AS numeric) WITH FUNCTION paid(mine.money)",
  `CREATE TABLE full_of_them (id int PRIMARY KEY, a mine.mood, b mine.mood[], c mine.pair, d mine.float8, e mine.money,
     f mine.span, g mine.mostly, h mine.float8[])`,
  `INSERT INTO full_of_them VALUES (1, 'well', '{well}', '(1)', '(1)', '(1)', '[1,2)', 'well', '{(1)}'),
     (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  trap("seen", "", "text", "''"),
  "CREATE VIEW swapped AS SELECT seen() AS last_value, true AS is_called",
];

async function trapped(server: PostgresServer): Promise<void> {
  await run(server, "postgres", "CREATE ROLE mallory LOGIN", `CREATE DATABASE ${database} OWNER mallory`);
  const client = new pg.Client({ connectionString: server.urlOf(database, "mallory") });
  await client.connect();
  for (const each of laid) await client.query(each);
  await client.end();
}

async function isSuperuser(server: PostgresServer): Promise<boolean> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'");
  await client.end();
  return rows[0].rolsuper;
}

const meansOf = ({ port }: PostgresServer) => ({
  settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" }),
});

const signal = AbortSignal.timeout(120_000);

describe.each([10, 18] as const)("on PostgreSQL %i", (major) => {
  it("a view in the place of an extension's table is not read for the facts", async () => {
    const server = await serverOf(major);
    await trapped(server);
    const found = told((await factsOf(server)).databases).find(({ name }) => name === database);
    expect(found?.hypertables).toBe(0);
    expect(await isSuperuser(server)).toBe(false);
  });

  it("a cast is not used when contents are read", async () => {
    const server = await serverOf(major);
    await trapped(server);
    const context = {
      host: hostOf(),
      signal,
      rollout: "r1",
      deadlineMs: 60_000,
      parcels: { send: async () => succeed("digest") },
    } as unknown as StepContext;
    const measure = measuringVerbs(meansOf(server)).find(({ name }) => name === "postgresql.measure");
    const args = measure?.args.parse({ databases: JSON.stringify([database]), withinMs: "20000" });
    expect(await measure?.run(context, args)).toMatchObject({ result: "done", outputs: { compared: "1" } });
    expect(await isSuperuser(server)).toBe(false);
  });
});

it("what differs by a null, an empty text or a row of nulls differs", async () => {
  const server = await serverOf(18);
  await run(
    server,
    "postgres",
    "CREATE TYPE pair AS (x int, y int)",
    ...["NULL, NULL, NULL", "'', NULL, NULL", "NULL, '(,)', NULL", "NULL, NULL, '{}'"].map(
      (row, index) =>
        `CREATE TABLE t${index} (a text, b pair, c int[]); INSERT INTO t${index} VALUES (${row})`,
    ),
  );
  const hashes = await withSql(hostOf(), meansOf(server), { signal, database: "postgres" }, async (sql) => {
    const found: string[] = [];
    for (const index of [0, 1, 2, 3]) found.push(await hashRows(sql, `public.t${index}`));
    return succeed(found);
  });
  expect(hashes.ok && new Set(hashes.value).size).toBe(4);
});

it("a view that was put in a table's place since it was listed is not read", async () => {
  const server = await serverOf(18);
  await trapped(server);
  const read = await withSql(hostOf(), meansOf(server), { signal, database, readsRows: true }, async (sql) =>
    succeed(await hashRows(sql, "public.swapped")),
  );
  expect(read).toMatchObject({ ok: false, failure: { code: "postgresql.sql-failed" } });
  expect(JSON.stringify(read)).toContain("non-system view");
  expect(await isSuperuser(server)).toBe(false);
  const sequences = await withSql(
    hostOf(),
    meansOf(server),
    { signal, database, readsRows: true },
    async (sql) => succeed(await sequencesOf(sql)),
  );
  expect(sequences).toMatchObject({ ok: true, value: [] });
});
