/**
 * What came on the old server while the new one follows is made on the new one too: tables, columns, and keys that were lost there. Only
 * what the comparison names is touched; what cannot be made without a person is named at the end, when all the rest follows again.
 */
import { z } from "zod";
import { type Failure, FailureError } from "#proto/common/failure.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases, quoted } from "../../databases.ts";
import { ask, patiently, probeOf, resultOf, stop } from "../desk.ts";
import { adoptMoreIdentities } from "../identities.ts";
import { subscriptionName } from "../names.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { firing, quieten } from "../triggers.ts";
import { addingOf } from "./column.ts";
import { type Late, lateIn } from "./late.ts";
import { loadTables } from "./loading.ts";
import { noteAdded } from "./settling.ts";
import { type Table, tablesIn } from "./tables.ts";
import { type OldTables, tablesOfOld } from "./telling.ts";

const args = z.strictObject({ databases });
/** A key of a large table is built within it. */
const statementMs = 50 * 60_000;

export function mendingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.mend-tables",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => mendAll(context, means, given.databases)),
      probe: (context, given) =>
        probeOf(async () => {
          const there = await tablesOfOld(context);
          const left: string[] = [];
          for (const database of given.databases) {
            const found = await lackIn(context, means, { database, old: there[database] });
            if (!isNothing(found)) left.push(database);
          }
          return left;
        }),
    }),
  ];
}

interface Place {
  readonly database: string;
  readonly old: OldTables | undefined;
}

interface Lack extends Late {
  /** Tables whose rows the subscription does not bring, since it was made before them. */
  readonly unfollowed: readonly string[];
  /** Triggers that fire while rows are applied. */
  readonly loud: readonly string[];
}

function isNothing({ tables, columns, keys, byHand, unfollowed, loud }: Lack): boolean {
  return [tables, columns, keys, byHand, unfollowed, loud].every((each) => each.length === 0);
}

async function lackIn(context: StepContext, means: Means, { database, old }: Place): Promise<Lack> {
  if (old === undefined) return stop("postgresql.parcel-missing", { what: `tables of ${database}` });
  return ask(
    context,
    means,
    async (sql) => ({
      ...lateIn(old.tables, await tablesIn(sql)),
      unfollowed: await unfollowedIn(sql, context.rollout, old.tables),
      loud: (await firing(sql)).map(({ table, name }) => `trigger ${table} ${name}`),
    }),
    { database },
  );
}

