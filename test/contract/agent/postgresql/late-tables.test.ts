/** What comes late on a server that another one follows, on real servers: made there by the verbs that a move has for it. */
import { copyFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { afterEach, expect, it } from "vitest";
import { postgresqlKind } from "#agent/engines/postgresql/index.ts";
import { publicationName, subscriptionName } from "#agent/engines/postgresql/names.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, StepResult } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import { hostOf, rowsOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const database = "postgres";
const publication = publicationName("r1", "forward");
const subscription = subscriptionName("r1", "forward", database);
const ofIt = { databases: JSON.stringify([database]) };

/** Both with an agent; what one of them sends the other one finds. */
async function pair(...both: readonly string[]) {
  const [old, young] = [await serverOf(15), await serverOf(17)];
  const tools = await postgresTools();
  const sent = new Map<string, string>();
  const agentOf = ({ port }: PostgresServer) => {
    const host = hostOf();
    const context = {
      host,
      signal: AbortSignal.timeout(60_000),
      deadlineMs: 60_000,
      rollout: "r1",
      tool: async ({ argv: [program, ...words], env }: { argv: [string, ...string[]]; env: object }) => {
        const ran = await execa(program, words, { env: { ...env }, reject: false });
        return { exitCode: ran.exitCode ?? 1, tail: `${ran.stdout}${ran.stderr}` };
      },
      progress: () => undefined,
      parcels: {
        send: async (name: string, file: string) => {
          const kept = path.join(host.stateDir, `${name}-${sent.size}`);
          copyFileSync(file, kept);
          sent.set(name, kept);
          return succeed(kept);
        },
        find: async (name: string) => {
          const digest = sent.get(name);
          return succeed(digest === undefined ? undefined : { digest });
        },
        fetch: async (digest: string) => succeed(digest),
      },
    } as unknown as StepContext;
    const { verbs } = postgresqlKind.create(
      postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools }),
    );
    const named = (name: string) => {
      const verb = verbs.find((each) => each.name === `postgresql.${name}`);
      if (verb === undefined) throw new Error(`no verb ${name}`);
      return verb;
    };
    return {
      does: async (name: string, args: object = ofIt) =>
        (await named(name).run(context, named(name).args.parse(args))) as StepResult,
      isDone: async (name: string, args: object = ofIt) =>
        (await named(name).probe?.(context, named(name).args.parse(args)))?.state,
    };
  };
  for (const server of [old, young]) await run(server, database, ...both);
  return { old, young, atOld: agentOf(old), atYoung: agentOf(young) };
}

async function follow(old: PostgresServer, young: PostgresServer, name = database): Promise<void> {
  await run(old, name, `CREATE PUBLICATION ${publication} FOR ALL TABLES`);
  await run(
    young,
    name,
    `CREATE SUBSCRIPTION ${subscriptionName("r1", "forward", name)} CONNECTION '${old.urlOf(name)}' PUBLICATION ${publication}`,
  );
}

async function until(server: PostgresServer, query: string): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    if ((await rowsOf(server, query)).length > 0) return;
    await systemClock.sleep(100);
  }
  throw new Error(`in vain: ${query}`);
}

type Pair = Awaited<ReturnType<typeof pair>>;

async function mended({ atOld, atYoung }: Pair, args: object = ofIt): Promise<void> {
  expect(await atYoung.does("tell-tables", args)).toMatchObject({ result: "done" });
  expect(await atOld.does("give-identities", args)).toMatchObject({ result: "done" });
  expect(await atOld.does("describe-tables", args)).toMatchObject({ result: "done" });
  expect(await atYoung.does("mend-tables", args)).toMatchObject({ result: "done" });
}

