/** The tables of users as a stream of rows needs them on both sides: columns, and by what an UPDATE finds its row. */
import { z } from "zod";
import { isCut } from "../each-database.ts";
import { isOfMover } from "../published-tables.ts";
import { isOfExtension, isOfUser, relations } from "../relations.ts";
import { type Sql, versionOf } from "../sql.ts";

/** Names and types are quoted as a statement needs them. */
const columnSchema = z.object({
  name: z.string(),
  type: z.string(),
  /** Where it is not its type's own. */
  collation: z.string().nullable(),
  notNull: z.boolean(),
  /** It comes with a parent's: a partition, or a child. */
  inherited: z.boolean(),
  /** Generated, or an identity. */
  computed: z.boolean(),
  default: z.string().nullable(),
  /** What the rows have that were there before it was added, and that nobody has rewritten since; from 11 on. */
  fill: z.string().nullable(),
  /** Some rows have it, and whether from then or from an UPDATE since cannot be seen. */
  strange: z.boolean(),
});
export type Column = z.infer<typeof columnSchema>;

const keySchema = z.object({
  index: z.string(),
  definition: z.string(),
  constraint: z.object({ name: z.string(), definition: z.string() }).nullable(),
});

export const tableSchema = z.object({
  table: z.string(),
  /** Of a partitioned table the rows are its partitions'. */
  partitioned: z.boolean(),
  /** Its rows have been written anew: what they were filled with stands in the catalogue no more. */
  rewritten: z.boolean(),
  /** Its changes are published by FOR ALL TABLES. */
  published: z.boolean(),
  columns: z.array(columnSchema),
  /** As pg_class has it: d, i, f, n. */
  identity: z.string(),
  /** The index that this identity goes by; null where it has none, and where it needs none. */
  key: keySchema.nullable(),
});
export type Table = z.infer<typeof tableSchema>;

const columnsOf = (version: number) => `
  SELECT coalesce(json_agg(json_build_object(
           'name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
           'collation', CASE WHEN a.attcollation <> t.typcollation THEN (
             SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
               FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
           'notNull', a.attnotnull, 'inherited', a.attinhcount > 0,
           'computed', a.attidentity <> ''${version >= 120_000 ? " OR a.attgenerated <> ''" : ""},
           'default', pg_get_expr(d.adbin, d.adrelid), 'strange', false,
           'fill', ${version >= 110_000 ? "CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END" : "NULL::text"}
         ) ORDER BY a.attnum), '[]')
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`;

const keyOf = `
  SELECT json_build_object('index', quote_ident(x.relname), 'definition', pg_get_indexdef(i.indexrelid),
           'constraint', (SELECT json_build_object('name', quote_ident(k.conname), 'definition', pg_get_constraintdef(k.oid))
                            FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u') LIMIT 1))
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
     AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END`;

const query = (version: number) => `
  SELECT json_build_object('table', quote_ident(n.nspname) || '.' || quote_ident(c.relname),
           'partitioned', c.relkind = 'p',
           'rewritten', pg_relation_filenode(c.oid) IS DISTINCT FROM c.oid, 'published', c.relkind = 'r' AND c.relpersistence = 'p',
           'columns', (${columnsOf(version)}), 'identity', c.relreplident::text, 'key', (${keyOf}))::text AS shape
    FROM ${relations}
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${isOfUser} AND NOT ${isOfExtension} AND NOT ${isOfMover}
   ORDER BY n.nspname, c.relname`;

export async function tablesIn(sql: Sql): Promise<readonly Table[]> {
  const rows = await sql.rows(query(await versionOf(sql)));
  return rows.map(({ shape }) => tableSchema.parse(JSON.parse(shape ?? "")));
}

const lookMs = 60_000;

/** The table with what its rows say of columns that the other side has not, where the catalogue does not say it. */
export async function seenIn(sql: Sql, table: Table, known: readonly string[]): Promise<Table> {
  if (!table.rewritten) return table;
  const columns: Column[] = [];
  for (const column of table.columns) {
    const { name, inherited, default: given, fill } = column;
    const isAsked = !known.includes(name) && !inherited && given === null && fill === null;
    columns.push(isAsked ? { ...column, strange: await hasAny(sql, table.table, name) } : column);
  }
  return { ...table, columns };
}

/** Too large to be looked through is not known either. */
async function hasAny(sql: Sql, table: string, column: string): Promise<boolean> {
  await sql.run(`SET statement_timeout = ${lookMs}`);
  try {
    const [row] = await sql.rows(
      `SELECT EXISTS (SELECT FROM ${table} WHERE ${column} IS NOT NULL)::text AS has`,
    );
    return row?.["has"] !== "false";
  } catch (error) {
    if (isCut(error)) return true;
    throw error;
  }
}
