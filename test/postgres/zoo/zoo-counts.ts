/**
 * Whether two databases hold the same rows, whatever the majors of their servers. Texts of floats changed with 12, and
 * records sent in binary name types by number: so floats are compared by their bits, all else as text under the same
 * settings, and rows in no order.
 */
import type pg from "pg";
import { quoted } from "./roles.ts";

export interface TableContent {
  readonly count: number;
  /** Sum over the rows of the first 64 bits of each one's md5. */
  readonly hash: string;
}

/** Every setting that a text of a value depends on; without row security's filter, or not at all. */
const settings: readonly string[] = [
  "datestyle = 'ISO, YMD'",
  "timezone = 'UTC'",
  "intervalstyle = 'postgres'",
  "bytea_output = 'hex'",
  "lc_monetary = 'C'",
  "search_path = ''",
  "row_security = off",
  "statement_timeout = '60s'",
];

interface Column {
  readonly schema: string;
  readonly table: string;
  readonly column: string | null;
  /** Below any domain. */
  readonly type: string;
}

/** A table without columns is there too, with none. */
const columnsSql = `
  with recursive base (oid, type) as (
    select oid, oid from pg_type where typtype <> 'd'
    union all
    select t.oid, base.type from pg_type t join base on t.typbasetype = base.oid where t.typtype = 'd')
  select n.nspname as schema, c.relname as table, a.attname as column, t.typname as type
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join base on base.oid = a.atttypid left join pg_type t on t.oid = base.type
  where c.relkind = 'r' and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  order by 1, 2, a.attname`;

const senders: Readonly<Record<string, string>> = {
  float4: "float4send",
  float8: "float8send",
  point: "point_send",
  line: "line_send",
  lseg: "lseg_send",
  box: "box_send",
  path: "path_send",
  polygon: "poly_send",
  circle: "circle_send",
  _float4: "array_send",
  _float8: "array_send",
  _point: "array_send",
};

/**
 * Of every table with rows of its own in the client's database, unlogged ones and partitions' leaves too; by
 * "schema.table". Floats inside of composite types are compared as text.
 */
export async function zooCounts(client: pg.Client): Promise<ReadonlyMap<string, TableContent>> {
  await client.query("begin isolation level repeatable read, read only");
  try {
    for (const each of settings) await client.query(`set local ${each}`);
    const { rows } = await client.query<Column>(columnsSql);
    const tables = new Map<string, Column[]>();
    for (const row of rows) {
      const key = `${row.schema}.${row.table}`;
      tables.set(key, [...(tables.get(key) ?? []), row]);
    }
    const contents = new Map<string, TableContent>();
    for (const [key, columns] of tables) contents.set(key, await contentOf(client, columns));
    return contents;
  } finally {
    await client.query("rollback");
  }
}

async function contentOf(client: pg.Client, columns: readonly Column[]): Promise<TableContent> {
  const [first] = columns;
  if (first === undefined) throw new Error("a table has a row in this list even without columns");
  const texts = columns.flatMap(({ column, type }) => {
    if (column === null) return [];
    const sender = senders[type];
    return [sender ? `encode(pg_catalog.${sender}(${quoted(column)}), 'hex')` : `${quoted(column)}::text`];
  });
  // a row of texts tells a NULL from an empty one, and where each ends
  const { rows } = await client.query<TableContent>(`
    select count(*)::int as count, coalesce(sum(('x' || left(md5(line), 16))::bit(64)::bigint::numeric), 0)::text as hash
    from (select row(${texts.join(", ")})::text as line from only ${quoted(first.schema)}.${quoted(first.table)}) lines`);
  return rows[0] ?? { count: 0, hash: "0" };
}