it("rows that were written before a column came have in it what they have on the old server", async () => {
  const both = await pair("CREATE TABLE orders (id int PRIMARY KEY)");
  const { old, young, atOld, atYoung } = both;
  await run(old, database, "INSERT INTO orders VALUES (1)");
  await follow(old, young);
  await until(young, "SELECT FROM orders");
  await run(young, database, `ALTER SUBSCRIPTION ${subscription} DISABLE`);
  await run(
    old,
    database,
    "INSERT INTO orders VALUES (2)",
    "ALTER TABLE orders ADD COLUMN state int NOT NULL DEFAULT 0, ADD COLUMN note text DEFAULT 'was'",
    "ALTER TABLE orders ALTER COLUMN state DROP DEFAULT, ALTER COLUMN note SET DEFAULT 'is'",
    // let in for a moment, and seen on the way
    "ALTER TABLE orders ALTER COLUMN state DROP NOT NULL",
    "INSERT INTO orders VALUES (3, NULL)",
    "UPDATE orders SET state = 5 WHERE id = 3",
    "ALTER TABLE orders ALTER COLUMN state SET NOT NULL",
  );
  await mended(both);
  await run(young, database, `ALTER SUBSCRIPTION ${subscription} ENABLE`);
  await until(young, "SELECT FROM orders WHERE state = 5");
  expect(await atYoung.isDone("settle-columns")).toBe("not-done");
  expect(await atOld.does("drain-late")).toMatchObject({
    result: "done",
    outputs: { drainedMs: expect.any(String) },
  });
  expect(await atYoung.does("settle-columns")).toMatchObject({ result: "done", outputs: { columns: "2" } });
  expect(await atYoung.isDone("settle-columns")).toBe("done");
  const rows = "SELECT * FROM orders ORDER BY id";
  expect(await rowsOf(young, rows)).toEqual(await rowsOf(old, rows));
  const columns = `SELECT attname, attnotnull, pg_get_expr(adbin, adrelid) AS given FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'orders'::regclass AND attnum > 0 ORDER BY 1`;
  expect(await rowsOf(young, columns)).toEqual(await rowsOf(old, columns));
}, 60_000);

it("a late table's triggers are quiet before its rows come, also where a first try ended in between", async () => {
  const made = [
    "CREATE TABLE late (id int PRIMARY KEY)",
    "CREATE TRIGGER note AFTER INSERT ON late FOR EACH ROW EXECUTE PROCEDURE tell()",
    "ALTER TABLE late ENABLE ALWAYS TRIGGER note",
  ];
  const both = await pair(
    "CREATE TABLE noted (id int PRIMARY KEY)",
    "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.noted VALUES (NEW.id); RETURN NEW; END'",
  );
  const { old, young, atYoung } = both;
  await follow(old, young);
  await run(old, database, ...made);
  await run(young, database, ...made);
  await run(old, database, "ALTER TABLE late DISABLE TRIGGER note", "INSERT INTO late VALUES (7)");
  await mended(both);
  await until(young, "SELECT FROM late");
  expect(await rowsOf(young, "SELECT * FROM noted")).toEqual([]);
  await run(young, database, "ALTER TABLE late ENABLE REPLICA TRIGGER note");
  expect(await atYoung.isDone("mend-tables")).toBe("not-done");
}, 60_000);

it("a late table that has rows on the new server already is named, and nothing is copied into it", async () => {
  const both = await pair("CREATE TABLE orders (id int PRIMARY KEY)");
  const { old, young, atOld, atYoung } = both;
  await follow(old, young);
  for (const server of [old, young]) await run(server, database, "CREATE TABLE late (id int PRIMARY KEY)");
  await run(young, database, "INSERT INTO late VALUES (1)");
  await run(old, database, "INSERT INTO late VALUES (1), (2)");
  expect(await atYoung.does("tell-tables")).toMatchObject({ result: "done" });
  expect(await atOld.does("describe-tables")).toMatchObject({ result: "done" });
  expect(await atYoung.does("mend-tables")).toMatchObject({
    failure: {
      code: "postgresql.changed-by-hand",
      facts: { found: expect.stringContaining("public.late has rows already") },
    },
  });
  expect(await rowsOf(young, "SELECT FROM pg_subscription_rel WHERE srrelid = 'late'::regclass")).toEqual([]);
  await run(young, database, "TRUNCATE late");
  await mended(both);
  await until(young, "SELECT FROM late WHERE id = 2");
}, 60_000);

