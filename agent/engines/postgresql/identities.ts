/**
 * Replica identities: what an UPDATE or DELETE is known by on the other side. A table without one is given the best that it
 * has, and what it had before is written down first and put back at the end.
 */
import { z } from "zod";
import type { Facts } from "#proto/common/failure.ts";
import { markOf, readMark } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { slug } from "../databases.ts";
import { ask, must, ofDatabases, ownerOf, patiently, probeOf, resultOf, stop } from "./desk.ts";
import { fewAtOnce } from "./each-database.ts";
import { type NeedyTable, needyTables } from "./identity-facts.ts";
import type { Means } from "./settings.ts";
import { type Sql, versionOf } from "./sql.ts";

/** By table: the statement's end that puts back what was. */
const before = z.object({ tables: z.record(z.string(), z.string()) });

export function identityVerbs(means: Means): readonly Verb[] {
  // a step and the reaction of a watch may come at the same time, and both add to the same note
  let last: Promise<unknown> = Promise.resolve();
  const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  return [
    verb({
      name: "postgresql.fix-identities",
      class: "reversible",
      args: ofDatabases,
      run: (context, args) => resultOf(() => oneByOne(() => fix(context, means, args.databases))),
      probe: (context, args) => probeOf(() => needyIn(context, means, args.databases)),
    }),
    verb({
      // the same where nobody can be told of it: a watch works without a coordinator
      name: "postgresql.give-identities",
      class: "reversible",
      args: ofDatabases,
      run: (context, args) =>
        resultOf(() => oneByOne(async () => done(await give(context, means, args.databases)))),
      probe: (context, args) => probeOf(() => needyIn(context, means, args.databases)),
    }),
    verb({
      name: "postgresql.tables-without-identity",
      class: "observe",
      args: ofDatabases,
      run: (context, args) =>
        resultOf(async () => {
          const found = await needyIn(context, means, args.databases);
          return done({ value: String(found.length) });
        }),
    }),
    verb({
      name: "postgresql.restore-identities",
      class: "reversible",
      args: ofDatabases,
      run: (context, args) => resultOf(() => restore(context, means, args)),
      probe: (context, args) =>
        probeOf(async () => {
          const left: string[] = [];
          for (const database of args.databases) {
            const mark = await markFor(context, ownerOf(context, args), database).read();
            if (mark !== undefined) left.push(database);
          }
          return left;
        }),
    }),
  ];
}

async function needy(sql: Sql): Promise<readonly NeedyTable[]> {
  return needyTables(sql, await versionOf(sql));
}

/** A watch looks at all of them within its interval. */
function needyOf(
  context: StepContext,
  means: Means,
  databases: readonly string[],
): Promise<Readonly<Record<string, readonly NeedyTable[]>>> {
  return fewAtOnce(databases, (database) => ask(context, means, needy, { database }));
}

async function needyIn(
  context: StepContext,
  means: Means,
  databases: readonly string[],
): Promise<readonly string[]> {
  const found = await needyOf(context, means, databases);
  return databases.flatMap((database) => (found[database] ?? []).map(({ table }) => table));
}

function markFor(context: StepContext, rollout: string, database: string) {
  return markOf({ host: context.host, rollout }, `identities-${slug(database)}`, before);
}

/** The other side has them from the schema's dump, and puts back the same at the end. */
async function fix(context: StepContext, means: Means, databases: readonly string[]): Promise<StepResult> {
  const told = await give(context, means, databases);
  for (const database of databases) {
    const mark = markFor(context, context.rollout, database);
    if ((await mark.read()) !== undefined) must(await context.parcels.send(parcelOf(database), mark.file));
  }
  return done(told);
}

/** Those that can have one are given it, whatever the others lack: an UPDATE of theirs fails meanwhile. */
async function give(context: StepContext, means: Means, databases: readonly string[]): Promise<Facts> {
  const told: Record<string, string> = {};
  const without: string[] = [];
  const found = await needyOf(context, means, databases);
  for (const database of databases) {
    const tables = found[database] ?? [];
    const able = tables.filter(({ index, comparable }) => index !== null || comparable);
    for (const { table } of tables.filter((each) => !able.includes(each)))
      without.push(`${database}: ${table}`);
    if (able.length === 0) continue;
    const mark = markFor(context, context.rollout, database);
    const known = (await mark.read())?.tables ?? {};
    await mark.write({
      tables: { ...Object.fromEntries(able.map(({ table, was }) => [table, was])), ...known },
    });
    await ask(
      context,
      means,
      async (sql) => {
        for (const each of able)
          await patiently(context, () =>
            sql.run(`ALTER TABLE ${each.table} REPLICA IDENTITY ${identityFor(each)}`),
          );
      },
      { database },
    );
    told[`told.replica identities of ${database}`] = able.map(givenTo).join("; ").slice(0, 2_000);
  }
  if (without.length > 0) stop("postgresql.identity-impossible", { tables: without.join(", ") });
  return told;
}

function parcelOf(database: string): string {
  return `identities-before-${slug(database)}`;
}

/** On the other side, whose tables came with the identities of this one. */
export async function adoptIdentities(context: StepContext, database: string): Promise<void> {
  const sent = must(await context.parcels.find(parcelOf(database)));
  if (sent === undefined) return;
  const came = await readMark(must(await context.parcels.fetch(sent.digest)), before);
  if (came !== undefined) await markFor(context, context.rollout, database).write(came);
}

/** By table: what was there before this rollout has given it another one. */
export async function givenIdentities(
  context: StepContext,
  database: string,
): Promise<Readonly<Record<string, string>>> {
  return (await markFor(context, context.rollout, database).read())?.tables ?? {};
}

/** Of the other side, for tables that came from there since; what is known here already stays. */
export async function adoptMoreIdentities(
  context: StepContext,
  database: string,
  came: Readonly<Record<string, string>>,
): Promise<void> {
  if (Object.keys(came).length === 0) return;
  const mark = markFor(context, context.rollout, database);
  const known = (await mark.read())?.tables ?? {};
  await mark.write({ tables: { ...came, ...known } });
}

/** As a person reads it at the end. */
function givenTo({ table, index }: NeedyTable): string {
  return index === null
    ? `${table} was given its whole row (FULL)`
    : `${table} was given its unique index ${index}`;
}

function identityFor({ index }: NeedyTable): string {
  return index === null ? "FULL" : `USING INDEX ${index}`;
}

async function restore(
  context: StepContext,
  means: Means,
  args: z.infer<typeof ofDatabases>,
): Promise<StepResult> {
  let count = 0;
  for (const database of args.databases) {
    const mark = markFor(context, ownerOf(context, args), database);
    const tables = Object.entries((await mark.read())?.tables ?? {});
    await ask(
      context,
      means,
      async (sql) => {
        for (const [table, was] of tables)
          await patiently(context, () => sql.run(`ALTER TABLE IF EXISTS ${table} REPLICA IDENTITY ${was}`));
      },
      { database },
    );
    count += tables.length;
    await mark.remove();
  }
  return done({ tables: String(count) });
}

/** `schema index`, as a list of contents prints them. */
export async function identityIndexes(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.rows(`
    SELECT n.nspname || ' ' || c.relname AS name FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE indisreplident`);
  return rows.map((row) => row["name"] ?? "");
}
