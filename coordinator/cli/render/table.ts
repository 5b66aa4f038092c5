/** Tables for people: left-aligned columns, two spaces between, Chinese names at their real width. */
import { eastAsianWidth } from "get-east-asian-width";
import { render } from "#proto/catalogue/render.ts";
import { type FailureCode, failure } from "#proto/common/failure.ts";

const esc = String.fromCharCode(27);
const escapes = new RegExp(`${esc}\\[[0-9;]*m`, "g");
/** A colour, or one character. */
const pieces = new RegExp(`${esc}\\[[0-9;]*m|[\\s\\S]`, "gu");

/** Columns that a text takes on a terminal; colour takes none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text.replace(escapes, "")) width += eastAsianWidth(character.codePointAt(0) ?? 0);
  return width;
}

export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** The end is cut and marked, so that names keep their beginning; colours that were begun are ended. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let taken = 0;
  let coloured = false;
  for (const part of text.match(pieces) ?? []) {
    if (part.startsWith(esc)) coloured = true;
    else taken += widthOf(part);
    if (taken > width - 1) break;
    kept += part;
  }
  return `${kept}…${coloured ? `${esc}[0m` : ""}`;
}

/** A row is a line, whatever was found. */
function inOneLine(text: string): string {
  return text
    .trim()
    .replace(/:\s*[\r\n]\s*/g, ": ")
    .replace(/\s*[\r\n]\s*/g, "; ")
    .replaceAll("\t", " ");
}

export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map(inOneLine));
  const widths = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  return all
    .map((row) =>
      row
        .map((cell, column) => padTo(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** In place of a table without rows: that there is nothing, and the command that makes something. */
export function nothing(code: FailureCode): string {
  const { says, next } = render(failure(code));
  return `${says}${next === undefined ? "" : `; next: ${next}`}`;
}
