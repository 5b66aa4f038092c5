/** Whether somebody has put something into a server, by its files and by its own word: what real ones leave there. */
import { chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { saidUsed } from "#agent/engines/postgresql/made/said-used.ts";
import { usedIn } from "#agent/engines/postgresql/made/used.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

it.each([
  ["CREATE TABLE t (id int)", /tables in/],
  ["CREATE DATABASE shop", /database in/],
  ["SELECT lo_from_bytea(0, 'bytes of somebody')", /large objects in/],
] as const)("is seen on PostgreSQL 10 and 18: %s", async (statement, says) => {
  for (const major of [10, 18] as const) {
    const server = await serverOf(major);
    expect(await usedIn(hostOf(), server.data)).toEqual([]);
    await run(server, "postgres", statement);
    expect(await usedIn(hostOf(), server.data)).toEqual([expect.stringMatching(says)]);
  }
});

/** What leaves no file of its own: made, what is said of it, and taken back. */
const withoutFile = [
  ["CREATE VIEW v AS SELECT 1", "views or other relations (1) in postgres", "DROP VIEW v"],
  [
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "functions (1) in postgres",
    "DROP FUNCTION f()",
  ],
  ["CREATE ROLE shop", "roles (1)", "DROP ROLE shop"],
  ["CREATE SCHEMA sales", "schemas (1) in postgres", "DROP SCHEMA sales"],
  ["CREATE DOMAIN age AS int", "pg_type (", "DROP DOMAIN age"],
  ["SELECT lo_create(7)", "pg_largeobject_metadata (1) in postgres", "SELECT lo_unlink(7)"],
  ["GRANT pg_signal_backend TO kw", "memberships (1)", "REVOKE pg_signal_backend FROM kw"],
  [
    "ALTER DATABASE postgres SET work_mem = '7MB'",
    "settings of roles",
    "ALTER DATABASE postgres RESET work_mem",
  ],
  ["COMMENT ON DATABASE postgres IS 'ours'", "comments (1)", "COMMENT ON DATABASE postgres IS NULL"],
  [
    "COMMENT ON SCHEMA public IS 'ours'",
    "comments or rights on",
    "COMMENT ON SCHEMA public IS 'standard public schema'",
  ],
  ["GRANT SELECT ON pg_authid TO PUBLIC", "comments or rights on", "REVOKE SELECT ON pg_authid FROM PUBLIC"],
  [
    "SELECT pg_create_physical_replication_slot('standby')",
    "slots (1)",
    "SELECT pg_drop_replication_slot('standby')",
  ],
  [
    "SELECT pg_replication_origin_create('o')",
    "replication origins (1)",
    "SELECT pg_replication_origin_drop('o')",
  ],
] as const;

it.each([10, 14, 18] as const)(
  "is said by PostgreSQL %i of all that has no file, also in template1, and no longer when it is gone",
  async (major) => {
    const server = await serverOf(major);
    const means = {
      settings: postgresqlSettings.parse({ host: "127.0.0.1", port: server.port, user: "kw", tools: "/t" }),
    };
    const host = hostOf();
    const signal = AbortSignal.timeout(60_000);
    const said = (tablespaces = {}) => saidUsed({ host, signal }, means, { data: server.data, tablespaces });
    expect(await said()).toEqual([]);
    for (const [statement, says, back] of withoutFile) {
      await run(server, "postgres", statement);
      expect(await usedIn(host, server.data), statement).toEqual([]);
      expect((await said()).join("; "), statement).toContain(says);
      await run(server, "postgres", back);
      expect(await said(), back).toEqual([]);
    }
    await run(server, "template1", "CREATE VIEW v AS SELECT 1");
    expect((await said()).join("; ")).toContain("views or other relations (1) in template1");
    await run(server, "template1", "DROP VIEW v");
    mkdirSync(join(server.folder, "fast"));
    chownSync(join(server.folder, "fast"), statSync(server.data).uid, statSync(server.data).gid);
    await run(server, "postgres", `CREATE TABLESPACE fast LOCATION '${join(server.folder, "fast")}'`);
    expect(await said({ fast: "/srv/fast" })).toEqual([]);
    expect(await said()).toEqual(["pg_tablespace (1)"]);
  },
);

it("is not said for another server, which answers in its place", async () => {
  const server = await serverOf(18);
  const means = {
    settings: postgresqlSettings.parse({ host: "127.0.0.1", port: server.port, user: "kw", tools: "/t" }),
  };
  const asked = saidUsed({ host: hostOf(), signal: AbortSignal.timeout(30_000) }, means, {
    data: "/srv/other",
    tablespaces: {},
  });
  await expect(asked).rejects.toThrow("postgresql.another-folder");
});
