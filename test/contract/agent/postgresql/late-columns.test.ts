/** A column that came late: after it was added over there too, every row has what it has where it came; else a person is asked. */
import { afterEach, describe, expect, it } from "vitest";
import { addingOf, settlingOf } from "#agent/engines/postgresql/mending/column.ts";
import { lateIn } from "#agent/engines/postgresql/mending/late.ts";
import { seenIn, tablesIn } from "#agent/engines/postgresql/mending/tables.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { withSql } from "#agent/engines/postgresql/sql.ts";
import { succeed } from "#proto/common/failure.ts";
import { majors, whyLeft } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, rowsOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const before = [
  'CREATE TABLE "T" (id int PRIMARY KEY)',
  'INSERT INTO "T" VALUES (1), (2)',
  "CREATE TABLE parted (id int) PARTITION BY LIST (id)",
  "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
];

/** Each of a transaction of its own: its time tells them apart. */
const added = [
  "ADD COLUMN plain text",
  'ADD COLUMN "Kind" varchar(7) COLLATE "C"',
  "ADD COLUMN listed int[]",
];
const filled = [
  "ADD COLUMN filled int NOT NULL DEFAULT 7",
  "ADD COLUMN quoted text DEFAULT 'it''s \\ \"so\"'",
  "ADD COLUMN many int[] DEFAULT '{1,2}'",
  "ADD COLUMN at timestamptz DEFAULT now()",
  "ADD COLUMN changed int DEFAULT 1",
  "ALTER COLUMN changed SET DEFAULT 2",
  "ADD COLUMN without int DEFAULT 3",
  "ALTER COLUMN without DROP DEFAULT",
];
const left = ["ADD COLUMN counted serial", "ADD COLUMN drawn float DEFAULT random()"];

/** Filled as it was added, and written anew since: in the catalogue it looks like one that was never filled. */
const rewritten = [
  "CREATE TABLE r (id int)",
  "INSERT INTO r VALUES (1)",
  "ALTER TABLE r ADD COLUMN a int DEFAULT 3, ADD COLUMN b int",
  "ALTER TABLE r ALTER COLUMN a DROP DEFAULT",
  "VACUUM FULL r",
];

const alter = (words: string) => `ALTER TABLE "T" ${words}`;

async function tablesOf({ port }: PostgresServer) {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const options = { signal: AbortSignal.timeout(30_000) };
  const found = await withSql(hostOf(), { settings }, options, async (sql) => {
    const tables = await tablesIn(sql);
    return succeed(await Promise.all(tables.map((table) => seenIn(sql, table, ["id"]))));
  });
  if (!found.ok) throw new Error(found.failure.code);
  return found.value;
}

describe.each(majors)("on PostgreSQL %i", (major) => {
  it("rows that were there have the same on both sides, and so has the next one", {
    timeout: 60_000,
  }, async (context) => {
    const why = whyLeft(major);
    if (why !== undefined) context.skip(why);
    const [old, young] = [await serverOf(major), await serverOf(18)];
    for (const server of [old, young]) await run(server, "postgres", ...before);
    const known = major >= 11 ? [...added, ...filled] : added;
    const unknown = major >= 11 ? left : [...left, "ADD COLUMN filled int NOT NULL DEFAULT 7"];
    // written before the first of them came, and still on its way when they are there
    const onItsWay = 'INSERT INTO "T" (id) VALUES (4)';
    await run(old, "postgres", onItsWay);
    for (const words of [...unknown, ...known]) await run(old, "postgres", alter(words));
    await run(old, "postgres", "ALTER TABLE parted ADD COLUMN more int", ...rewritten);
    await run(young, "postgres", ...rewritten.slice(0, 2));
    const found = lateIn(await tablesOf(old), await tablesOf(young));
    expect(found.byHand).toHaveLength(unknown.length + 1);
    expect(found.byHand.join("; ")).toMatch(
      /"T"\.counted has a default.*"T"\.drawn has a default.*r\.a has values in some rows/,
    );
    expect(found.columns.map(({ table, column }) => `${table}.${column.name}`)).toContain("public.r.b");
    for (const { table, column } of found.columns) await run(young, "postgres", addingOf(table, column));
    await run(young, "postgres", onItsWay);
    for (const { table, column } of found.columns) await run(young, "postgres", settlingOf(table, column));
    const names = found.columns.flatMap(({ table, column }) => (table === 'public."T"' ? [column.name] : []));
    for (const server of [old, young]) await run(server, "postgres", 'INSERT INTO "T" (id) VALUES (3)');
    const stable = names.filter((name) => name !== "at").join(", ");
    const compared = (server: PostgresServer) => rowsOf(server, `SELECT id, ${stable} FROM "T" ORDER BY id`);
    expect(await compared(young)).toEqual(await compared(old));
    if (names.includes("at")) {
      const times = (server: PostgresServer) => rowsOf(server, 'SELECT at FROM "T" WHERE id IN (1, 2, 4)');
      expect(await times(young)).toEqual(await times(old));
    }
    const notNull = (server: PostgresServer) =>
      rowsOf(
        server,
        `SELECT attname FROM pg_attribute WHERE attrelid = '"T"'::regclass AND attnotnull ORDER BY 1`,
      );
    if (major >= 11) expect(await notNull(young)).toContainEqual({ attname: "filled" });
    const again = lateIn(await tablesOf(old), await tablesOf(young));
    expect([...again.columns, ...again.tables]).toEqual([]);
  });
});
