/** What the agent says of a real server of each major before a plan: every list, and what must not be in one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { postgresqlFacts } from "#agent/engines/postgresql/facts.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { localHost } from "#agent/host/local-host.ts";
import type { Host } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";
import { known, type Measured, whyUnknown } from "#proto/common/measured.ts";
import { type PgDatabase, type PostgresqlFull, postgresqlFullSchema } from "#proto/engines/postgresql.ts";
import { type Major, majors } from "#test/postgres/binaries.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";

const folders: string[] = [];
const servers: PostgresServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function serverOf(major: Major, settings: Readonly<Record<string, string>> = {}) {
  const server = await startPostgres({
    major,
    settings: { wal_level: "logical", max_prepared_transactions: "5", ...settings },
  });
  servers.push(server);
  return server;
}

async function run(server: PostgresServer, database: string, ...statements: readonly string[]) {
  const client = new pg.Client({ connectionString: server.urlOf(database) });
  await client.connect();
  try {
    for (const each of statements) await client.query(each);
  } finally {
    await client.end();
  }
}

function hostOf(programs: string | undefined = "init\nsystemd"): Host {
  const stateDir = mkdtempSync(path.join(tmpdir(), "lockkeeper-facts-"));
  folders.push(stateDir);
  const host = localHost({
    hostRoot: stateDir,
    stateDir,
    clock: systemClock,
    env: {},
    asUser: (_, argv) => argv,
  });
  const ended = { signal: undefined, timedOut: false, stderr: "" };
  return {
    ...host,
    look: ([program]) =>
      Promise.resolve(
        program === "ps"
          ? programs === ""
            ? { ...ended, exitCode: 1, stdout: "" }
            : { ...ended, exitCode: 0, stdout: programs }
          : { ...ended, exitCode: 0, stdout: "pg_dump (PostgreSQL) 18.4 (Debian 18.4-1)\n" },
      ),
  };
}

async function factsOf(server: PostgresServer, host = hostOf(), port = server.port): Promise<PostgresqlFull> {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const signal = AbortSignal.timeout(30_000);
  return postgresqlFullSchema.parse(await postgresqlFacts(host, { settings }, { depth: "full", signal }));
}

function told<T>(found: Measured<T>): T {
  const value = known(found);
  if (value === undefined) throw new Error(JSON.stringify(found));
  return value;
}

const shop = [
  "CREATE EXTENSION citext",
  "CREATE TABLE keyed (id int PRIMARY KEY)",
  "CREATE TABLE late_key (id int PRIMARY KEY DEFERRABLE, doc text)",
  'CREATE SCHEMA "Mixed"; CREATE TABLE "Mixed"."Bare" (a int, b citext)',
  "CREATE TABLE by_index (a int NOT NULL, b int); CREATE UNIQUE INDEX chosen ON by_index (a)",
  "CREATE TABLE json_by_index (a int NOT NULL UNIQUE, doc json)",
  "CREATE TABLE nullable_index (a int UNIQUE)",
  "CREATE TABLE partial_index (a int NOT NULL); CREATE UNIQUE INDEX part ON partial_index (a) WHERE a > 0",
  "CREATE TABLE with_json (a int, doc json)",
  "CREATE DOMAIN spot AS point; CREATE TYPE pair AS (x int, y spot)",
  "CREATE TABLE with_spot (a int, s pair[])",
  "CREATE TYPE good_pair AS (x int, y numeric); CREATE TYPE mood AS ENUM ('a')",
  "CREATE TABLE comparable (a good_pair[], b mood, c int4range, d varchar, e bytea, f jsonb)",
  "CREATE TABLE full_good (a int); ALTER TABLE full_good REPLICA IDENTITY FULL",
  "CREATE TABLE full_bad (a int, x xml); ALTER TABLE full_bad REPLICA IDENTITY FULL",
  "CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING",
  "CREATE TABLE lost_index (a int NOT NULL, b int); CREATE UNIQUE INDEX gone ON lost_index (a)",
  "ALTER TABLE lost_index REPLICA IDENTITY USING INDEX gone; DROP INDEX gone",
  "CREATE UNLOGGED TABLE quick (a int)",
  "CREATE TABLE parted (a int) PARTITION BY RANGE (a); CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (1) TO (9)",
  "CREATE MATERIALIZED VIEW seen AS SELECT 1 AS a",
  "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw",
  "CREATE FOREIGN TABLE distant (a int) SERVER far",
  "SELECT lo_create(4711)",
  "CREATE SEQUENCE numbers",
  "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  "CREATE TRIGGER always AFTER INSERT ON keyed FOR EACH ROW EXECUTE PROCEDURE tell()",
  "CREATE TRIGGER usual AFTER INSERT ON keyed FOR EACH ROW EXECUTE PROCEDURE tell()",
  "ALTER TABLE keyed ENABLE ALWAYS TRIGGER always",
  "CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
  "CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE PROCEDURE ddl()",
  "ALTER TABLE keyed ENABLE ROW LEVEL SECURITY",
  "CREATE TABLE names (id int PRIMARY KEY, of regclass)",
  "CREATE TEMP TABLE passing (a int)",
  "CREATE PUBLICATION theirs; CREATE PUBLICATION lockkeeper_r1",
  "CREATE SUBSCRIPTION lockkeeper_r2 CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)",
];

const expected: Partial<PgDatabase> = {
  name: "shop",
  owner: "kw",
  encoding: "UTF8",
  collate: "C.UTF-8",
  ctype: "C.UTF-8",
  provider: "libc",
  locale: null,
  connectionLimit: -1,
  withoutIdentity: [
    '"Mixed"."Bare"',
    "public.by_index",
    "public.comparable",
    "public.json_by_index",
    "public.late_key",
    "public.leaf",
    "public.lost_index",
    "public.nothing",
    "public.nullable_index",
    "public.partial_index",
    "public.with_json",
    "public.with_spot",
  ],
  identityByIndex: [
    "public.by_index using chosen",
    "public.json_by_index using json_by_index_a_key",
    "public.nothing using nothing_pkey",
  ],
  identityImpossible: ["public.with_json", "public.with_spot"],
  fullIncomparable: ["public.full_bad"],
  unlogged: ["public.quick"],
  foreignTables: ["public.distant"],
  foreignServers: ["far"],
  materializedViews: ["public.seen"],
  largeObjects: 1,
  sequences: 1,
  alwaysTriggers: ["public.keyed always"],
  eventTriggers: ["watcher"],
  rowSecurity: ["public.keyed"],
  publications: ["lockkeeper_r1", "theirs"],
  subscriptions: ["lockkeeper_r2"],
  hypertables: 0,
  regColumns: ["public.names.of"],
  extensionTables: [],
  counts: {},
};

describe.each(majors)("the facts of PostgreSQL %i before a plan", (major) => {
  it("name what is in a database, table by table", { timeout: 60_000 }, async () => {
    const server = await serverOf(major);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      for (const each of [
        "CREATE DATABASE shop",
        "CREATE DATABASE shut ALLOW_CONNECTIONS false",
        "CREATE ROLE lockkeeper_r1",
        "SELECT pg_create_logical_replication_slot('lockkeeper_s1', 'pgoutput')",
        "SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')",
      ])
        await client.query(each);
      await run(server, "shop", ...shop);
      await client.query("BEGIN; CREATE TABLE t (a int); PREPARE TRANSACTION 'half'");
      await client.query("BEGIN; SELECT 1");
      const facts = await factsOf(server);
      const unknown = Object.entries(facts).flatMap(([name, found]) =>
        whyUnknown(found) === undefined ? [] : [name],
      );
      // the package of 10 holds a control file of a newer version, by which the server's whole list fails
      expect(unknown).toEqual(major === 10 ? ["available"] : []);
      const [postgres, read] = told(facts.databases);
      expect(postgres).toMatchObject({ name: "postgres", userTables: 0, withoutIdentity: [] });
      expect(read).toMatchObject(expected);
      expect(read?.sizeBytes).toBeGreaterThan(1_000_000);
      expect(read?.extensions.map(({ name }) => name)).toEqual(["citext", "plpgsql", "postgres_fdw"]);
      expect(told(facts.closedDatabases)).toEqual(["shut"]);
      expect(told(facts.settings)).toMatchObject({ wal_level: "logical", max_connections: "50" });
      if (major > 10) expect(told(facts.available)).toHaveProperty("hstore");
      expect(told(facts.roles)).toEqual(["kw", "lockkeeper_r1"]);
      expect(told(facts.tablespaces)).toEqual([]);
      expect(told(facts.preparedTransactions)).toEqual(["half in postgres"]);
      expect(told(facts.oldestTransactionS)).toBeLessThan(60);
      expect(told(facts.standbys)).toBe(0);
      expect(told(facts.walSenders)).toBe(0);
      expect(told(facts.backgroundWorkers)).toBe(1);
      expect(told(facts.locales)).toContain("C");
      expect(told(facts.highAvailability)).toEqual([]);
      expect(told(facts.toolsMajor)).toBe(18);
      expect(told(facts.checksums)).toBe(major === 18);
      expect(told(facts.leftOvers)).toEqual([
        "role lockkeeper_r1",
        "slot lockkeeper_s1",
        "subscription lockkeeper_r2 in shop",
        "publication lockkeeper_r1 in shop",
      ]);
    } finally {
      await client.end();
    }
  });
});

describe("the facts before a plan", () => {
  it("cut a long list and say how long it is", async () => {
    const server = await serverOf(17);
    await run(
      server,
      "postgres",
      ...Array.from({ length: 60 }, (_, at) => `CREATE TABLE t${at + 100} (a int)`),
    );
    const [database] = told((await factsOf(server)).databases);
    expect(database?.withoutIdentity).toHaveLength(50);
    expect(database?.withoutIdentity[49]).toBe("public.t149");
    expect(database?.counts).toEqual({ withoutIdentity: 60 });
  });

  it("are unknown where one database cannot be read, and the server's own stand", async () => {
    const server = await serverOf(17);
    await run(server, "postgres", "CREATE DATABASE full_house");
    await run(server, "postgres", "ALTER DATABASE full_house SET session_preload_libraries = 'is_not_there'");
    const facts = await factsOf(server);
    expect(whyUnknown(facts.databases)).toMatchObject({
      code: "postgresql.not-reached",
      facts: { database: "full_house" },
    });
    expect(whyUnknown(facts.leftOvers)).toBeDefined();
    expect(told(facts.tablespaces)).toEqual([]);
  });

  it("are all unknown, each with the reason, where nothing listens", async () => {
    const server = await serverOf(17);
    const facts = await factsOf(server, hostOf(), 1);
    const { toolsMajor, ...ofServer } = facts;
    expect(told(toolsMajor)).toBe(18);
    for (const found of Object.values(ofServer))
      expect(whyUnknown(found)).toMatchObject({ code: "postgresql.not-reached" });
  });

  it("tell who manages the server by processes, roles and settings", async () => {
    const server = await serverOf(17, { cluster_name: "batman", hot_standby: "on" });
    await run(server, "postgres", "CREATE ROLE pgautofailover_monitor", "CREATE DATABASE repmgr");
    const facts = await factsOf(server, hostOf("init\n keepalived\npatroni \n"));
    expect(told(facts.highAvailability)).toEqual([
      { kind: "patroni", by: "process patroni" },
      { kind: "keepalived", by: "process keepalived" },
      { kind: "patroni", by: "cluster_name and hot_standby on the command line" },
      { kind: "pg_auto_failover", by: "role pgautofailover_monitor" },
      { kind: "repmgr", by: "database repmgr" },
    ]);
  });

  it("do not call a server unmanaged whose host cannot be looked at", async () => {
    const facts = await factsOf(await serverOf(17), hostOf(""));
    expect(whyUnknown(facts.highAvailability)).toMatchObject({ code: "postgresql.processes-not-seen" });
  });
});
