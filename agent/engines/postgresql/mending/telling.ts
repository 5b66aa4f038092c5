/** What each side has, told to the other: the new server by names alone, the old one all that the new one needs to follow it. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably } from "../../../host/file-runner.ts";
import { markFolder } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases, slug } from "../../databases.ts";
import { client } from "../client-tools.ts";
import { ask, must, resultOf } from "../desk.ts";
import { connection } from "../exporting.ts";
import { givenIdentities, identityIndexes } from "../identities.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { noteLate } from "./noted.ts";
import { readParcel } from "./parcel.ts";
import { seenIn, type Table, tableSchema, tablesIn } from "./tables.ts";

const args = z.strictObject({ databases });
/** By database and table: its columns. */
const here = z.object({
  format: z.literal(1),
  databases: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
});
const there = z.object({
  format: z.literal(1),
  databases: z.record(
    z.string(),
    z.object({
      tables: z.array(tableSchema),
      /** By table: what its replica identity was before this rollout, as the end of a statement. */
      identities: z.record(z.string(), z.string()),
      /** `schema index` of each index that is a replica identity. */
      indexes: z.array(z.string()),
    }),
  ),
});
export type OldTables = z.infer<typeof there>["databases"][string];

export function tellingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.tell-tables",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => tell(context, means, given.databases)),
    }),
    verb({
      name: "postgresql.describe-tables",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => describe(context, means, given.databases)),
    }),
  ];
}

async function tell(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const found: z.infer<typeof here>["databases"] = {};
  for (const database of names) {
    const tables = await ask(context, means, tablesIn, { database });
    found[database] = Object.fromEntries(
      tables.map(({ table, columns }) => [table, columns.map(({ name }) => name)]),
    );
  }
  await send(context, "tables-of-new", { format: 1, databases: found } satisfies z.infer<typeof here>);
  return done();
}

/** With a dump of those that the new server has not. */
async function describe(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const known = (await readParcel(context, "tables-of-new", here)).databases;
  const found: z.infer<typeof there>["databases"] = {};
  const missing: string[] = [];
  for (const database of names) {
    const there = known[database] ?? {};
    // after the tables were listed, another one's view may stand in the place of one
    const [tables, indexes] = await ask(
      context,
      means,
      async (sql) => [await describedIn(sql, there), await identityIndexes(sql)],
      { database, readsRows: true },
    );
    await noteLate(context, database, lateNames(tables, there));
    const identities = await givenIdentities(context, database);
    found[database] = { tables: [...tables], identities, indexes: [...indexes] };
    const late = tables.flatMap(({ table }) => (there[table] === undefined ? [table] : []));
    if (late.length === 0) continue;
    await dump(context, means, database, late);
    missing.push(...late.map((table) => `${database}: ${table}`));
  }
  await send(context, "tables-of-old", { format: 1, databases: found } satisfies z.infer<typeof there>);
  return done({ missing: missing.join(", ").slice(0, 2_000) || "none" });
}

async function describedIn(
  sql: Sql,
  known: Readonly<Record<string, readonly string[]>>,
): Promise<readonly Table[]> {
  const described: Table[] = [];
  for (const table of await tablesIn(sql)) {
    const columns = known[table.table];
    described.push(columns === undefined ? table : await seenIn(sql, table, columns));
  }
  return described;
}

function lateNames(tables: readonly Table[], known: Readonly<Record<string, readonly string[]>>) {
  const columns = tables.flatMap(({ table, columns: all }) => {
    const there = known[table];
    return there === undefined
      ? []
      : all.flatMap(({ name }) => (there.includes(name) ? [] : [{ table, name: `${table}.${name}` }]));
  });
  const came = tables.flatMap(({ table }) => (known[table] === undefined ? [table] : []));
  return {
    tables: [...came, ...columns.map(({ table }) => table)],
    columns: columns.map(({ name }) => name),
  };
}

/** Whole, with its keys, indexes and grants: it is young, and has few rows. */
async function dump(
  context: StepContext,
  means: Means,
  database: string,
  tables: readonly string[],
): Promise<void> {
  const folder = join(markFolder(context), "late");
  await makeFolderDurably(folder);
  const file = join(folder, `${slug(database)}.dump`);
  try {
    const words = ["-Fc", "--schema-only", "--no-publications", "--no-subscriptions", "-f", file];
    const wanted = tables.flatMap((table) => ["-t", table]);
    await client(context, means, "pg_dump", [...words, ...wanted, "-d", connection(database)]);
    must(await context.parcels.send(dumpParcel(database), file));
  } finally {
    await rm(file, { force: true });
  }
}

export function dumpParcel(database: string): string {
  return `late-${slug(database)}`;
}

export async function tablesOfOld(context: StepContext): Promise<Readonly<Record<string, OldTables>>> {
  return (await readParcel(context, "tables-of-old", there)).databases;
}

async function send(context: StepContext, name: string, value: object): Promise<void> {
  const folder = markFolder(context);
  await makeFolderDurably(folder);
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(value));
  must(await context.parcels.send(name, file));
}
