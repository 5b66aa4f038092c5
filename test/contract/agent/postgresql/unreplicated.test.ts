/** Large objects and rows of unlogged tables, taken along with a move: as they are on the one side, so on the other. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { Major } from "#test/postgres/binaries.ts";
import { stopAll } from "./asked-server.ts";
import { carried, filledPair, killedAfter, pairOf, removeParcels, type Tool } from "./unreplicated-pair.ts";

afterEach(async () => {
  await stopAll();
  removeParcels();
});

const caseMs = 120_000;

/** By the servers' own words, and none of the product's. */
const seen = `
  SELECT (SELECT string_agg(format('%s %s %s %s %s', m.oid, lomowner::regrole, lomacl, obj_description(m.oid, 'pg_largeobject'),
                   md5(lo_get(m.oid))), '; ' ORDER BY m.oid) FROM pg_largeobject_metadata m) AS objects,
         (SELECT md5(string_agg(format('%s %s %s %s %s', id, float8send(f), b, at, line), ';' ORDER BY id)) FROM "Session, Cache") AS cache,
         (SELECT string_agg(t::text, ';' ORDER BY n) FROM parts t) AS parts`;

type Pair = Awaited<ReturnType<typeof filledPair>>;
const same = async ([there, here]: Pair) => expect(await here.query(seen)).toEqual(await there.query(seen));

/** What psql was given last. */
let script = "";

/** The tool has done a part of its work when it is killed. */
const cutInTheMiddle: Tool = async (request, run) => {
  const [program, ...words] = request.argv;
  const rows = words.find((word) => word.endsWith("rows.sql"));
  if (rows === undefined) return run(request);
  script = readFileSync(rows, "utf8");
  writeFileSync(`${rows}.cut`, script.slice(0, script.lastIndexOf("lo_close") - 20));
  const cut = words.map((word) => (word === rows ? `${rows}.cut` : word));
  return { ...(await run({ ...request, argv: [program, ...cut] })), exitCode: 137 };
};

describe.each<readonly [Major, Major]>([
  [10, 18],
  [18, 10],
])("from %i to %i", (...majors) => {
  it(
    "goes whole, however often, also after a half, with what was changed and removed since",
    async () => {
      // on the way back the tools may be older
      const pair = await filledPair(majors, majors[0] > majors[1]);
      const [there, here] = pair;
      expect((await here.compare().catch(() => undefined))?.result).not.toBe("done");
      expect(await there.write()).toMatchObject({ result: "done", outputs: {} });
      expect(await here.compare()).toMatchObject({
        failure: {
          code: "postgresql.data-differs",
          facts: { found: expect.stringContaining("large object 70001 is not here") },
        },
      });
      expect(await here.probe()).toBe("not-done");
      expect(await here.load(cutInTheMiddle)).toMatchObject({ failure: { code: "postgresql.tool-failed" } });
      // a psql that does not know them would end there; one that does is kept to what is a statement
      const isRestricted = majors[0] < majors[1];
      expect(script.match(/^\\(un)?restrict /gm) ?? []).toHaveLength(isRestricted ? 2 : 0);
      expect(await here.probe()).toBe("not-done");
      expect(await here.load()).toMatchObject({ result: "done" });
      await same(pair);
      expect(await here.probe()).toBe("done");
      expect(await here.load()).toMatchObject({ result: "done" });
      expect(await here.compare()).toEqual({
        result: "done",
        outputs: {
          "told.large objects of postgres": "5 went along; equal by content, owner, rights and comment",
          "told.unlogged tables of postgres": "3 went along with 150 rows; equal by content",
        },
      });
      await same(pair);
      expect(await here.query("SELECT count(*) FROM replicated")).toEqual([{ count: "0" }]);
      await there.run(
        "SELECT lo_unlink(70001), lo_put(70002, 5, 'other'), lo_from_bytea(70009, 'new')",
        "ALTER LARGE OBJECT 70003 OWNER TO readers",
        "DELETE FROM parts WHERE n < 10",
        `UPDATE "Session, Cache" SET line = 'other' WHERE id = 7`,
      );
      await here.run("SELECT lo_from_bytea(70008, 'somebody''s')", "INSERT INTO empty_one VALUES (1)");
      expect(await carried(pair)).toMatchObject({ result: "done" });
      await same(pair);
      expect(await here.query("SELECT FROM empty_one")).toEqual([]);
      // no file of either is left
      for (const side of pair)
        expect(
          readdirSync(side.stateDir, { recursive: true, encoding: "utf8" }).filter((name) =>
            /\.(dump|sql|json)$/.test(name),
          ),
        ).toEqual([]);
    },
    caseMs,
  );
});

