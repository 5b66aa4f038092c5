/** The servers that tests of an upgrade stand on: they start, come back, and are frozen. */
import pg from "pg";
import { expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";

async function ask(server: PostgresServer, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: server.url, connectionTimeoutMillis: 1_000 });
  // a server that ends puts it out
  client.on("error", () => undefined);
  try {
    await client.connect();
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

it.each([10, 18] as const)(
  "PostgreSQL %s starts as it was asked to, comes back, and is frozen",
  async (major) => {
    const settings = { wal_level: "logical" };
    await using server = await startPostgres({ major, superuser: "postgres", settings, fsync: true });
    expect(Math.floor(Number(await ask(server, "show server_version_num")) / 10_000)).toBe(major);
    expect(await ask(server, "select concat(current_user, ' ', current_setting('wal_level'))")).toBe(
      "postgres logical",
    );

    await ask(server, "create table kept as select 1 as row");
    const first = server.pid;
    await server.restart();
    expect(server.pid).not.toBe(first);
    await server.kill();
    await expect(ask(server, "select 1")).rejects.toThrow("ECONNREFUSED");
    await server.start();
    expect(server.log()).toContain("database system was not properly shut down");

    server.pause();
    await expect(ask(server, "select 1")).rejects.toThrow("timeout");
    server.resume();
    expect(await ask(server, "select row from kept")).toBe(1);
  },
);
