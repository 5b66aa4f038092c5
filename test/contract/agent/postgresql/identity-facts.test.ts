/** Which tables can be published, and by which columns: what the agent says is what the server itself does. */
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { majors, whyLeft } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { factsOf, run, serverOf, stopAll, told } from "./asked-server.ts";
import { shop } from "./shop.ts";

afterEach(stopAll);

/** What 18 says of an identity with a column that it does not publish. */
const computed = "42P10";

/** Tables of users whose UPDATE the server refuses, once all are published. */
async function refusedByServer(server: PostgresServer, database: string) {
  const client = new pg.Client({ connectionString: server.urlOf(database) });
  await client.connect();
  try {
    await client.query("CREATE PUBLICATION everything FOR ALL TABLES");
    const { rows } = await client.query<{ name: string; column: string }>(`
      SELECT DISTINCT ON (c.oid) format('%I.%I', nspname, relname) AS name, quote_ident(attname) AS column
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0
       WHERE relkind = 'r' AND relpersistence = 'p' AND nspname IN ('public', 'Mixed') ORDER BY c.oid, attnum`);
    const refused = { bare: [] as string[], computed: [] as string[] };
    for (const { name, column } of rows)
      await client
        .query(`UPDATE ${name} SET ${column} = NULL WHERE false`)
        .catch((error: pg.DatabaseError) => {
          expect(["55000", computed]).toContain(error.code);
          refused[error.code === computed ? "computed" : "bare"].push(name);
        });
    await client.query("DROP PUBLICATION everything");
    return { bare: refused.bare.sort(), computed: refused.computed.sort() };
  } finally {
    await client.end();
  }
}

/** By key, by an index to be chosen, by all columns, and one whose key has nothing to do with it. */
const generated = [
  "CREATE TABLE g_full (a int, j json GENERATED ALWAYS AS ('1'::json) STORED); ALTER TABLE g_full REPLICA IDENTITY FULL",
  "CREATE TABLE g_key (a int, b int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY)",
  "CREATE TABLE g_index (a int, b int GENERATED ALWAYS AS (a + 1) STORED NOT NULL UNIQUE)",
  "CREATE TABLE g_bare (a int, b int GENERATED ALWAYS AS (a + 1) STORED)",
  "CREATE TABLE g_include (a int, b text, PRIMARY KEY (a) INCLUDE (b))",
  "CREATE TABLE g_fine (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a + 1) STORED)",
];
const generatedNames = ["public.g_bare", "public.g_full", "public.g_index", "public.g_key"];

describe.each(majors)("tables that PostgreSQL %i cannot publish", (major) => {
  it("are those that the server refuses, and none once each is fixed as the facts say", {
    timeout: 60_000,
  }, async (context) => {
    const left = whyLeft(major);
    if (left !== undefined) context.skip(left);
    const server = await serverOf(major);
    await run(server, "postgres", "CREATE DATABASE shop");
    await run(server, "shop", ...shop);
    if (major >= 12) await run(server, "shop", ...generated);
    const shopOf = async () => told((await factsOf(server)).databases).find(({ name }) => name === "shop");
    const before = await shopOf();
    const { bare } = await refusedByServer(server, "shop");
    expect(before?.withoutIdentity).toEqual(bare.filter((each) => each !== "public.ext_empty"));
    // what carries on along with a key need not be NOT NULL
    expect(before?.keyless).not.toContain("public.g_include");
    const byIndex = new Map(
      (before?.identityByIndex ?? []).map((each) => each.split(" using ") as [string, string]),
    );
    const fix = (table: string) => {
      const index = byIndex.get(table);
      return `ALTER TABLE ${table} REPLICA IDENTITY ${index === undefined ? "FULL" : `USING INDEX ${index}`}`;
    };
    await run(server, "shop", ...(before?.withoutIdentity ?? []).map(fix));
    const refused = await refusedByServer(server, "shop");
    expect(refused.bare).toEqual(["public.ext_empty"]);
    if (major >= 18) expect(before?.generatedIdentity).toEqual(refused.computed);
    expect(before?.generatedIdentity).toEqual(major >= 12 ? generatedNames : []);
    const after = await shopOf();
    expect(after).toMatchObject({ withoutIdentity: [], identityByIndex: [], identityImpossible: [] });
    expect(after?.fullIncomparable).toEqual(["public.full_bad", "public.with_json", "public.with_spot"]);
  });
});

/** Comparing whole rows asks for the same operator of each column as the worker that applies changes. */
async function incomparableByServer(server: PostgresServer): Promise<{ tables: number; found: string[] }> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ oid: string; name: string }>(`
      SELECT t.oid::text, format_type(t.oid, NULL) AS name FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
       WHERE typtype <> 'p' AND typisdefined AND (typrelid = 0 OR c.relkind = 'c')`);
    const found: string[] = [];
    let tables = 0;
    for (const { oid, name } of rows) {
      const table = `t${oid}`;
      const made = await client.query(`CREATE TABLE ${table} (c ${name})`).catch(() => undefined);
      if (made === undefined) continue;
      tables++;
      await client.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL; INSERT INTO ${table} VALUES (NULL)`);
      await client.query(`SELECT t = t FROM ${table} t`).catch(() => found.push(`public.${table}`));
    }
    return { tables, found: found.sort() };
  } finally {
    await client.end();
  }
}

describe.each(majors)("columns that PostgreSQL %i cannot compare", (major) => {
  it("are found by type as the server finds them", { timeout: 60_000 }, async (context) => {
    const left = whyLeft(major);
    if (left !== undefined) context.skip(left);
    const server = await serverOf(major);
    await run(
      server,
      "postgres",
      "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION cube; CREATE EXTENSION ltree",
      "CREATE DOMAIN spot AS point; CREATE TYPE pair AS (x int, y spot); CREATE TYPE good AS (x int, y text[])",
      "CREATE TYPE mood AS ENUM ('a'); CREATE TYPE span AS RANGE (subtype = text); CREATE DOMAIN docs AS json[]",
    );
    // neither a cast that computes nor an operator class that is no default makes a type comparable
    await run(
      server,
      "postgres",
      "CREATE CAST (json AS text) WITH INOUT AS IMPLICIT",
      "CREATE FUNCTION hash(point) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
      "CREATE OPERATOR CLASS later FOR TYPE point USING hash AS OPERATOR 1 ~=, FUNCTION 1 hash(point)",
    );
    const { tables, found } = await incomparableByServer(server);
    expect(tables).toBeGreaterThan(100);
    expect(found.length).toBeGreaterThan(10);
    const [read] = told((await factsOf(server)).databases);
    expect(read?.fullIncomparable).toEqual(found.slice(0, 50));
  });
});
