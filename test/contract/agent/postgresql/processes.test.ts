/** Who may still write behind a fence, by the rows in which servers of each version tell of their processes. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAtWork, isBackgroundWorker, isWriting } from "#agent/engines/postgresql/processes.ts";
import { serverOf, stopAll } from "./asked-server.ts";

let client: pg.Client;
beforeAll(async () => {
  client = new pg.Client({ connectionString: (await serverOf(18)).urlOf("postgres") });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await stopAll();
});

type Shape = readonly [backend: string, isInTransaction: boolean, hasNumber: boolean];

async function is(condition: string, [backend, isInTransaction, hasNumber]: Shape): Promise<boolean> {
  const { rows } = await client.query(
    `WITH pg_stat_activity AS (
       SELECT 4711 AS pid, $1::text AS backend_type, CASE WHEN $2 THEN now() END AS xact_start,
              CASE WHEN $3 THEN '7'::xid END AS backend_xid)
     SELECT FROM pg_stat_activity WHERE ${condition}`,
    [backend, isInTransaction, hasNumber],
  );
  return rows.length === 1;
}

describe("a worker of an extension", () => {
  // as 10 calls them all; as pg_cron and TimescaleDB name theirs from 11 on
  it.each(["background worker", "pg_cron", "pg_cron launcher", "TimescaleDB Background Worker Scheduler"])(
    "is at work in its transaction before it has written: %s",
    async (backend) => {
      expect(await is(isAtWork, [backend, true, false])).toBe(true);
      expect(await is(isAtWork, [backend, true, true])).toBe(true);
      expect(await is(isWriting, [backend, true, true])).toBe(true);
      expect(await is(isAtWork, [backend, false, false])).toBe(false);
      expect(await is(isBackgroundWorker, [backend, false, false])).toBe(true);
    },
  );
});

describe("the server itself and what is replicated", () => {
  it.each([
    "walsender",
    "autovacuum launcher",
    "autovacuum worker",
    "checkpointer",
    "background writer",
    "walwriter",
    "startup",
    "archiver",
    "io worker",
    "slotsync worker",
    "parallel worker",
    "logical replication launcher",
    "logical replication apply worker",
    "logical replication tablesync worker",
    "pglogical apply 16384:4242",
  ])("are none of those who write: %s", async (backend) => {
    expect(await is(isAtWork, [backend, true, false])).toBe(false);
    expect(await is(isAtWork, [backend, true, true])).toBe(false);
  });

  it("nor does what vacuum and appliers write count, as that of every other does", async () => {
    for (const backend of ["autovacuum worker", "logical replication worker", "pglogical apply 1:2"])
      expect([backend, await is(isWriting, [backend, true, true])]).toEqual([backend, false]);
    for (const backend of ["client backend", "walsender", "parallel worker"])
      expect([backend, await is(isWriting, [backend, true, true])]).toEqual([backend, true]);
  });
});