it(
  "is taken up again where its agent was killed as psql had ended",
  async () => {
    const [there, here] = await filledPair([15, 18]);
    await there.write();
    const { before, after, death } = killedAfter("psql");
    void here.load(before);
    await death;
    expect(await here.load(after)).toMatchObject({ result: "done" });
    expect(here.ran).toEqual(["psql"]);
    expect(await here.compare()).toMatchObject({ result: "done" });
  },
  caseMs,
);

it(
  "is emptied without a tool where the other side has nothing any more",
  async () => {
    const pair = await filledPair([15, 18]);
    const [there, here] = pair;
    await carried(pair);
    await there.run(`DELETE FROM parts; DELETE FROM "Session, Cache"`);
    await there.run("SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
    const before = there.ran.length + here.ran.length;
    expect(await carried(pair)).toEqual({
      result: "done",
      outputs: { "told.unlogged tables of postgres": "3 went along with 0 rows; equal by content" },
    });
    expect(there.ran.length + here.ran.length).toBe(before);
    await same(pair);
  },
  caseMs,
);

it(
  "leaves alone on both sides what a person has said that it stays, and tells so",
  async () => {
    const pair = await filledPair([15, 18]);
    const [there, here] = pair;
    await here.run("SELECT lo_from_bytea(4711, 'stays')");
    expect(await there.write({ kinds: ["unlogged"] })).toEqual({
      result: "done",
      outputs: { "told.left behind of postgres": "5 large objects" },
    });
    expect(await here.load()).toMatchObject({ result: "done" });
    expect(await here.compare()).toMatchObject({ result: "done" });
    expect(await here.query("SELECT oid FROM pg_largeobject_metadata")).toEqual([{ oid: 4711 }]);
    expect(await there.write({ kinds: ["large-objects"] })).toEqual({
      result: "done",
      outputs: { "told.left behind of postgres": "rows of 2 unlogged tables" },
    });
    await here.run("DELETE FROM parts");
    expect(await here.load()).toMatchObject({ result: "done" });
    expect(await here.query("SELECT count(*) FROM parts")).toEqual([{ count: "0" }]);
    expect(await here.query(`SELECT count(*) FROM "Session, Cache"`)).toEqual([{ count: "100" }]);
    expect(await here.compare()).toMatchObject({ result: "done" });
  },
  caseMs,
);

it(
  "goes where the server's table of locks is far too small for all objects at once",
  async () => {
    const pair = await pairOf([15, 18], { max_locks_per_transaction: "10", max_connections: "30" });
    for (const side of pair)
      await side.run("SELECT count(lo_from_bytea(100000 + i, 'x')) FROM generate_series(1, 9000) i");
    await pair[0].run("SELECT lo_put(100001, 0, 'y')");
    expect(await carried(pair)).toMatchObject({ result: "done" });
  },
  caseMs,
);

it(
  "takes no row along of a table that is replicated, in whatever schema, and no sequence",
  async () => {
    const pair = await pairOf([15, 18]);
    for (const side of pair)
      await side.run(
        'CREATE SCHEMA "Odd one"',
        'CREATE TABLE "Odd one".replicated (id serial PRIMARY KEY)',
        "CREATE TABLE replicated (id serial PRIMARY KEY)",
        `INSERT INTO "Odd one".replicated DEFAULT VALUES; INSERT INTO replicated DEFAULT VALUES`,
        'CREATE UNLOGGED TABLE "Odd one"."a.b" (a int)',
      );
    await pair[0].run(`SELECT lo_create(70001), setval('"Odd one".replicated_id_seq', 7)`);
    expect(await carried(pair)).toMatchObject({ result: "done" });
    await pair[0].run('INSERT INTO "Odd one"."a.b" VALUES (1)');
    expect(await carried(pair)).toMatchObject({ result: "done" });
    expect(await pair[1].query('SELECT last_value FROM "Odd one".replicated_id_seq')).toEqual([
      { last_value: "1" },
    ]);
    expect(await pair[1].query('SELECT a FROM "Odd one"."a.b"')).toEqual([{ a: 1 }]);
  },
  caseMs,
);

it(
  "is there after a crash of the server, once it was compared",
  async () => {
    const pair = await pairOf([15, 18], { wal_writer_delay: "10s" });
    await pair[0].run("SELECT lo_from_bytea(70001, 'x')");
    expect(await carried(pair)).toMatchObject({ result: "done" });
    await pair[1].server.kill();
    await pair[1].server.start();
    expect(await pair[1].compare()).toMatchObject({ result: "done" });
  },
  caseMs,
);
