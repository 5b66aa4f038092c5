/** Whoever writes past one kind of fence alone, on real servers: none of them writes past ours, or its proof says that it does not stand. */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fenceVerbs } from "#agent/engines/postgresql/fence.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import { whyLeft } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

const clients: pg.Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end().catch(() => undefined);
  await stopAll();
});

async function session(server: PostgresServer, role: string, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.urlOf("shop", role), ...more });
  client.on("error", () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

function fenceOf({ port, superuser }: PostgresServer) {
  const settings = { host: "127.0.0.1", port, user: superuser, tools: "/tools" };
  const verbs = fenceVerbs({ settings: postgresqlSettings.parse(settings) });
  const context = { host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1" };
  return (name: "fence-writes" | "prove-fenced" | "unfence-writes") => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    return verb?.run(context as unknown as StepContext, verb.args.parse({}));
  };
}

/** As superuser, past the fence. */
const byHand = (server: PostgresServer, ...statements: readonly string[]) =>
  run(server, "postgres", "SET default_transaction_read_only = off", ...statements);

async function shopOn(server: PostgresServer): Promise<void> {
  await run(
    server,
    "postgres",
    "CREATE ROLE app LOGIN",
    "CREATE ROLE defiant LOGIN",
    "ALTER ROLE defiant SET default_transaction_read_only = off",
    "CREATE ROLE admin LOGIN SUPERUSER",
    "CREATE ROLE cdc LOGIN REPLICATION",
    "CREATE DATABASE shop",
    "CREATE DATABASE stubborn",
    "ALTER DATABASE stubborn SET default_transaction_read_only = off",
  );
  await run(
    server,
    "shop",
    "CREATE TABLE kept (who text)",
    "CREATE SEQUENCE numbers",
    "GRANT ALL ON kept, numbers TO app, defiant",
  );
}

/** Each has written, or may, when the fence comes: past a weaker one it would write by what it does `after`. */
const writers: readonly {
  what: string;
  role: string;
  before: readonly string[];
  after: readonly string[];
}[] = [
  {
    what: "open transaction",
    role: "app",
    before: ["BEGIN", "INSERT INTO kept SELECT 'open' FROM generate_series(1, 20000)"],
    after: ["COMMIT"],
  },
  {
    what: "BEGIN READ WRITE",
    role: "app",
    before: ["BEGIN READ WRITE"],
    after: ["INSERT INTO kept VALUES ('read write')", "COMMIT"],
  },
  {
    what: "SET off",
    role: "app",
    before: ["SET default_transaction_read_only = off"],
    after: ["INSERT INTO kept VALUES ('set off')"],
  },
  { what: "large object", role: "app", before: ["SELECT 1"], after: ["SELECT lo_create(4711)"] },
  {
    what: "open large object",
    role: "app",
    before: ["BEGIN", "SELECT lo_create(4712)"],
    after: ["COMMIT"],
  },
  { what: "nextval", role: "app", before: ["SELECT 1"], after: ["SELECT nextval('numbers')"] },
  {
    what: "role of its own word",
    role: "defiant",
    before: ["SELECT 1"],
    after: ["INSERT INTO kept VALUES ('defiant')"],
  },
  {
    what: "superuser",
    role: "admin",
    before: ["SET default_transaction_read_only = off"],
    after: ["INSERT INTO kept VALUES ('superuser')"],
  },
];

const written = (server: PostgresServer) =>
  byShop(
    server,
    `SELECT (SELECT string_agg(DISTINCT who, ', ') FROM kept) AS rows,
            (SELECT count(*)::text FROM pg_largeobject_metadata) AS objects,
            (SELECT is_called::text FROM numbers) AS numbers`,
  );

async function byShop(server: PostgresServer, query: string) {
  const client = await session(server, server.superuser);
  const { rows } = await client.query(query);
  await client.end();
  return rows[0];
}

describe.each([10, 12, 15, 18] as const)("the fence of PostgreSQL %i", (major) => {
  beforeEach(({ skip }) => {
    const why = whyLeft(major);
    if (why !== undefined) skip(why);
  });

  it("lets nobody write who was there when it came, and nobody in who comes later", async () => {
    const server = await serverOf(major);
    await shopOn(server);
    const does = fenceOf(server);
    const sessions: { client: pg.Client; what: string; after: readonly string[] }[] = [];
    for (const { what, role, before, after } of writers) {
      const client = await session(server, role);
      for (const statement of before) await client.query(statement);
      sessions.push({ client, what, after });
    }
    expect(await does("fence-writes")).toMatchObject({ result: "done" });
    const past: string[] = [];
    for (const { client, what, after } of sessions)
      await (async () => {
        for (const statement of after) await client.query(statement);
        past.push(what);
      })().catch(() => undefined);
    expect(past).toEqual([]);
    expect(await does("prove-fenced")).toMatchObject({ result: "done" });
    const options = "-c default_transaction_read_only=off";
    for (const [role, database] of [
      ["app", "shop"],
      ["defiant", "shop"],
      ["app", "stubborn"],
      ["app", "postgres"],
    ] as const) {
      const connectionString = server.urlOf(database, role);
      await expect(session(server, role, { connectionString, options })).rejects.toThrow(
        /too many connections/,
      );
    }
    expect(await written(server)).toEqual({ rows: null, objects: "0", numbers: "false" });
    await does("unfence-writes");
    const again = await session(server, "app");
    await again.query("INSERT INTO kept VALUES ('open again')");
  });

  it("is not taken for one that stands while anything is left that may write", async () => {
    const server = await serverOf(major);
    await shopOn(server);
    const does = fenceOf(server);
    const prepared = "PREPARE TRANSACTION 'left'";
    await run(server, "shop", "BEGIN", "INSERT INTO kept VALUES ('prepared')", prepared);
    await does("fence-writes");
    const refused = async (found: RegExp) =>
      expect(await does("prove-fenced")).toMatchObject({
        result: "failed",
        failure: {
          code: "postgresql.fence-not-standing",
          facts: { found: expect.stringMatching(found) },
        },
      });
    await refused(/^prepared: 1$/);
    const shopByHand = await session(server, "admin", { options: "-c default_transaction_read_only=off" });
    await refused(/clients: 1/);
    await shopByHand.query("ROLLBACK PREPARED 'left'");
    await shopByHand.query("BEGIN");
    await shopByHand.query("INSERT INTO kept VALUES ('superuser')");
    await refused(/^clients: 1; writing: 1$/);
    await shopByHand.query("ROLLBACK");
    await shopByHand.end();
    expect(await does("prove-fenced")).toMatchObject({ result: "done" });
    await byHand(server, "ALTER DATABASE shop CONNECTION LIMIT 5");
    await refused(/^open: shop$/);
    await byHand(server, "ALTER DATABASE shop CONNECTION LIMIT 0", "CREATE DATABASE later");
    await refused(/^open: later$/);
    await byHand(
      server,
      "ALTER DATABASE later CONNECTION LIMIT 0",
      "ALTER SYSTEM SET default_transaction_read_only = off",
      "SELECT pg_reload_conf()",
      "SELECT pg_sleep(0.3)",
    );
    await refused(/^read-only is off$/);
  });

  it("lets the other server's connection in again: a superuser's below 13, a plain one's above", async () => {
    const server = await serverOf(major);
    await shopOn(server);
    await fenceOf(server)("fence-writes");
    const sender = (role: string) =>
      session(server, role, { replication: "database" } as unknown as pg.ClientConfig).then(
        () => "in",
        (error: Error) => error.message,
      );
    expect(await sender("admin")).toBe("in");
    expect(await sender("cdc")).toMatch(major < 13 ? /too many connections/ : /^in$/);
  });
});
