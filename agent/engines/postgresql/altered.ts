/**
 * Which tables an ALTER TABLE may have filled anew since their contents were compared: it writes rows that no replication carries, and
 * leaves names, types and numbers of rows as they were.
 */
import { z } from "zod";
import { markOf } from "../../host/marks.ts";
import type { StepContext } from "../../verb.ts";
import { slug } from "../databases.ts";
import { publishedTables, tableName } from "./published-tables.ts";
import type { Sql } from "./sql.ts";

const form = z.object({ file: z.string(), columns: z.string(), written: z.string() });
type Form = z.infer<typeof form>;
const forms = z.object({ tables: z.record(z.string(), form) });

function markFor(context: StepContext, database: string) {
  return markOf(context, `compared-${slug(database)}`, forms);
}

/** By table: the file its rows lie in, its columns' numbers, and who wrote them into the catalogue. */
async function formsOf(sql: Sql): Promise<Readonly<Record<string, Form>>> {
  const rows = await sql.rows(`
    SELECT ${tableName} AS name, c.relfilenode::text AS file,
           (SELECT coalesce(string_agg(attnum::text, ',' ORDER BY attnum), '') FROM pg_attribute a
             WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
           (SELECT coalesce(string_agg(a.xmin::text, ',' ORDER BY attnum), '') FROM pg_attribute a
             WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS written
      FROM ${publishedTables}`);
  return Object.fromEntries(
    rows.map(({ name, file, columns, written }) => [
      name ?? "",
      { file: file ?? "", columns: columns ?? "", written: written ?? "" },
    ]),
  );
}

/** As they are when contents are compared. */
export async function noteForms(context: StepContext, sql: Sql): Promise<void> {
  await markFor(context, sql.database).write({ tables: await formsOf(sql) });
}

/**
 * Tables whose rows were rewritten together with a column's entry, or whose columns are others of the same names. VACUUM FULL, CLUSTER and
 * TRUNCATE change the file alone.
 */
export async function alteredTables(context: StepContext, sql: Sql): Promise<readonly string[]> {
  const before = (await markFor(context, sql.database).read())?.tables;
  if (before === undefined) return [];
  const now = await formsOf(sql);
  return Object.entries(now).flatMap(([table, { file, columns, written }]) => {
    const was = before[table];
    if (was === undefined) return [];
    const isAltered = was.columns !== columns || (was.file !== file && was.written !== written);
    return isAltered ? [table] : [];
  });
}
