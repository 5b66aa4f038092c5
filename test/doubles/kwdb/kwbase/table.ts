/** Result tables and the dialects kwbase prints them in: tsv, csv, table, records. */
import { CliError } from "./cli-error.ts";

export type Cell = string | number | boolean | null;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const formats = ["tsv", "csv", "table", "records", "sql", "html", "raw"] as const;
export type Format = (typeof formats)[number];

export function formatOf(asked: string | undefined, toTerminal: boolean): Format {
  const format = asked ?? (toTerminal ? "table" : "tsv");
  const found = formats.find((known) => known === format);
  if (found === undefined) {
    throw new CliError(
      `invalid argument "${format}" for "--format" flag: invalid table display format: ${format} (possible values: ${formats.join(", ")})`,
    );
  }
  return found;
}

const plain = (cell: Cell): string => (cell === null ? "NULL" : String(cell));

/** NULL is bare, the empty string is `""`; quoted when it holds delimiter, quote, line end, or begins with white space. */
export function field(cell: Cell, delimiter: string): string {
  const text = plain(cell);
  if (cell === "") return '""';
  const quote = text.includes(delimiter) || /["\r\n]/.test(text) || /^\s/.test(text);
  return quote ? `"${text.replaceAll('"', '""')}"` : text;
}

function separated(table: Table, delimiter: string): string {
  return [table.columns, ...table.rows]
    .map((row) => `${row.map((cell) => field(cell, delimiter)).join(delimiter)}\n`)
    .join("");
}

const counted = (rows: number): string => (rows === 1 ? "(1 row)\n" : `(${rows} rows)\n`);

function boxed(table: Table): string {
  const all = [table.columns, ...table.rows].map((row) => row.map(plain));
  const widths = table.columns.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `  ${row.map((text, at) => text.padEnd(widths[at] ?? 0)).join(" | ")}\n`;
  const rule = `-${widths.map((width) => "-".repeat(width + 2)).join("+")}-\n`;
  const [header = [], ...rows] = all;
  return line(header) + rule + rows.map(line).join("") + counted(table.rows.length);
}

function records(table: Table): string {
  const width = Math.max(0, ...table.columns.map((name) => name.length));
  return table.rows
    .map(
      (row, at) =>
        `-[ RECORD ${at + 1} ]\n${row.map((cell, column) => `${(table.columns[column] ?? "").padEnd(width)} | ${plain(cell)}\n`).join("")}`,
    )
    .join("");
}

export function render(table: Table, format: Format): string {
  switch (format) {
    case "csv":
      return separated(table, ",");
    case "tsv":
      return separated(table, "\t");
    case "table":
      return boxed(table);
    case "records":
      return records(table);
    case "sql":
    case "html":
    case "raw":
      throw new CliError(`the stand-in does not print the format ${format}`);
  }
}

/** kwbase's timestamps: microseconds with trailing zeros of the fraction trimmed. */
export function timestamp(ms: number): string {
  const iso = new Date(ms).toISOString();
  const fraction = iso.slice(20, 23).replace(/0+$/, "");
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction === "" ? "" : `.${fraction}`}+00:00`;
}
