/**
 * Rows of every table of a database, and of every column how many are not NULL: an empty text that came out as NULL, or
 * the other way round, leaves the rows as many as they were.
 */
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { literal, quoted } from "../../databases.ts";
import { askTable, type Desk } from "./desk.ts";

export const tableCountSchema = z.object({ rows: z.number(), filled: z.record(z.string(), z.number()) });
export type TableCount = z.infer<typeof tableCountSchema>;
/** By database, then by schema and table as `schema.table`. */
export const countsSchema = z.record(z.string(), z.record(z.string(), tableCountSchema));
export type Counts = z.infer<typeof countsSchema>;

/** An answer holds 64 KiB: names and columns are asked for in parts. */
const tablesAtOnce = 300;
const columnsAtOnce = 100;
const internal = "('information_schema', 'pg_catalog', 'kwdb_internal', 'pg_extension')";

interface Table {
  readonly schema: string;
  readonly name: string;
}

export async function countRows(
  desk: Desk,
  databases: readonly string[],
  deadlineMs: number,
): Promise<Outcome<Counts>> {
  const counts: Record<string, Record<string, TableCount>> = {};
  for (const database of databases) {
    const tables = await tablesOf(desk, database);
    if (!tables.ok) return tables;
    const ofDatabase: Record<string, TableCount> = {};
    for (const table of tables.value) {
      const count = await countTable(desk, { database, ...table }, deadlineMs);
      if (!count.ok) return count;
      ofDatabase[`${table.schema}.${table.name}`] = count.value;
      desk.context.progress({ database, tables: String(Object.keys(ofDatabase).length) });
    }
    counts[database] = ofDatabase;
  }
  return succeed(counts);
}

async function tablesOf(desk: Desk, database: string): Promise<Outcome<readonly Table[]>> {
  const tables: Table[] = [];
  const from = `FROM ${quoted(database)}.information_schema.tables WHERE table_schema NOT IN ${internal} AND table_type NOT LIKE '%VIEW'`;
  for (;;) {
    const sql = `SELECT table_schema, table_name ${from} ORDER BY table_schema, table_name LIMIT ${tablesAtOnce} OFFSET ${tables.length}`;
    const rows = await askTable(desk, sql, { columns: ["table_schema", "table_name"] });
    if (!rows.ok) return rows;
    for (const row of rows.value)
      tables.push({ schema: row["table_schema"] ?? "", name: row["table_name"] ?? "" });
    if (rows.value.length < tablesAtOnce) return succeed(tables);
  }
}

async function countTable(
  desk: Desk,
  { database, schema, name }: Table & { readonly database: string },
  deadlineMs: number,
): Promise<Outcome<TableCount>> {
  const columns = await columnsOf(desk, { database, schema, name });
  if (!columns.ok) return columns;
  const table = [database, schema, name].map(quoted).join(".");
  let rows = 0;
  const filled: Record<string, number> = {};
  for (let at = 0; at === 0 || at < columns.value.length; at += columnsAtOnce) {
    const part = columns.value.slice(at, at + columnsAtOnce);
    const counts = part.map((column, index) => `, count(${quoted(column)}) AS c${index}`).join("");
    const answer = await askTable(desk, `SELECT count(*) AS n${counts} FROM ${table}`, {
      columns: ["n"],
      deadlineMs,
    });
    if (!answer.ok) return answer;
    const [row] = answer.value;
    rows = Number(row?.["n"]);
    for (const [index, column] of part.entries()) filled[column] = Number(row?.[`c${index}`]);
    if ([rows, ...Object.values(filled)].some(Number.isNaN))
      return fail("kwdb.answer-unreadable", { wanted: "numbers", found: JSON.stringify(row).slice(0, 200) });
  }
  return succeed({ rows, filled });
}

async function columnsOf(
  desk: Desk,
  { database, schema, name }: Table & { readonly database: string },
): Promise<Outcome<readonly string[]>> {
  const sql = `SELECT column_name FROM ${quoted(database)}.information_schema.columns WHERE table_schema = ${literal(schema)} AND table_name = ${literal(name)} ORDER BY ordinal_position`;
  const rows = await askTable(desk, sql, { columns: ["column_name"] });
  return rows.ok ? succeed(rows.value.map((row) => row["column_name"] ?? "")) : rows;
}

export interface Total {
  readonly tables: number;
  readonly rows: number;
}

export function totalOf(counts: Counts): Total {
  const all = Object.values(counts).flatMap((tables) => Object.values(tables));
  return { tables: all.length, rows: all.reduce((sum, { rows }) => sum + rows, 0) };
}
