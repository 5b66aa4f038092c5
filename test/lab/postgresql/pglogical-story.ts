// What moves through pglogical begin with in the lab, and what they may not leave: databases with all that it carries, and its packages.
import type { PgFleetSpec } from "./fleet.ts";
import type { PgHost } from "./pg-host.ts";
import { type Application, leftOn } from "./story.ts";

/** Longer than pglogical leaves it in a slot's name, and with signs that a slot's name may not hold. */
export const far = "Far Away, and of a long name";

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
  "CREATE UNLOGGED TABLE quick (a int)",
  "INSERT INTO quick SELECT generate_series(1, 100)",
  "SELECT lo_from_bytea(70001, 'there'), lo_from_bytea(70002, 'removed later')",
];

export const shop: Application = {
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

export const counts = `
  SELECT (SELECT count(*) FROM chosen), (SELECT sum(a) FROM chosen), (SELECT count(*) FROM made), (SELECT sum(n) FROM made),
         (SELECT sum(took) FROM made), (SELECT count(*) FROM parts), (SELECT count(*) FROM "Mixed Case")`;

/** What neither pglogical nor the server's own replication carries; a crash empties the table. */
export const unreplicated = `
  SELECT (SELECT string_agg(oid || ' ' || convert_from(lo_get(oid), 'UTF8'), ', ' ORDER BY oid) FROM pg_largeobject_metadata),
         (SELECT count(*) || ' ' || sum(a) FROM quick)`;

/** What pglogical itself would leave in a database, and in the server. */
const leftOfIt = `
  SELECT 'extension ' || extname FROM pg_extension WHERE extname = 'pglogical'
  UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'pglogical'
  UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin
  UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE '%truncate%'
  UNION ALL SELECT 'setting ' || name FROM pg_file_settings WHERE name = 'output_plugin_libraries'`;

export async function everythingLeftOn(server: PgHost): Promise<readonly string[]> {
  const found = [...(await leftOn(server))];
  const databases = await server.sql("postgres", "SELECT datname FROM pg_database WHERE datallowconn");
  for (const database of databases.split("\n"))
    found.push(...(await server.sql(database, leftOfIt)).split("\n").filter((line) => line !== ""));
  return found;
}

/** Debian's packages on both, from 15 to 17 unless told. */
export const throughPglogical = (
  name: string,
  pair: Pick<PgFleetSpec, "old" | "new"> = { old: 15, new: 17 },
): PgFleetSpec => ({
  name,
  ...pair,
  method: "pglogical",
  servers: {
    packages: (major) => [`postgresql-${major}-pglogical`],
    settings: ["shared_preload_libraries = 'pglogical'"],
  },
});
