/** Which tables have no identity, and what each could have: read from the catalogues of any version from 10 on. */
import type { Sql } from "./sql.ts";

export interface NeedyTable {
  /** As its database spells it: "schema"."name", quoted where it must be. */
  readonly table: string;
  /** A unique index that can be its identity; null where there is none. */
  readonly index: string | null;
  /** Each of its columns can be compared, so that FULL works. */
  readonly comparable: boolean;
  /** The words that put its identity back. */
  readonly was: string;
}

/** Tables of users that are published by FOR ALL TABLES: permanent ones, partitions rather than their parents. */
export const publishedTables = `
  pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;

export const tableName = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)";

/**
 * A column of a type without default equality in btree or hash: the subscriber fails on it under FULL. A domain counts by its
 * base, an array by its element; enums, ranges, records and what is binary-coercible have one.
 */
const isIncomparable = `EXISTS (
  SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON b.oid = t.typbasetype
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     AND coalesce(b.typtype, t.typtype) NOT IN ('e', 'c', 'r', 'm')
     AND NOT EXISTS (
       SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
        WHERE m.amname IN ('btree', 'hash') AND o.opcdefault
          AND (o.opcintype IN (t.oid, t.typbasetype)
               OR (t.typcategory = 'A' AND t.typelem <> 0 AND o.opcintype = 2277
                   AND EXISTS (SELECT FROM pg_opclass e JOIN pg_am x ON x.oid = e.opcmethod
                                WHERE x.amname IN ('btree', 'hash') AND e.opcdefault
                                  AND (e.opcintype = t.typelem
                                       OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = t.typelem
                                                    AND k.casttarget = e.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i'))))
               OR EXISTS (SELECT FROM pg_cast k
                           WHERE k.castsource IN (t.oid, nullif(t.typbasetype, 0))
                             AND k.casttarget = o.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i'))))`;

const hasKey = "EXISTS (SELECT FROM pg_index k WHERE k.indrelid = c.oid AND k.indisprimary)";

/** Valid, unique, immediate, whole, of plain columns that are never NULL: what REPLICA IDENTITY USING INDEX takes. */
const usableIndex = `(
  SELECT quote_ident(x.relname) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
   WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready
     AND i.indpred IS NULL AND i.indexprs IS NULL
     AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) AS k(attnum) JOIN pg_attribute a
                      ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE NOT a.attnotnull)
   ORDER BY i.indnatts, x.relname LIMIT 1)`;

const was = `CASE c.relreplident WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN 'FULL' ELSE 'DEFAULT' END`;

export async function needy(sql: Sql): Promise<readonly NeedyTable[]> {
  const rows = await sql.rows(`
    SELECT ${tableName} AS name, ${usableIndex} AS index, (NOT ${isIncomparable})::text AS comparable, ${was} AS was
      FROM ${publishedTables}
       AND (c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT ${hasKey}))
     ORDER BY 1`);
  return rows.map((row) => ({
    table: row["name"] ?? "",
    index: row["index"] ?? null,
    comparable: row["comparable"] === "true",
    was: row["was"] ?? "DEFAULT",
  }));
}
