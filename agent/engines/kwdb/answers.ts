/**
 * Several questions asked in one run of the client, and its output taken apart again. The client prints one
 * table after another and stops at the first statement that fails; each table begins with its known header, so
 * an answer that was cut, at its front by our own limit or at its end by a kill, is never taken for a short one.
 */
import { type Facts, type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Look } from "../../verb.ts";
import { type Cells, parseRecords } from "./csv.ts";

export type Row = Readonly<Record<string, string | null>>;

export interface Question {
  readonly sql: string;
  /** The answer's header, in order. */
  readonly columns: readonly string[];
}

/** One outcome a question, in their order. Refused: `kwdb.client-failed`, `kwdb.answer-unreadable`. */
export function readAnswers(look: Look, questions: readonly Question[]): readonly Outcome<readonly Row[]>[] {
  const records = parseRecords(look.stdout);
  const wasCut = look.timedOut || look.signal !== undefined || look.spawnError !== undefined;
  let at = 0;
  return questions.map((question, index) => {
    if (!isHeader(records[at], question)) {
      if (look.exitCode === 0 || at < records.length)
        return unreadable({ wanted: question.columns.join(","), found: textOf(records[at]) });
      return { ok: false, failure: clientFailure(look) };
    }
    const next = questions[index + 1];
    const end =
      next === undefined ? -1 : records.findIndex((cells, row) => row > at && isHeader(cells, next));
    const rows = records.slice(at + 1, end === -1 ? undefined : end);
    at = end === -1 ? records.length : end;
    if (end === -1 && wasCut) return { ok: false, failure: clientFailure(look) };
    return toRows(question, rows);
  });
}

/** A table whose header must hold these columns, in any order and among others. */
export function readTable(look: Look, columns: readonly string[]): Outcome<readonly Row[]> {
  if (look.exitCode !== 0) return { ok: false, failure: clientFailure(look) };
  const [header = [], ...rows] = parseRecords(look.stdout);
  const names = header.map((name) => name ?? "");
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length > 0) return unreadable({ wanted: columns.join(","), found: textOf(header) });
  return toRows({ sql: "", columns: names }, rows);
}

function toRows({ columns }: Question, rows: readonly Cells[]): Outcome<readonly Row[]> {
  const odd = rows.find((cells) => cells.length !== columns.length);
  if (odd !== undefined) return unreadable({ wanted: columns.join(","), found: textOf(odd) });
  return succeed(
    rows.map((cells) => Object.fromEntries(columns.map((name, column) => [name, cells[column] ?? null]))),
  );
}

function isHeader(cells: Cells | undefined, { columns }: Question): boolean {
  return cells?.length === columns.length && columns.every((name, column) => cells[column] === name);
}

function unreadable(facts: Facts): Outcome<never> {
  return fail("kwdb.answer-unreadable", facts);
}

function textOf(cells: Cells | undefined): string {
  return cells === undefined ? "nothing" : cells.join(",").slice(0, 200);
}

/** The client says its errors in the first line of stderr, as `ERROR: …`. */
export function clientFailure(look: Look): Failure {
  const [first = `exit ${look.exitCode}`, second = ""] = look.stderr
    .split("\n")
    .filter((line) => line !== "");
  // the first line of a refused connection does not say why; the line with the address does
  const dialled = look.stderr.split("\n").find((line) => line.startsWith("dial "));
  const said = [first.replace(/^ERROR: /, ""), dialled ?? (/^(DETAIL|HINT): /.test(second) ? second : "")]
    .filter((part) => part !== "")
    .join(" ");
  const cause = look.spawnError ?? (look.timedOut ? "it did not answer in time" : said);
  return { code: "kwdb.client-failed", facts: { cause } };
}
