/**
 * A small SELECT over the known tables: columns, count(*), unnest of an array, WHERE with AND, GROUP BY,
 * ORDER BY, LIMIT. Whatever it does not understand it refuses, loudly.
 */
import { CliError } from "./cli-error.ts";
import type { View } from "./records.ts";
import type { Cell, Table } from "./table.ts";
import { type Source, sources } from "./tables.ts";

type Row = Readonly<Record<string, Cell>>;

export function refuse(statement: string): never {
  throw new CliError({
    message: `the stand-in does not know this statement: ${statement}`,
    sqlstate: "0A000",
  });
}

const shape =
  /^select (?<what>.+?) from (?<from>\[show jobs\]|[a-z_.]+)(?: where (?<where>.+?))?(?: group by (?<group>.+?))?(?: order by (?<order>.+?))?(?: limit (?<limit>\d+))?$/i;

const splitList = (text: string): readonly string[] => text.split(/,(?![^(]*\))/).map((part) => part.trim());

const literal = (text: string): Cell => {
  const quoted = /^'(.*)'$/.exec(text);
  if (quoted !== null) return quoted[1] ?? "";
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return /^null$/i.test(text) ? null : Number(text);
};

function condition(text: string): (row: Row) => boolean {
  const list = /^([a-z_]+) (not )?in \((.*)\)$/i.exec(text);
  if (list !== null) {
    const wanted = splitList(list[3] ?? "").map((item) => String(literal(item)));
    return (row) => wanted.includes(String(row[list[1] ?? ""])) === (list[2] === undefined);
  }
  const nullity = /^([a-z_]+) is (not )?null$/i.exec(text);
  if (nullity !== null) return (row) => (row[nullity[1] ?? ""] === null) === (nullity[2] === undefined);
  const compared = /^([a-z_]+) ?(=|!=|<>) ?('[^']*'|[\w.-]+)$/i.exec(text);
  if (compared === null) refuse(text);
  const [, column = "", operator, right = ""] = compared;
  return (row) => (String(row[column]) === String(literal(right))) === (operator === "=");
}

interface Output {
  readonly name: string;
  readonly value: (rows: readonly Row[]) => Cell;
  /** Set where each element of the array becomes a row of its own. */
  readonly spread?: string;
}

function output(text: string, columns: readonly string[]): Output {
  const [, body = "", , alias] = /^(.+?)( as ([a-z_]+))?$/i.exec(text) ?? [];
  if (/^count\(\*\)$/i.test(body)) return { name: alias ?? "count", value: (rows) => rows.length };
  const spread = /^unnest\(([a-z_]+)\)$/i.exec(body)?.[1];
  const column = spread ?? body.replace(/::[a-z]+$/i, "");
  if (!columns.includes(column))
    throw new CliError({ message: `column "${column}" does not exist`, sqlstate: "42703" });
  return {
    name: alias ?? (spread === undefined ? column : "unnest"),
    value: ([row]) => row?.[column] ?? null,
    ...(spread === undefined ? {} : { spread }),
  };
}

const spreadRows = (rows: readonly Row[], column: string): readonly Row[] =>
  rows.flatMap((row) =>
    String(row[column])
      .slice(1, -1)
      .split(",")
      .filter((item) => item !== "")
      .map((item) => ({ ...row, [column]: Number(item) })),
  );

function grouped(rows: readonly Row[], keys: readonly ((row: Row) => Cell)[]): readonly (readonly Row[])[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(keys.map((of) => of(row)));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

function sorted(
  rows: readonly (readonly Cell[])[],
  outputs: readonly Output[],
  order: string | undefined,
): readonly (readonly Cell[])[] {
  if (order === undefined) return rows;
  const keys = splitList(order).map((part) => {
    const [name = "", direction] = part.split(" ");
    const at = /^\d+$/.test(name) ? Number(name) - 1 : outputs.findIndex((found) => found.name === name);
    if (at < 0) refuse(`order by ${part}`);
    return { at, sign: direction?.toLowerCase() === "desc" ? -1 : 1 };
  });
  const compare = (a: Cell, b: Cell) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return rows.toSorted((a, b) =>
    keys.reduce((found, { at, sign }) => found || sign * compare(a[at] ?? null, b[at] ?? null), 0),
  );
}

/** The table a statement reads from, for the question whether it blocks. */
export function sourceOf(statement: string): Source | undefined {
  return sources[shape.exec(statement)?.groups?.["from"]?.toLowerCase() ?? ""];
}

export function select(statement: string, view: View): Table {
  const { what = "", where, group, order, limit } = shape.exec(statement)?.groups ?? refuse(statement);
  const source = sourceOf(statement) ?? refuse(statement);
  const outputs = splitList(what).flatMap((part) =>
    part === "*"
      ? source.columns.map((name) => output(name, source.columns))
      : [output(part, source.columns)],
  );
  const spread = outputs.find((found) => found.spread !== undefined)?.spread;
  const tests = where === undefined ? [] : where.split(/ and /i).map((part) => condition(part.trim()));
  const all = source
    .rows(view)
    .map((cells): Row => Object.fromEntries(source.columns.map((name, at) => [name, cells[at] ?? null])));
  const kept = (spread === undefined ? all : spreadRows(all, spread)).filter((row) =>
    tests.every((test) => test(row)),
  );
  const counts = /\bcount\(/i.test(what);
  const keys =
    group === undefined
      ? []
      : splitList(group).map(
          (name) =>
            (/^\d+$/.test(name) ? outputs[Number(name) - 1] : output(name, source.columns)) ??
            refuse(statement),
        );
  const groups =
    keys.length > 0
      ? grouped(
          kept,
          keys.map((key) => (row: Row) => key.value([row])),
        )
      : counts
        ? [kept]
        : kept.map((row) => [row]);
  const rows = groups.map((rowsOfGroup) => outputs.map((found) => found.value(rowsOfGroup)));
  return {
    columns: outputs.map((found) => found.name),
    rows: sorted(rows, outputs, order).slice(0, limit === undefined ? undefined : Number(limit)),
  };
}
