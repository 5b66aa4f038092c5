/** What the agent says of a real server of each major before a plan: every list, and what must not be in one. */
import { chmodSync, cpSync, lchownSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it, vi } from "vitest";
import { whyUnknown } from "#proto/common/measured.ts";
import { majors, whyLeft } from "#test/postgres/binaries.ts";
import { factsOf, hostOf, run, serverOf, stopAll, told } from "./asked-server.ts";
import { shop, shopFacts } from "./shop.ts";

afterEach(stopAll);

const noArchive = { isOn: false, archivedAgoS: null, isFailing: false, failedFile: null };

/** As the test's server is made; the checksums are left to its version. */
const born = {
  owner: "kw",
  encoding: "UTF8",
  collate: "C.UTF-8",
  ctype: "C.UTF-8",
  provider: "libc",
  locale: null,
  walSegmentBytes: 16_777_216,
  isGroupReadable: false,
};

/** A copied folder is of its copier; the server wants it as the one that it replaces was. */
function ownAs(example: string, folder: string): void {
  const { uid, gid } = statSync(example);
  for (const name of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })])
    lchownSync(path.join(folder, name), uid, gid);
  chmodSync(folder, 0o700);
}

describe.each(majors)("the facts of PostgreSQL %i before a plan", (major) => {
  it("name what is in a database, table by table", { timeout: 60_000 }, async (context) => {
    const left = whyLeft(major);
    if (left !== undefined) context.skip(left);
    const server = await serverOf(major);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      for (const each of [
        "CREATE TEMP TABLE passing (a int)",
        "CREATE DATABASE shop",
        "CREATE DATABASE shut ALLOW_CONNECTIONS false",
        "CREATE DATABASE half_dropped",
        "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'",
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
      const [postgres, read, ...others] = told(facts.databases);
      expect(others).toEqual([]);
      expect(postgres).toMatchObject({
        name: "postgres",
        userTables: 0,
        withoutIdentity: [],
        subscriptions: [],
      });
      expect(read).toMatchObject(shopFacts);
      expect(read?.sizeBytes).toBeGreaterThan(1_000_000);
      expect(read?.extensions.map(({ name }) => name)).toEqual(["citext", "plpgsql", "postgres_fdw"]);
      expect(told(facts.closedDatabases)).toEqual(["half_dropped", "shut"]);
      expect(told(facts.settings)).toMatchObject({ wal_level: "logical", max_connections: "50" });
      if (major > 10) expect(told(facts.available)).toHaveProperty("hstore");
      expect(told(facts.roles)).toEqual(["kw", "lockkeeper_r1"]);
      expect(told(facts.tablespaces)).toEqual([]);
      expect(told(facts.preparedTransactions)).toEqual(["half in postgres"]);
      expect(told(facts.oldestTransactionS)).toBeLessThan(60);
      expect(told(facts.standbys)).toBe(0);
      expect(told(facts.readiness)).toEqual({ receivers: [], archiver: noArchive, maxConnections: 50 });
      expect(told(facts.walSenders)).toBe(0);
      expect(told(facts.backgroundWorkers)).toBe(1);
      expect(told(facts.locales)).toContain("C");
      expect(told(facts.highAvailability)).toEqual([]);
      expect(told(facts.toolsMajor)).toBe(18);
      expect(told(facts.checksums)).toBe(major === 18);
      expect(facts.birth).toMatchObject({ value: { ...born, hasChecksums: major === 18 } });
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

describe.each([10, 17] as const)("the facts of a standby of PostgreSQL %i", (major) => {
  it("are those of its primary, which counts it", { timeout: 60_000 }, async () => {
    const primary = await serverOf(major, { max_wal_senders: "4", hot_standby: "on" });
    await run(primary, "postgres", "CREATE DATABASE shop");
    await run(primary, "shop", ...shop);
    const standby = await serverOf(major, { max_wal_senders: "4", hot_standby: "on" });
    await standby.kill();
    await primary.kill();
    rmSync(standby.data, { recursive: true });
    cpSync(primary.data, standby.data, { recursive: true });
    rmSync(path.join(standby.data, "postmaster.pid"), { force: true });
    const line = `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=kw'\n`;
    const [file, text] =
      major === 10 ? ["recovery.conf", `standby_mode = on\n${line}`] : ["postgresql.auto.conf", line];
    writeFileSync(path.join(standby.data, file), text);
    if (major > 10) writeFileSync(path.join(standby.data, "standby.signal"), "");
    ownAs(standby.folder, standby.data);
    await primary.start();
    await standby.start();
    await vi.waitFor(async () => expect(told((await factsOf(primary)).standbys)).toBe(1), {
      timeout: 20_000,
      interval: 500,
    });
    const seen = async () => told((await factsOf(primary)).readiness).receivers;
    const near = { name: "walreceiver", state: "streaming", isReplaying: true, lagBytes: 0 };
    await vi.waitFor(async () => expect(await seen()).toEqual([near]), { timeout: 20_000, interval: 500 });
    // whoever does not see it may not say that there is none
    await run(primary, "postgres", "CREATE ROLE plain LOGIN");
    expect(whyUnknown((await factsOf(primary, hostOf(), { user: "plain" })).readiness)).toMatchObject({
      code: "postgresql.standbys-not-shown",
    });
    const facts = await factsOf(standby);
    expect(told(facts.readiness).receivers).toEqual([]);
    expect(told(facts.server).isStandby).toBe(true);
    expect(told(facts.databases)[1]).toMatchObject(shopFacts);
    expect(told(facts.standbys)).toBe(0);
    expect(told((await factsOf(primary)).walSenders)).toBe(1);
  });
});

describe("the facts before a plan", () => {
  it("cut a long list and say how long it is", async () => {
    const server = await serverOf(17);
    await run(
      server,
      "postgres",
      ...Array.from({ length: 60 }, (_, at) => `CREATE TABLE t${at + 100} (a int NOT NULL UNIQUE)`),
    );
    const [database] = told((await factsOf(server)).databases);
    expect(database?.withoutIdentity).toHaveLength(50);
    expect(database?.withoutIdentity[49]).toBe("public.t149");
    expect(database?.identityByIndex).toHaveLength(50);
    expect(database?.counts).toEqual({ withoutIdentity: 60, identityByIndex: 60 });
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
    const facts = await factsOf(server, hostOf(), { port: 1 });
    // what its file and its host say, the agent knows without the server
    const { toolsMajor, patroni, restart, oldServer, backup, ...ofServer } = facts;
    const ofItsFile = [patroni, restart, oldServer, backup].map((each) => told<unknown>(each));
    expect(ofItsFile).toEqual([null, null, null, null]);
    expect(told(toolsMajor)).toBe(18);
    for (const found of Object.values(ofServer))
      expect(whyUnknown(found)).toMatchObject({ code: "postgresql.no-server" });
  });

  it("tell a subscriber from a standby, and ours from others", async () => {
    const server = await serverOf(17, { max_wal_senders: "6" });
    await run(server, "postgres", "CREATE PUBLICATION everything FOR ALL TABLES", "CREATE DATABASE far");
    for (const name of ["theirs", "lockkeeper_r1"]) {
      await run(server, "postgres", `SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
      const from = `host=127.0.0.1 port=${server.port} user=kw dbname=postgres`;
      const how = "create_slot = false, copy_data = false";
      await run(
        server,
        "far",
        `CREATE SUBSCRIPTION ${name} CONNECTION '${from}' PUBLICATION everything WITH (${how})`,
      );
    }
    const seen = async () => told((await factsOf(server)).slots).filter(({ isActive }) => isActive);
    await vi.waitFor(async () => expect(await seen()).toHaveLength(2), { timeout: 20_000, interval: 300 });
    const facts = await factsOf(server);
    expect(told(facts.walSenders)).toBe(1);
    expect(told(facts.standbys)).toBe(0);
    expect(told(facts.readiness).receivers).toEqual([]);
    expect(told(facts.backgroundWorkers)).toBe(1);
    expect(told(facts.leftOvers)).toEqual(["slot lockkeeper_r1", "subscription lockkeeper_r1 in far"]);
  });

  it("tell who manages the server by processes, roles and settings", async () => {
    const server = await serverOf(17, { cluster_name: "batman", hot_standby: "on" });
    await run(server, "postgres", "CREATE ROLE pgautofailover_monitor", "CREATE DATABASE repmgr");
    const facts = await factsOf(
      server,
      hostOf("- init\n         - keepalived\n         - patroni \n4026530000 pgpool\n"),
    );
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

describe.each([10, 18] as const)("the archive of PostgreSQL %i", (major) => {
  it("is told as failing, and as working once its command does", { timeout: 60_000 }, async () => {
    const server = await serverOf(major, { archive_mode: "on", archive_command: "test -e ../place" });
    const archiver = async () => told((await factsOf(server)).readiness).archiver;
    const soon = { timeout: 30_000, interval: 500 };
    expect(await archiver()).toEqual({ ...noArchive, isOn: true });
    await run(server, "postgres", "CREATE TABLE t AS SELECT 1", "SELECT pg_switch_wal()");
    await vi.waitFor(async () => expect(await archiver()).toMatchObject({ isFailing: true }), soon);
    expect(await archiver()).toMatchObject({ archivedAgoS: null, failedFile: expect.stringMatching(/^0/) });
    writeFileSync(path.join(server.folder, "place"), "");
    const works = { isFailing: false, archivedAgoS: expect.any(Number) };
    await vi.waitFor(async () => expect(await archiver()).toMatchObject(works), soon);
    expect((await archiver()).archivedAgoS).toBeLessThan(30);
  });
});

describe.each([10, 15, 18] as const)("an account of PostgreSQL %i that is no superuser", (major) => {
  it("is said to be none: it is not taken for a server that cannot be reached", async () => {
    const server = await serverOf(major);
    await run(server, "postgres", "CREATE ROLE plain LOGIN");
    const facts = await factsOf(server, hostOf(), { user: "plain" });
    expect(told(facts.server)).toMatchObject({ isSuperuser: false, isStandby: false });
    // it may not read large objects: what else is there is known all the same
    expect(told(facts.databases)[0]).toMatchObject({ name: "postgres", largeObjects: 0 });
    expect(told(facts.databases)[0]).not.toHaveProperty("largeObjectBytes");
  });
});
