/**
 * Replica identities: what an UPDATE or DELETE is known by on the other side. A table without one is given the best that it
 * has, and what it had before is written down first and put back at the end.
 */
import { z } from "zod";
import { markOf, readMark } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { slug } from "../databases.ts";
import { ask, must, ofDatabases, ownerOf, patiently, probeOf, resultOf, stop } from "./desk.ts";
import { versionOf } from "./facts.ts";
import { type NeedyTable, needyTables } from "./identity-facts.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

/** By table: the statement's end that puts back what was. */
const before = z.object({ tables: z.record(z.string(), z.string()) });

export function identityVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.fix-identities",
      class: "reversible",
      args: ofDatabases,
      run: (context, args) => resultOf(() => fix(context, means, args.databases)),
      probe: (context, { databases }) =>
        probeOf(async () => {
          const left: string[] = [];
          for (const database of databases)
            left.push(...(await ask(context, means, needy, { database })).map(({ table }) => table));
          return left;
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

function markFor(context: StepContext, rollout: string, database: string) {
  return markOf({ host: context.host, rollout }, `identities-${slug(database)}`, before);
}

async function fix(context: StepContext, means: Means, databases: readonly string[]): Promise<StepResult> {
  const told: Record<string, string> = {};
  for (const database of databases) {
    const tables = await ask(context, means, needy, { database });
    const without = tables.filter(({ index, comparable }) => index === null && !comparable);
    if (without.length > 0)
      stop("postgresql.identity-impossible", {
        database,
        tables: without.map(({ table }) => table).join(", "),
      });
    if (tables.length === 0) continue;
    const mark = markFor(context, context.rollout, database);
    const known = (await mark.read())?.tables ?? {};
    await mark.write({
      tables: { ...Object.fromEntries(tables.map(({ table, was }) => [table, was])), ...known },
    });
    await ask(
      context,
      means,
      async (sql) => {
        for (const each of tables)
          await patiently(context, () =>
            sql.run(`ALTER TABLE ${each.table} REPLICA IDENTITY ${identityFor(each)}`),
          );
      },
      { database },
    );
    // the schema is dumped with them: over there they are put back at the end as well
    must(await context.parcels.send(parcelOf(database), mark.file));
    told[`told.replica identities of ${database}`] = tables.map(givenTo).join("; ").slice(0, 2_000);
  }
  return done(told);
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
