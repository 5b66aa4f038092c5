/** What keeps large objects and unlogged rows from going along by halves, in too great a number, or over somebody else's. */
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { stopAll } from "./asked-server.ts";
import { carried, filledPair, removeParcels } from "./unreplicated-pair.ts";

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
