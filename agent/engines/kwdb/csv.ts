/** The database's CSV dialect: LF line ends, NULL for null, "" for an empty string, quotes doubled inside quotes. */

/** Rows by column name; a quoted NULL is a text, a bare one is null. */
export function parseCsv(text: string): readonly Readonly<Record<string, string | null>>[] {
  const [header, ...rows] = parseRows(text);
  if (header === undefined) return [];
  const names = header.map((name) => name ?? "");
  return rows.map((row) => Object.fromEntries(names.map((name, column) => [name, row[column] ?? null])));
}

function parseRows(text: string): readonly (readonly (string | null)[])[] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    const field = text[at] === '"' ? quoted(text, at) : bare(text, at);
    row.push(field.value);
    at = field.end;
    if (text[at] === ",") at += 1;
    else {
      rows.push(row);
      row = [];
      at += 1;
    }
  }
  return rows;
}

function quoted(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = "";
  let at = from + 1;
  while (at < text.length) {
    if (text[at] !== '"') value += text[at];
    else if (text[at + 1] === '"') {
      value += '"';
      at += 1;
    } else break;
    at += 1;
  }
  return { value, end: at + 1 };
}

function bare(text: string, from: number): { readonly value: string | null; readonly end: number } {
  const end = text.slice(from).search(/[,\n]/);
  const value = end === -1 ? text.slice(from) : text.slice(from, from + end);
  return {
    value: value === "NULL" ? null : value.replace(/\r$/, ""),
    end: end === -1 ? text.length : from + end,
  };
}
