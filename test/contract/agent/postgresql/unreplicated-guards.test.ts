/** What keeps large objects and unlogged rows from going along by halves, in too great a number, or over somebody else's. */
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { stopAll } from "./asked-server.ts";
import { carried, filledPair, pairOf, removeParcels } from "./unreplicated-pair.ts";

afterEach(async () => {
  await stopAll();
  removeParcels();
});

const caseMs = 120_000;

it(
  "is no more than its limit, by where a large object ends and not by what it takes",
  async () => {
    const [there] = await filledPair([10, 18]);
    // bytes that nobody has written weigh too: they would be carried
    const objects = 4_096 + 900_000 + 4_096 + 3_000_003 + 4_097;
    const all = { kinds: ["large-objects"] } as const;
    expect(await there.weigh({ ...all, limitBytes: objects })).toEqual({
      result: "done",
      outputs: { bytes: String(objects) },
    });
    const tooMuch = {
      failure: {
        code: "postgresql.unreplicated-too-much",
        facts: { bytes: String(objects), limit: String(objects - 1), found: `postgres: ${objects}` },
      },
    };
    expect(await there.weigh({ ...all, limitBytes: objects - 1 })).toMatchObject(tooMuch);
    // also of what came between the weighing and the fence
    expect(await there.write({ ...all, limitBytes: objects - 1 })).toMatchObject(tooMuch);
    expect(there.ran).toEqual([]);
    expect(await there.weigh({ kinds: [], limitBytes: 0 })).toMatchObject({ result: "done" });
    expect(await there.weigh({ kinds: ["unlogged"], limitBytes: 8_192 })).toMatchObject({
      failure: { code: "postgresql.unreplicated-too-much" },
    });
  },
  caseMs,
);

const differences: readonly (readonly [string, string])[] = [
  ["large object 70002: other content", "SELECT lo_put(70002, 5, 'x')"],
  ["large object 70002: other owner, rights", "ALTER LARGE OBJECT 70002 OWNER TO readers"],
  ["large object 70001: other rights", "REVOKE SELECT ON LARGE OBJECT 70001 FROM readers"],
  ["large object 70001: other comment", "COMMENT ON LARGE OBJECT 70001 IS NULL"],
  ["large object 70001 is not here", "SELECT lo_unlink(70001)"],
  ["large object 70009 is here alone", "SELECT lo_create(70009)"],
  ["public.parts: other number of rows, content", "DELETE FROM parts WHERE n = 1"],
  ["public.parts: other content", "UPDATE parts SET n = 51 WHERE n = 1"],
  [
    "public.parts is not here",
    "ALTER TABLE parts DROP CONSTRAINT parts_of_fkey; ALTER TABLE parts SET LOGGED",
  ],
];

it(
  "is compared, and stops at every difference",
  async () => {
    const pair = await filledPair([15, 18]);
    const [, here] = pair;
    await carried(pair);
    for (const [found, statement] of differences) {
      await here.run(statement);
      expect(await here.compare()).toMatchObject({
        failure: { code: "postgresql.data-differs", facts: { database: "postgres", found } },
      });
      expect(await here.probe()).toBe("not-done");
      await here.load();
    }
  },
  caseMs,
);

it(
  "is proven not to have changed on the side that is left, which a fence of before 16 does not see to",
  async () => {
    const pair = await filledPair([15, 18]);
    const [there] = pair;
    await carried(pair);
    expect(await there.prove()).toMatchObject({ result: "done" });
    const { superuser, port } = there.server;
    const closed = new pg.Client({ host: "127.0.0.1", port, user: superuser, database: "postgres" });
    await closed.connect();
    await closed.query("SELECT lo_from_bytea(4711, 'behind the fence')");
    await closed.end();
    expect(await there.prove()).toMatchObject({
      failure: {
        code: "postgresql.written-behind-fence",
        facts: { found: "postgres: large object 4711 is here alone" },
      },
    });
  },
  caseMs,
);

it(
  "is no table that is unlogged on one side alone: that is a change of the schema",
  async () => {
    const [there, here] = await filledPair([10, 18]);
    expect(await here.shape()).toEqual(await there.shape());
    await here.run("ALTER TABLE empty_one SET LOGGED");
    const line = "unlogged table public.empty_one";
    expect([(await there.shape()).includes(line), (await here.shape()).includes(line)]).toEqual([
      true,
      false,
    ]);
  },
  caseMs,
);

it(
  "is never loaded into a server that takes writes",
  async () => {
    const pair = await filledPair([15, 18]);
    await pair[0].write();
    await pair[1].run(
      "SELECT lo_create(4711)",
      "ALTER SYSTEM RESET default_transaction_read_only",
      "SELECT pg_reload_conf()",
      "SELECT pg_sleep(0.3)",
    );
    expect(await pair[1].load()).toMatchObject({ failure: { code: "postgresql.unreplicated-open" } });
    expect(await pair[1].query("SELECT oid FROM pg_largeobject_metadata")).toEqual([{ oid: 4711 }]);
  },
  caseMs,
);

it.for(["LATIN1", "SQL_ASCII", "UTF8"])(
  "goes along with tables of any name, in a database of any name, in %s",
  { timeout: caseMs },
  async (encoding) => {
    const making = `ENCODING '${encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`;
    const pair = await pairOf([15, 18], {}, { database: `We"ird 'one=\\`, making });
    for (const side of pair) await side.run('CREATE UNLOGGED TABLE "Café, $.*?""[a]|b" (line text)');
    await pair[0].run(`INSERT INTO "Café, $.*?""[a]|b" VALUES ('é')`, "SELECT lo_create(70001)");
    if (encoding === "SQL_ASCII")
      await pair[0].run(`INSERT INTO "Café, $.*?""[a]|b" VALUES (convert_from('\\xe9', 'SQL_ASCII'))`);
    expect(await carried(pair)).toMatchObject({ result: "done" });
    const rows = 'SELECT line::bytea::text FROM "Café, $.*?""[a]|b" ORDER BY 1';
    expect(await pair[1].query(rows)).toEqual(await pair[0].query(rows));
    expect(await carried(pair)).toMatchObject({ result: "done" });
  },
);

it(
  "goes along whatever a database's owner has set for its sessions, and no function of his runs",
  async () => {
    const pair = await pairOf([15, 18], {}, { database: "shop" });
    const [, here] = pair;
    for (const side of pair)
      await side.run(
        "CREATE SCHEMA his",
        "CREATE SEQUENCE his.calls",
        "CREATE FUNCTION his.hashtext(text) RETURNS int LANGUAGE sql AS $$ SELECT nextval('his.calls')::int $$",
        "CREATE UNLOGGED TABLE filled (line text)",
        `CREATE FUNCTION his.slow() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN PERFORM pg_catalog.pg_sleep(0.5); RETURN OLD; END $$`,
        "CREATE TRIGGER slow BEFORE DELETE ON filled FOR EACH ROW EXECUTE PROCEDURE his.slow()",
        "ALTER TABLE filled ENABLE ALWAYS TRIGGER slow",
        "INSERT INTO filled VALUES ('x')",
        "ALTER DATABASE shop SET search_path = his, pg_catalog",
        "ALTER DATABASE shop SET statement_timeout = '300ms'",
      );
    expect(await carried(pair)).toMatchObject({ result: "done" });
    expect(await here.query("SELECT is_called::text FROM his.calls")).toEqual([{ is_called: "false" }]);
  },
  caseMs,
);
