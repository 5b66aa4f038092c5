/**
 * What ends a subscription, on real servers of several majors: the coordinator names each by the words of the server's own log, the deed
 * that it names helps, and nothing is told any more. What is given up leaves nothing on either side.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Major } from "#test/postgres/binaries.ts";
import { stopAll } from "./asked-server.ts";
import { followedPair, forward, subscription, untilRows } from "./followed-pair.ts";

type Pair = Awaited<ReturnType<typeof followedPair>>;

const tables = [
  "CREATE TABLE kept (id int PRIMARY KEY, note text)",
  "CREATE TABLE added (id int PRIMARY KEY)",
  "CREATE TABLE keyed (id int PRIMARY KEY, note text)",
];
const refresh = `ALTER SUBSCRIPTION ${subscription} REFRESH PUBLICATION`;

interface Fault {
  readonly what: string;
  readonly finding: string;
  readonly deed: (pair: Pair) => Promise<unknown>;
  readonly cure: (pair: Pair) => Promise<unknown>;
  /** On the new server, when all is well again. */
  readonly came: string;
}

const faults: readonly Fault[] = [
  {
    what: "a table that is on the old server alone",
    finding: "postgresql.table-missing",
    deed: ({ old }) => old.run("CREATE TABLE late (id int PRIMARY KEY)", "INSERT INTO late VALUES (1)"),
    cure: ({ young }) => young.run("CREATE TABLE late (id int PRIMARY KEY)", refresh),
    came: "SELECT FROM late WHERE id = 1",
  },
  {
    what: "a column that is on the old server alone",
    finding: "postgresql.column-missing",
    deed: ({ old }) => old.run("ALTER TABLE added ADD COLUMN more int", "INSERT INTO added VALUES (1, 7)"),
    cure: ({ young }) => young.run("ALTER TABLE added ADD COLUMN more int"),
    came: "SELECT FROM added WHERE more = 7",
  },
  {
    what: "a row that somebody has written to the new server",
    finding: "postgresql.row-conflict",
    deed: async ({ old, young }) => {
      await young.run("INSERT INTO kept VALUES (1, 'mine')");
      await old.run("INSERT INTO kept VALUES (1, 'theirs')");
    },
    cure: ({ young }) => young.run("DELETE FROM kept WHERE id = 1"),
    came: "SELECT FROM kept WHERE note = 'theirs'",
  },
  {
    what: "a key that the new server has lost",
    finding: "postgresql.identity-missing",
    deed: async ({ old, young }) => {
      await old.run("INSERT INTO keyed VALUES (1, 'a')");
      await untilRows(young.server, "SELECT FROM keyed");
      await young.run("ALTER TABLE keyed DROP CONSTRAINT keyed_pkey");
      await old.run("UPDATE keyed SET note = 'b'");
    },
    cure: ({ young }) => young.run("ALTER TABLE keyed ADD PRIMARY KEY (id)"),
    came: "SELECT FROM keyed WHERE note = 'b'",
  },
  {
    what: "a copy into a table that has rows",
    finding: "postgresql.row-conflict",
    deed: async ({ old, young }) => {
      const made = ["CREATE TABLE filled (id int PRIMARY KEY)", "INSERT INTO filled VALUES (1)"];
      await young.run(...made);
      await old.run(...made, "INSERT INTO filled VALUES (2)");
      // its rows are not applied before it is followed
      await young.run(refresh);
    },
    cure: ({ young }) => young.run("TRUNCATE filled"),
    came: "SELECT FROM filled WHERE id = 2",
  },
  {
    what: "a subscription that somebody has disabled",
    finding: "postgresql.subscription-stopped",
    deed: async ({ old, young }) => {
      await young.run(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
      await old.run("INSERT INTO kept VALUES (2, 'meanwhile')");
      await expect
        .poll(() => old.gate("caught-up", { maxLagBytes: "1000000000" }))
        .toMatchObject({
          verdict: "wait",
          why: { code: "postgresql.slot-idle" },
        });
      expect(await young.gate("copied", { databases: forward.databases })).toMatchObject({ verdict: "fail" });
    },
    cure: ({ young }) => young.run(`ALTER SUBSCRIPTION ${subscription} ENABLE`),
    came: "SELECT FROM kept WHERE id = 2",
  },
];

const pairs: readonly (readonly [Major, Major])[] = [
  [10, 15],
  [15, 18],
  // the way back
  [18, 15],
];
const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";
/** Why a pair is left to make test-full. */
const whyLeftOf = ([old, young]: readonly [Major, Major]) =>
  full || old < young ? undefined : "of the way back in make test-full";

describe.each(pairs)("while %i is followed by %i", (...majors) => {
  let pair: Pair | undefined;
  beforeAll(async () => {
    if (whyLeftOf(majors) === undefined) pair = await followedPair(majors, tables);
  });
  afterAll(stopAll);

  it.for(faults)("$what is told by name, and mended", async ({ finding, deed, cure, came }, context) => {
    if (pair === undefined) return context.skip(whyLeftOf(majors));
    await deed(pair);
    await pair.young.until([finding]);
    await cure(pair);
    await untilRows(pair.young.server, came);
    await pair.young.until([]);
  });
});

describe.each([
  [15, 18],
  [18, 15],
] as const)("a subscription of %i's rows on %i", (...majors) => {
  afterEach(stopAll);
  const systemIdOf = async ({ young }: Pair) =>
    (await young.rows("SELECT system_identifier::text AS id FROM pg_control_system()"))[0]?.["id"] ?? "";
  const slots = ({ old }: Pair) => old.rows("SELECT slot_name FROM pg_replication_slots");
  const subscribed = ({ young }: Pair) => young.rows("SELECT subname FROM pg_subscription");

  it("is told as lost on both sides when the server has given up its slot, and is taken away from both", async (context) => {
    if (whyLeftOf(majors) !== undefined) return context.skip(whyLeftOf(majors));
    const ofOld = { max_slot_wal_keep_size: "32MB", max_wal_size: "64MB", min_wal_size: "32MB" };
    const pair = await followedPair(majors, tables, { ofOld });
    const { old, young } = pair;
    await young.run(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
    await untilRows(old.server, "SELECT FROM pg_replication_slots WHERE NOT active");
    for (let piece = 0; piece < 6; piece += 1)
      await old.run(
        "SELECT count(pg_logical_emit_message(false, 'x', repeat('x', 1048576))) FROM generate_series(1, 25)",
        "SELECT pg_switch_wal()",
        "CHECKPOINT",
      );
    await old.until(["postgresql.slot-lost"]);
    expect(await old.gate("caught-up", { maxLagBytes: "1000000000" })).toMatchObject({
      verdict: "fail",
      why: { code: "postgresql.slot-lost" },
    });
    await young.run(`ALTER SUBSCRIPTION ${subscription} ENABLE`);
    await young.until(["postgresql.slot-missing"]);
    expect(await young.does("unsubscribe", forward)).toMatchObject({ result: "done" });
    expect(await old.does("drop-slots", forward)).toMatchObject({ result: "done" });
    expect([...(await slots(pair)), ...(await subscribed(pair))]).toEqual([]);
  });

  it("is dropped while the other server is down; its slots over there are named until they are dropped too", async (context) => {
    if (whyLeftOf(majors) !== undefined) return context.skip(whyLeftOf(majors));
    const pair = await followedPair(majors, tables);
    const { old, young } = pair;
    const subscriber = await systemIdOf(pair);
    // a copy that cannot come to its end
    await young.run("CREATE TABLE filled (id int PRIMARY KEY)", "INSERT INTO filled VALUES (1)");
    await old.run("CREATE TABLE filled (id int PRIMARY KEY)", "INSERT INTO filled VALUES (1)");
    await young.run(refresh);
    await untilRows(old.server, "SELECT FROM pg_replication_slots WHERE slot_name LIKE 'pg_%_sync_%'");
    await old.server.kill();
    expect(await young.does("unsubscribe", forward)).toMatchObject({ result: "done" });
    expect(await subscribed(pair)).toEqual([]);
    await old.server.start();
    const [copy = "", own] = (await slots(pair))
      .map((each) => each["slot_name"])
      .sort()
      .reverse();
    expect(copy).toMatch(new RegExp(`^pg_\\d+_sync_\\d+_${subscriber}$`));
    expect(own).toBe(subscription);
    expect(await old.leftOvers(subscriber)).toEqual(expect.arrayContaining([`slot ${own}`, `slot ${copy}`]));
    expect(await old.does("drop-slots", { ...forward, subscriber })).toMatchObject({ result: "done" });
    expect(await slots(pair)).toEqual([]);
  });
});