/** None where there is no subscription yet: it will bring all that is there by then. */
async function unfollowedIn(sql: Sql, rollout: string, there: readonly Table[]): Promise<readonly string[]> {
  const name = subscriptionName(rollout, "forward", sql.database);
  const own = await sql.rows("SELECT oid::text FROM pg_subscription WHERE subname = $1", [name]);
  if (own.length === 0) return [];
  const rows = await sql.rows(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
       FROM pg_subscription_rel r JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE r.srsubid = $1::oid`,
    [own[0]?.["oid"] ?? ""],
  );
  const followed = new Set(rows.map((row) => row["name"]));
  return there.flatMap(({ table, published }) => (published && !followed.has(table) ? [table] : []));
}

async function mendAll(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const there = await tablesOfOld(context);
  const told: Record<string, string> = {};
  const left: string[] = [];
  for (const database of names) {
    const place = { database, old: there[database] };
    const before = await lackIn(context, means, place);
    const refused = await mend(context, means, place, before);
    const words = wordsOf(before);
    if (words.length > 0)
      told[`told.made on the new server of ${database} too, since it came late`] = words
        .join("; ")
        .slice(0, 2_000);
    const after = await lackIn(context, means, place);
    const silent = wordsOf(after).filter((each) => !refused.some((cause) => cause.startsWith(each)));
    left.push(...[...refused, ...silent, ...after.byHand].map((each) => `${database}: ${each}`));
  }
  if (left.length > 0) stop("postgresql.changed-by-hand", { found: left.slice(0, 10).join("; ") });
  return done(told);
}

function wordsOf({ tables, columns, keys, unfollowed }: Lack): readonly string[] {
  return [
    ...tables.map((table) => `table ${table}`),
    ...columns.map(({ table, column }) => `column ${table}.${column.name}`),
    ...keys.map(({ table }) => `replica identity of ${table}`),
    ...unfollowed.flatMap((table) => (tables.includes(table) ? [] : [`rows of ${table}`])),
  ];
}

/** What was refused, in words: the rest is done all the same. */
async function mend(
  context: StepContext,
  means: Means,
  { database, old }: Place,
  lack: Lack,
): Promise<readonly string[]> {
  const refused: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      refused.push(`${what}: ${causeOf(error.failure)}`);
    }
  };
  if (lack.tables.length > 0)
    await attempt(`table ${lack.tables.join(", ")}`, () =>
      loadTables(context, means, database, { tables: lack.tables, indexes: old?.indexes ?? [] }),
    );
  // before any row of theirs comes; an earlier try may have ended after the tables were made
  await quieten(context, means, { database, rollout: context.rollout });
  const run = (statements: string) =>
    ask(context, means, (sql) => patiently(context, () => sql.run(statements)), { database, statementMs });
  for (const { table, column } of lack.columns)
    await attempt(`column ${table}.${column.name}`, async () => {
      await noteAdded(context, database, { table, name: column.name });
      await run(addingOf(table, column));
    });
  for (const key of lack.keys)
    await attempt(`replica identity of ${key.table}`, async () => {
      for (const statement of await keyOf(context, means, database, key)) await run(statement);
    });
  await adoptMoreIdentities(context, database, old?.identities ?? {});
  await attempt("rows", () => follow(context, means, database, lack.unfollowed));
  return refused;
}

function causeOf({ code, facts }: Failure): string {
  return facts["cause"] ?? code;
}

async function keyOf(
  context: StepContext,
  means: Means,
  database: string,
  { table, identity, key }: Table,
): Promise<readonly string[]> {
  if (key === null) return [`ALTER TABLE ${table} REPLICA IDENTITY FULL`];
  const own = await ask(
    context,
    means,
    (sql) =>
      sql.rows(
        "SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::regclass AND quote_ident(c.relname) = $2 AND i.indisvalid",
        [table, key.index],
      ),
    { database },
  );
  const making =
    key.constraint === null
      ? key.definition
      : `ALTER TABLE ${table} ADD CONSTRAINT ${key.constraint.name} ${key.constraint.definition}`;
  return [
    ...(own.length > 0 ? [] : [making]),
    `ALTER TABLE ${table} REPLICA IDENTITY ${identity === "i" ? `USING INDEX ${key.index}` : "DEFAULT"}`,
  ];
}

/** Rows that are there already would come twice. */
async function follow(
  context: StepContext,
  means: Means,
  database: string,
  tables: readonly string[],
): Promise<void> {
  if (tables.length === 0) return;
  const name = subscriptionName(context.rollout, "forward", database);
  await ask(
    context,
    means,
    async (sql) => {
      const [own] = await sql.rows(
        "SELECT subenabled::text AS enabled FROM pg_subscription WHERE subname = $1",
        [name],
      );
      if (own?.["enabled"] !== "true")
        stop("postgresql.subscription-stopped", { database, subscription: name });
      for (const table of tables) {
        const [row] = await sql.rows(`SELECT EXISTS (SELECT FROM ${table})::text AS has`);
        if (row?.["has"] !== "false")
          stop("postgresql.late-not-empty", { cause: `${table} has rows already` });
      }
      await sql.run(`ALTER SUBSCRIPTION ${quoted(name)} REFRESH PUBLICATION WITH (copy_data = true)`);
    },
    { database, readsRows: true },
  );
}
