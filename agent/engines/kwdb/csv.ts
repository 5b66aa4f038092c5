/** The database's CSV dialect: LF line ends, NULL for null, "" for an empty string, quotes doubled inside quotes. */

export type Cells = readonly (string | null)[];

/** One list of cells a record; a quoted NULL is a text, a bare one is null. */
export function parseRecords(text: string): readonly Cells[] {
  const records: (string | null)[][] = [];
  let record: (string | null)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const field = text[at] === '"' ? quoted(text, at) : bare(text, at);
    record.push(field.value);
    at = field.end;
    if (text[at] === ",") {
      // a delimiter at the very end leaves one more empty field
      if (at + 1 === text.length) record.push("");
      continue;
    }
    records.push(record);
    record = [];
  }
  if (record.length > 0) records.push(record);
  return records;
}

interface Field {
  readonly value: string | null;
  /** Index of the delimiter or line end behind it. */
  readonly end: number;
}

function quoted(text: string, from: number): Field {
  let close = text.indexOf('"', from + 1);
  while (close !== -1 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close === -1) return { value: text.slice(from + 1).replaceAll('""', '"'), end: text.length };
  const end = text[close + 1] === "\r" ? close + 2 : close + 1;
  return { value: text.slice(from + 1, close).replaceAll('""', '"'), end };
}

function bare(text: string, from: number): Field {
  const comma = text.indexOf(",", from);
  const line = text.indexOf("\n", from);
  const end = Math.min(comma === -1 ? text.length : comma, line === -1 ? text.length : line);
  const value = text.slice(from, end).replace(/\r$/, "");
  return { value: value === "NULL" ? null : value, end };
}
