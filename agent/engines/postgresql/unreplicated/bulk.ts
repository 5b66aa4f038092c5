/** How much a database has of what replication does not carry. Reads catalogues, and of a large object where it ends. */
import { isOfExtension, isOfUser, relationName, relations } from "../relations.ts";
import type { Sql } from "../sql.ts";

/** In bytes. */
export interface Bulk {
  readonly largeObjectBytes: number;
  readonly unloggedBytes: number;
}

/** Each costs statements of its own, however little it holds. */
const leastBytes = 4_096;
/** So many weigh more than any limit allows: more are not looked at. */
const mostAsked = 131_073;

/** `c` in schemas `n`. */
export const unloggedTables = `
  ${relations} WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND ${isOfUser} AND NOT ${isOfExtension}`;

/** By where each ends, since a hole within it is read as zeros. */
const largeObjects = `
  SELECT coalesce(sum(greatest(${leastBytes}, ends)), 0)::text AS bytes
    FROM (SELECT oid AS id FROM pg_largeobject_metadata LIMIT ${mostAsked}) found LEFT JOIN LATERAL (
         SELECT pageno::bigint * (current_setting('block_size')::int / 4) + octet_length(data) AS ends
           FROM pg_largeobject WHERE loid = found.id ORDER BY pageno DESC LIMIT 1) final ON true`;

const unlogged = `
  SELECT coalesce(sum(pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0::oid)), 0)), 0)::text AS bytes
    FROM ${unloggedTables}`;

export async function bulkOf(sql: Sql): Promise<Bulk> {
  const bytesOf = async (query: string) => Number((await sql.rows(query))[0]?.["bytes"]);
  return { largeObjectBytes: await bytesOf(largeObjects), unloggedBytes: await bytesOf(unlogged) };
}

/** undefined to a role that may not read large objects. */
export async function bulkAsFarAsAllowed(sql: Sql): Promise<Bulk | undefined> {
  const [row] = await sql.rows(
    "SELECT has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')::text AS may",
  );
  return row?.["may"] === "true" ? bulkOf(sql) : undefined;
}

/** By the database's own spelling. */
export async function unloggedNames(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.rows(`SELECT ${relationName} AS name FROM ${unloggedTables} ORDER BY 1`);
  return rows.map(({ name }) => name ?? "");
}
