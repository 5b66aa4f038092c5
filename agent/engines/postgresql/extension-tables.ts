/**
 * Tables that came with an extension and are published with all others. CREATE EXTENSION has filled them on the new server: they are
 * emptied there before the old one's rows come, which would be there twice, or not at all for a key that is taken.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { stop } from "./desk.ts";
import { publishedTables, tableName } from "./published-tables.ts";
import { isOfExtension } from "./relations.ts";
import type { Sql } from "./sql.ts";

/** By its quoted name; `identity`: the end of ALTER TABLE … REPLICA IDENTITY, null where that is the key or nothing. */
const tables = z.array(z.object({ table: z.string(), identity: z.string().nullable() }));
type Table = z.infer<typeof tables>[number];

/** Whether they have rows or not. */
export async function extensionTables(sql: Sql): Promise<readonly Table[]> {
  const rows = await sql.rows(`
    SELECT ${tableName} AS name, CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'i' THEN (
             SELECT 'USING INDEX ' || quote_ident(k.relname) FROM pg_index i JOIN pg_class k ON k.oid = i.indexrelid
              WHERE i.indrelid = c.oid AND i.indisreplident) END AS identity
      FROM ${publishedTables} AND ${isOfExtension} ORDER BY 1`);
  return rows.map(({ name, identity }) => ({ table: name ?? "", identity: identity ?? null }));
}

/** Of those of the old server's: one that only a newer version of the extension has keeps its own rows. */
async function published(sql: Sql, file: string, condition: string): Promise<readonly Table[]> {
  const rows = await sql.rows(
    `SELECT ${tableName} AS name FROM ${publishedTables} AND ${isOfExtension} AND ${condition}`,
  );
  const there = tables.parse(JSON.parse(await readFile(file, "utf8")));
  return there.filter(({ table }) => rows.some(({ name }) => name === table));
}

const hasRows = "pg_relation_size(c.oid) > 0";

/**
 * `file`: the old server's list. Only in a database whose extensions this rollout has made. They get the old ones' identities, which
 * no dump of a schema carries. How many had rows.
 */
export async function emptyExtensionTables(sql: Sql, file: string): Promise<number> {
  const filled = await published(sql, file, hasRows);
  const all = await published(sql, file, "true");
  // together, since they may refer to each other
  if (filled.length > 0) await sql.run(`TRUNCATE ${all.map(({ table }) => table).join(", ")}`);
  for (const { table, identity } of all)
    if (identity !== null) await sql.run(`ALTER TABLE ${table} REPLICA IDENTITY ${identity}`);
  return filled.length;
}

/** Throws FailureError `postgresql.extension-rows`: what somebody else's CREATE EXTENSION has filled is not ours to empty. */
export async function mustHaveNone(sql: Sql, file: string): Promise<void> {
  const filled = await published(sql, file, hasRows);
  if (filled.length > 0)
    stop("postgresql.extension-rows", {
      database: sql.database,
      tables: filled.map(({ table }) => table).join(", "),
    });
}
