/**
 * The contents of a schema dump, parted: what the copy needs (tables, keys, the indexes that are identities), and what comes
 * after it (other indexes, foreign keys, triggers). `pg_restore -l` prints them, `-L` takes them back. Pure.
 */

export interface Parts {
  readonly before: string;
  readonly after: string;
}

/** Their descriptions in the list, as pg_dump names them. */
const lateKinds = [
  "INDEX ATTACH",
  "INDEX",
  "FK CONSTRAINT",
  "CHECK CONSTRAINT",
  "EVENT TRIGGER",
  "TRIGGER",
  "RULE",
  "POLICY",
  "ROW SECURITY",
  "STATISTICS",
];
/** What a comment may speak of that comes late. */
const lateSubjects = /^(INDEX|CONSTRAINT|TRIGGER|EVENT TRIGGER|RULE|POLICY|STATISTICS) /;

/** `identities`: `schema index` of each index that is a replica identity. */
export function parted(list: string, identities: readonly string[]): Parts {
  const lines = entriesOf(list);
  const isEarlyIndex = (words: string) => identities.some((each) => words.startsWith(`INDEX ${each} `));
  const isLate = (line: string) => {
    const words = wordsOf(line);
    const about = /^COMMENT \S+ (.*)$/.exec(words)?.[1];
    if (about !== undefined) return lateSubjects.test(about);
    return !isEarlyIndex(words) && lateKinds.some((kind) => words.startsWith(`${kind} `));
  };
  const text = (late: boolean) => `${lines.filter((line) => isLate(line) === late).join("\n")}\n`;
  return { before: text(false), after: text(true) };
}

/**
 * The whole list, partitions made part of their tables after they have their keys and indexes: where those tables have theirs already,
 * a partition would be given them once more.
 */
export function partitionsLast(list: string): string {
  const lines = entriesOf(list);
  const rank = (line: string) => {
    if (/^\d+; \d+ \d+ TABLE ATTACH /.test(line)) return 1;
    return /^\d+; \d+ \d+ INDEX ATTACH /.test(line) ? 2 : 0;
  };
  const of = (wanted: number) => lines.filter((line) => rank(line) === wanted);
  return `${[...of(0), ...of(1), ...of(2)].join("\n")}\n`;
}

/** The list without what is there already: `there` has entries as a list names them, from their description on. */
export function withoutThose(list: string, there: readonly string[]): string {
  const known = new Set(there);
  return `${entriesOf(list)
    .filter((line) => !known.has(wordsOf(line)))
    .join("\n")}\n`;
}

function entriesOf(list: string): readonly string[] {
  return list.split("\n").filter((line) => /^\d+;/.test(line));
}

/** From the description on: `INDEX schema name owner`. */
function wordsOf(line: string): string {
  return line.replace(/^\d+; \d+ \d+ /, "");
}
