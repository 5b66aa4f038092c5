/** What a writer was promised, and whether a server keeps it. */
import type pg from "pg";

export interface AcceptedRow {
  readonly id: number;
  /** Its url. */
  readonly server: string;
  /** Wall times in ms: its transaction's begin, and the acknowledgement of its COMMIT. */
  readonly before: number;
  readonly at: number;
}

export interface WriterLog {
  readonly table: string;
  /** First and last id that was tried. */
  readonly tried: readonly [first: number, last: number];
  readonly accepted: readonly AcceptedRow[];
  /** Ids whose COMMIT was sent and not answered: they may be there or not. */
  readonly unknown: readonly number[];
  /** Longest time between two acknowledgements, and to the end: an application's downtime. */
  readonly longestPauseMs: number;
  /** What refused, in its own words, without repetitions in a row. */
  readonly refusals: readonly string[];
}

/** Of a row as inserted, and after the next one has come. */
export const bodies = { fresh: "fresh", changed: "changed" } as const;

/** Whether this row's transaction deletes the fifth before it. */
export function deletes(id: number): boolean {
  return id % 10 === 0;
}

export interface RowsProof {
  /** Accepted, and not there. */
  readonly lost: readonly number[];
  /** There more than once. */
  readonly doubled: readonly number[];
  /** There with a body, or there at all, against an accepted change or deletion. */
  readonly stale: readonly number[];
  /** There, though tried and neither accepted nor unknown. */
  readonly strange: readonly number[];
}

/** Holds what was promised against what the client's server has; all four lists are empty where all is well. */
export async function proveRows(log: WriterLog, client: pg.Client): Promise<RowsProof> {
  const { rows } = await client.query<{ id: string; body: string }>(`select id, body from ${log.table}`);
  const found = new Map<number, string[]>();
  for (const { id, body } of rows) found.set(Number(id), [...(found.get(Number(id)) ?? []), body]);
  const accepted = new Set(log.accepted.map(({ id }) => id));
  const unknown = new Set(log.unknown);
  const deleter = (id: number) => (deletes(id + 5) ? id + 5 : undefined);
  const proof = { lost: [] as number[], doubled: [] as number[], stale: [] as number[] };
  for (const id of accepted) {
    const gone = deleter(id);
    const there = found.get(id) ?? [];
    if (gone !== undefined && accepted.has(gone)) {
      if (there.length > 0) proof.stale.push(id);
    } else if (there.length === 0) {
      if (gone === undefined || !unknown.has(gone)) proof.lost.push(id);
    } else if (accepted.has(id + 1) && there.includes(bodies.fresh)) proof.stale.push(id);
  }
  for (const [id, there] of found) if (there.length > 1) proof.doubled.push(id);
  const [first, last] = log.tried;
  const strange = [...found.keys()].filter(
    (id) => id >= first && id <= last && !accepted.has(id) && !unknown.has(id),
  );
  return { ...proof, strange };
}
