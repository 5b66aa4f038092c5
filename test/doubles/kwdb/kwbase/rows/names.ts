/** Names in statements: `a.b.c`, each bare or in double quotes. */
const name = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;

/** A chain of one to three names, as source of a regular expression; bare where a part is to be one group. */
export const chain = String.raw`${name}(?:\.${name}){0,2}`;

export function partsOf(text: string): readonly string[] {
  return (text.match(new RegExp(name, "gu")) ?? []).map(plain);
}

export function plain(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
}

export interface Place {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

/** `db.t` is of the schema public, as KWDB reads it. */
export function placeOf(text: string): Place {
  const [first = "", second = "", third] = partsOf(text);
  if (second === "") return { database: "defaultdb", schema: "public", table: first };
  return third === undefined
    ? { database: first, schema: "public", table: second }
    : { database: first, schema: second, table: third };
}