it("a view that was put in a table's place since it was listed is not read", async () => {
  const both = await pair("CREATE TABLE swapped (id int PRIMARY KEY)", "CREATE TABLE ran (id int)");
  const { old, atOld, atYoung } = both;
  await run(
    old,
    database,
    "CREATE FUNCTION trap() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ran VALUES (1); RETURN 1; END'",
    "ALTER TABLE swapped ADD COLUMN a int",
    "VACUUM FULL swapped",
  );
  expect(await atYoung.does("tell-tables")).toMatchObject({ result: "done" });
  const swap = run(
    old,
    database,
    "BEGIN",
    "ALTER TABLE swapped RENAME TO kept; CREATE VIEW swapped AS SELECT trap() AS a",
    "SELECT pg_sleep(1.5)",
    "COMMIT",
  );
  await systemClock.sleep(300);
  const described = await atOld.does("describe-tables");
  await swap;
  expect(JSON.stringify(described)).toContain("non-system view");
  expect(await rowsOf(old, "SELECT * FROM ran")).toEqual([]);
}, 60_000);

it("what comes while rows are copied is made at once, and its indexes with all others when they are made", async () => {
  const both = await pair();
  const { old, young, atOld, atYoung } = both;
  const shop = { databases: '["shop"]' };
  await run(old, database, "CREATE DATABASE shop");
  await run(
    old,
    "shop",
    "CREATE TABLE parted (id int PRIMARY KEY, note text) PARTITION BY LIST (id)",
    "CREATE INDEX parted_note ON parted (note)",
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
    "CREATE TABLE orders (id int PRIMARY KEY, no int NOT NULL)",
    "CREATE UNIQUE INDEX orders_no ON orders (no)",
  );
  expect(await atOld.does("export-schema", shop)).toMatchObject({ result: "done" });
  expect(await atYoung.does("load-schema", { database: "shop" })).toMatchObject({ result: "done" });
  await follow(old, young, "shop");
  await run(
    old,
    "shop",
    "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)",
    'CREATE TABLE "Late one" (id int PRIMARY KEY, of int, other int)',
    'CREATE INDEX "Late note" ON "Late one" (of)',
    'CREATE UNIQUE INDEX "Late key" ON "Late one" (of)',
    'ALTER TABLE "Late one" ADD FOREIGN KEY (other) REFERENCES "Late one" (of)',
    "INSERT INTO parted VALUES (2, 'b')",
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey",
  );
  await mended(both, shop);
  // of a try that has made nothing, nothing is made later
  const mood = "CREATE TYPE mood AS ENUM ('well')";
  await run(
    old,
    "shop",
    mood,
    "CREATE TABLE later (id int PRIMARY KEY, of mood)",
    "CREATE INDEX ON later (of)",
  );
  for (const [at, verb] of [
    [atYoung, "tell-tables"],
    [atOld, "describe-tables"],
    [atYoung, "mend-tables"],
  ] as const)
    await at.does(verb, shop);
  await run(young, "shop", mood);
  await mended(both, shop);
  await run(young, "shop", "ALTER TABLE orders DROP CONSTRAINT orders_pkey");
  const finished = await atYoung.does("finish-schema", { database: "shop" });
  expect(finished).toMatchObject({ result: "done" });
  // and now they come with them
  await run(
    old,
    "shop",
    "CREATE TABLE parted_3 PARTITION OF parted FOR VALUES IN (3)",
    "CREATE TABLE last (id int PRIMARY KEY, of int)",
    "CREATE INDEX ON last (of)",
  );
  await mended(both, shop);
  await atOld.does("describe-schema", shop);
  expect(await atYoung.does("compare-schema", shop)).toMatchObject({ result: "done" });
}, 90_000);
