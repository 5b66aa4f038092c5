/**
 * A database's schema in words that are the same on every version from 10 on: what a change on one side alone would break the stream
 * by, or would be missed after the cut-over. Definitions that servers print in their own way are told by name alone.
 */
import type { Sql } from "./sql.ts";

/** `kind name words`, sorted. */
export async function schemaShape(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.rows(shape);
  return rows.map((row) => row["line"] ?? "");
}

const ofUsers = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;
/** Members of extensions come with them, in whatever version; constructors of a range with the type, more of them since 14. */
const ofNoExtension = (object: string) =>
  `NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = ${object}.oid AND x.deptype IN ('e', 'i')
                  AND (x.deptype = 'e' OR x.classid = 'pg_proc'::regclass))`;
const table = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)";

const shape = `
  SELECT 'column ' || ${table} || ' ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped
     AND ${ofUsers} AND ${ofNoExtension("c")}
  UNION ALL
  SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence '
                        WHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' ELSE 'table ' END || ${table}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I') AND c.relpersistence <> 't'
     AND ${ofUsers} AND ${ofNoExtension("c")}
  UNION ALL
  SELECT 'unlogged table ' || ${table} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND ${ofUsers} AND ${ofNoExtension("c")}
  UNION ALL
  SELECT 'constraint ' || ${table} || ' ' || quote_ident(k.conname) || ' ' || k.contype::text
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND ${ofUsers} AND ${ofNoExtension("c")}
  UNION ALL
  SELECT 'trigger ' || ${table} || ' ' || quote_ident(t.tgname)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT t.tgisinternal AND ${ofUsers} AND ${ofNoExtension("c")}
  UNION ALL
  SELECT 'function ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname)
         || '(' || pg_get_function_identity_arguments(p.oid) || ')'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${ofUsers} AND ${ofNoExtension("p")}
  UNION ALL
  SELECT 'type ' || quote_ident(n.nspname) || '.' || quote_ident(t.typname) || coalesce(' ' || (
         SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE t.typtype IN ('e', 'd') AND ${ofUsers} AND ${ofNoExtension("t")}
  ORDER BY 1`;
