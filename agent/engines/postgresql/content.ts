/**
 * Counts and contents of tables, and where sequences stand: said in a way that is the same on every version. Floats go by their
 * bits, since their text has changed with version 12; all else by its text under the fixed settings of our connections. No function
 * runs that a user has made: whoever owns a type may give it a cast.
 */
import { isOfMover, publishedTables, tableName } from "./published-tables.ts";
import type { Row, Sql } from "./sql.ts";

export interface TableSize {
  readonly table: string;
  readonly bytes: number;
}

/** Smallest first. */
export async function tablesBySize(sql: Sql): Promise<readonly TableSize[]> {
  const rows = await sql.rows(`
    SELECT ${tableName} AS name, pg_relation_size(c.oid)::text AS bytes FROM ${publishedTables}
     ORDER BY pg_relation_size(c.oid), 1`);
  return rows.map((row) => ({ table: row["name"] ?? "", bytes: Number(row["bytes"]) }));
}

const perQuery = 50;

/** Rows of each table. */
export async function countRows(
  sql: Sql,
  tables: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const counts: Record<string, string> = {};
  for (let at = 0; at < tables.length; at += perQuery) {
    const some = tables.slice(at, at + perQuery);
    const words = some.map((table, index) => `SELECT ${index} AS i, count(*)::text AS n FROM ONLY ${table}`);
    for (const row of await sql.rows(words.join(" UNION ALL ")))
      counts[some[Number(row["i"])] ?? ""] = row["n"] ?? "";
  }
  return counts;
}

/** One number for all rows of a table, in whatever order they lie. */
export async function hashRows(sql: Sql, table: string): Promise<string> {
  const columns = await sql.rows(columnsOf, [table]);
  const parts = columns.map(termOf);
  const text = parts.length === 0 ? "''" : parts.join(" || ");
  const [row] = await sql.rows(`
    SELECT coalesce(sum(('x' || substr(md5(${text}), 1, 16))::bit(64)::bigint::numeric), 0)::text AS sum
      FROM ONLY ${table}`);
  return row?.["sum"] ?? "";
}

/** By the base of a domain; `type` and `element` name none but the server's own. */
const columnsOf = `
  SELECT quote_ident(attname) AS name, ${ownType("coalesce(b.oid, t.oid)")} AS type, ${ownType("e.oid")} AS element
    FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid
    LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
    LEFT JOIN pg_type e ON e.oid = nullif(t.typelem, 0) AND t.typlen = -1
   WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`;

function ownType(oid: string): string {
  return `coalesce((SELECT typname FROM pg_type o WHERE o.oid = ${oid} AND o.typnamespace = 'pg_catalog'::regnamespace), '')`;
}

/** Length and text, so that no two rows run into one another; `~` for NULL. */
function termOf({ name, type, element }: Row): string {
  const text = textOf(name ?? "", type ?? "", element ?? "");
  return `CASE num_nulls(${name}) WHEN 1 THEN '~' ELSE length(${text})::text || ':' || ${text} END`;
}

/** Types made of floats, and what gives their bits. */
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
};

function textOf(name: string, type: string, element: string): string {
  const sender = senders[type];
  if (sender !== undefined) return `encode(${sender}(${name}), 'hex')`;
  if (senders[element] !== undefined) return `encode(array_send(${name}), 'hex')`;
  if (type === "money") return `${name}::numeric::text`;
  // the text that the type's own output gives, past every cast; an xml's encoding is in no text that travels, and so not on the other side
  return type === "" || type === "xml" ? `format('%s', ${name})` : `${name}::text`;
}

export interface SequenceStand {
  readonly name: string;
  readonly last: string;
  readonly isCalled: string;
}

/** Of permanent sequences; by the sequence itself, since the view tells nothing of one that was never called. */
export async function sequencesOf(sql: Sql): Promise<readonly SequenceStand[]> {
  const names = await sql.rows(`
    SELECT ${tableName} AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND c.oid >= 16384 AND c.relpersistence <> 't' AND NOT ${isOfMover} ORDER BY 1`);
  const found: SequenceStand[] = [];
  for (let at = 0; at < names.length; at += perQuery) {
    const some = names.slice(at, at + perQuery).map((row) => row["name"] ?? "");
    const words = some.map(
      (name, index) =>
        `SELECT ${index} AS i, last_value::text AS last, is_called::text AS called FROM ${name}`,
    );
    for (const row of await sql.rows(words.join(" UNION ALL ")))
      found.push({
        name: some[Number(row["i"])] ?? "",
        last: row["last"] ?? "",
        isCalled: row["called"] ?? "",
      });
  }
  return found;
}
