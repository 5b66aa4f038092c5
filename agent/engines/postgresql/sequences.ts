/** Sequences, exactly as they stand on the side that is left. */
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { literal } from "../databases.ts";
import { sequencesOf } from "./content.ts";
import { contentOf, type Measured, otherSide } from "./contents-kept.ts";
import { ask, ofDatabases, probeOf, resultOf } from "./desk.ts";
import type { Means } from "./settings.ts";

/** A column without an index is read from the first row to the last. */
const statementMs = 50 * 60_000;

export function sequenceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.set-sequences",
      class: "reversible",
      args: ofDatabases,
      run: (context, given) => resultOf(() => setSequences(context, means, given.databases)),
      probe: (context, given) => probeOf(() => sequencesThatDiffer(context, means, given.databases)),
    }),
    verb({
      name: "postgresql.advance-sequences",
      class: "reversible",
      args: ofDatabases,
      run: (context, given) => resultOf(() => advance(context, means, given.databases)),
      // once more does no harm: a sequence never goes back by it
      probe: () => Promise.resolve({ state: "not-done" }),
    }),
  ];
}

async function setSequences(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<StepResult> {
  const other = await otherSide(context);
  let count = 0;
  for (const database of names) {
    const { sequences } = contentOf(other, database);
    if (sequences.length === 0) continue;
    const words = sequences.map(
      ({ name, last, isCalled }) =>
        `SELECT pg_catalog.setval(${literal(name)}::regclass, ${BigInt(last)}, ${isCalled === "true"})`,
    );
    await ask(context, means, (sql) => sql.run(`BEGIN; ${words.join("; ")}; COMMIT`), { database });
    count += sequences.length;
  }
  return done({ sequences: String(count) });
}

async function sequencesThatDiffer(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<readonly string[]> {
  return sequencesUnlike(context, means, { names, other: await otherSide(context) });
}

export async function sequencesUnlike(
  context: StepContext,
  means: Means,
  { names, other }: { readonly names: readonly string[]; readonly other: Measured },
): Promise<readonly string[]> {
  const differ: string[] = [];
  for (const database of names) {
    const here = await ask(context, means, sequencesOf, { database, readsRows: true });
    for (const wanted of contentOf(other, database).sequences) {
      const own = here.find(({ name }) => name === wanted.name);
      if (own === undefined || own.last !== wanted.last || own.isCalled !== wanted.isCalled)
        differ.push(`${database}: ${wanted.name}`);
    }
  }
  return differ;
}

/**
 * Of columns: up to the value that the column holds, where the other side cannot be asked any more. Those that stand alone stay, and
 * are told.
 */
async function advance(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const alone: string[] = [];
  const there = (await ask(context, means, (sql) => sql.rows("SELECT datname FROM pg_database"))).map(
    ({ datname }) => datname,
  );
  // since the retirement nothing keeps one from being dropped
  for (const database of names.filter((name) => there.includes(name)))
    await ask(
      context,
      means,
      async (sql) => {
        const rows = await sql.rows(allSequences);
        for (const { name, table, column, ascends, least, most } of rows) {
          if (!name || !table || !column) alone.push(`${database}: ${name ?? ""}`);
          else await sql.rows(advanced({ name, table, column, least, most, ascends: ascends === "true" }));
        }
      },
      { database, statementMs },
    );
  return done({
    "told.sequences": `set by the rows that are there${alone.length === 0 ? "" : `; set these yourself: ${alone.slice(0, 50).join(", ")}`}`,
  });
}

const allSequences = `
  SELECT quote_ident(sn.nspname) || '.' || quote_ident(s.relname) AS name,
         quote_ident(tn.nspname) || '.' || quote_ident(t.relname) AS table, quote_ident(a.attname) AS column,
         (p.seqincrement > 0)::text AS ascends, p.seqmin::text AS least, p.seqmax::text AS most
    FROM pg_sequence p JOIN pg_class s ON s.oid = p.seqrelid JOIN pg_namespace sn ON sn.oid = s.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
         AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
    LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
         AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   ORDER BY 1`;

/** A number that the sequence can never give is not one of its own. */
function advanced({
  name,
  table,
  column,
  ascends,
  least,
  most,
}: {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  readonly ascends: boolean;
  readonly least: string | null | undefined;
  readonly most: string | null | undefined;
}): string {
  const [last, beyond] = ascends ? ["max", ">"] : ["min", "<"];
  return `SELECT pg_catalog.setval(${literal(name)}::regclass, t.last::bigint, true)
            FROM (SELECT ${last}(${column}) AS last FROM ${table} WHERE ${column} BETWEEN '${BigInt(least ?? 0)}'::bigint AND '${BigInt(most ?? 0)}'::bigint) t, ${name} s
           WHERE t.last ${beyond} s.last_value OR t.last = s.last_value AND NOT s.is_called`;
}
