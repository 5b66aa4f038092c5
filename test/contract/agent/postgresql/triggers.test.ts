/** Triggers that fire during replication, on real servers: quiet while the server follows, and afterwards to the letter as before. */
import { readdirSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { triggerVerbs } from "#agent/engines/postgresql/triggers.ts";
import type { StepContext } from "#agent/verb.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const database = "postgres";
const modes = { always: "ALWAYS", replica: "REPLICA", "In Caps": "ALWAYS" } as const;

async function watched(server: PostgresServer): Promise<void> {
  await run(
    server,
    database,
    "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE lines (id int REFERENCES orders)",
    ...["usual", "asleep", ...Object.keys(modes)].map(
      (name) => `CREATE TRIGGER "${name}" AFTER INSERT ON orders FOR EACH ROW EXECUTE PROCEDURE tell()`,
    ),
    ...Object.entries(modes).map(([name, mode]) => `ALTER TABLE orders ENABLE ${mode} TRIGGER "${name}"`),
    "ALTER TABLE orders DISABLE TRIGGER asleep",
  );
}

async function states(server: PostgresServer): Promise<string> {
  const client = new pg.Client({ connectionString: server.urlOf(database) });
  await client.connect();
  try {
    const found = await client.query(
      "SELECT tgname || '=' || tgenabled::text AS name FROM pg_trigger WHERE tgconstraint = 0 ORDER BY tgrelid, 1",
    );
    return found.rows.map(({ name }) => name).join(" ");
  } finally {
    await client.end();
  }
}

function deskOf({ port }: PostgresServer) {
  const means = {
    settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" }),
  };
  const context = {
    host: hostOf(),
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
  } as unknown as StepContext;
  const named = (name: string) => {
    const verb = triggerVerbs(means).find((each) => each.name === `postgresql.${name}`);
    if (verb === undefined) throw new Error(`no verb ${name}`);
    return { verb, args: verb.args.parse({ databases: JSON.stringify([database]) }) };
  };
  return {
    does: (name: string) => {
      const { verb, args } = named(name);
      return verb.run(context, args);
    },
    isDone: async (name: string) => {
      const { verb, args } = named(name);
      return (await verb.probe?.(context, args))?.state;
    },
    notes: () => readdirSync(path.join(context.host.stateDir, "moving", "lockkeeper-r1")),
  };
}

describe.each([10, 18] as const)("on PostgreSQL %i", (major) => {
  it("are disabled, also by a second try after half of them, and come back as they were", async () => {
    const server = await serverOf(major);
    await watched(server);
    const before = await states(server);
    const { does, isDone, notes } = deskOf(server);
    expect(await isDone("quiet-triggers")).toBe("not-done");
    expect(await does("quiet-triggers")).toMatchObject({ result: "done", outputs: { triggers: "3" } });
    expect(await states(server)).toBe("In Caps=D always=D asleep=D replica=D usual=O");
    // a first try was killed between its note and its last statement
    await run(server, database, "ALTER TABLE orders ENABLE REPLICA TRIGGER replica");
    expect(await isDone("quiet-triggers")).toBe("not-done");
    expect(await does("quiet-triggers")).toMatchObject({ result: "done" });
    expect(await isDone("quiet-triggers")).toBe("done");
    expect(await isDone("wake-triggers")).toBe("not-done");
    expect(await does("wake-triggers")).toMatchObject({ result: "done" });
    expect(await states(server)).toBe(before);
    expect(await isDone("wake-triggers")).toBe("done");
    expect(notes()).toEqual([]);
    // the undo of the waking, where the server is not opened after all, and the next try
    expect(await does("quiet-triggers")).toMatchObject({ result: "done", outputs: { triggers: "3" } });
    expect(await states(server)).toBe("In Caps=D always=D asleep=D replica=D usual=O");
    expect(await isDone("wake-triggers")).toBe("not-done");
    expect(await does("wake-triggers")).toMatchObject({ result: "done" });
    expect(await states(server)).toBe(before);
  });
});

it.each([14, 18] as const)(
  "on PostgreSQL %i a partition's is as it was, and not as its parent's",
  async (major) => {
    const server = await serverOf(major);
    await run(
      server,
      database,
      "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
      "CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id)",
      ...[1, 2, 3].map(
        (n) => `CREATE TABLE part${n} PARTITION OF whole FOR VALUES FROM (${n}) TO (${n + 1})`,
      ),
      "CREATE TABLE other (id int REFERENCES whole)",
      "CREATE TRIGGER note AFTER INSERT ON whole FOR EACH ROW EXECUTE PROCEDURE tell()",
      "ALTER TABLE whole ENABLE ALWAYS TRIGGER note",
      "ALTER TABLE part2 DISABLE TRIGGER note",
      "ALTER TABLE part3 ENABLE REPLICA TRIGGER note",
    );
    const before = "note=A note=A note=D note=R";
    expect(await states(server)).toBe(before);
    const { does } = deskOf(server);
    expect(await does("quiet-triggers")).toMatchObject({ result: "done", outputs: { triggers: "3" } });
    expect(await states(server)).toBe("note=D note=D note=D note=D");
    expect(await does("wake-triggers")).toMatchObject({ result: "done" });
    expect(await states(server)).toBe(before);
  },
);

it("of a table that went meanwhile, and one that went itself, hold up no other one", async () => {
  const server = await serverOf(18);
  await watched(server);
  await run(
    server,
    database,
    "CREATE TABLE rotated (id int)",
    "CREATE TRIGGER note AFTER INSERT ON rotated FOR EACH ROW EXECUTE PROCEDURE tell()",
    "ALTER TABLE rotated ENABLE ALWAYS TRIGGER note",
  );
  const { does, isDone, notes } = deskOf(server);
  expect(await does("quiet-triggers")).toMatchObject({ result: "done", outputs: { triggers: "4" } });
  await run(server, database, "DROP TABLE rotated", "DROP TRIGGER always ON orders");
  expect(await does("wake-triggers")).toMatchObject({ result: "done" });
  expect(await states(server)).toBe("In Caps=A asleep=D replica=R usual=O");
  expect(await isDone("wake-triggers")).toBe("done");
  expect(notes()).toEqual([]);
});
