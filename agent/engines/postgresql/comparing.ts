/** The open side's answer to what the closed one holds: counts and contents, and no difference passed over. */
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { countRows, hashRows, tablesBySize } from "./content.ts";
import { type Content, contentOf, type Measured, otherSide } from "./contents-kept.ts";
import { ofDatabases, resultOf, stop } from "./desk.ts";
import { ofEach } from "./each-database.ts";
import { sequencesUnlike } from "./sequences.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

export function comparingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.compare",
      class: "observe",
      args: ofDatabases,
      run: (context, given) => resultOf(() => compare(context, means, given.databases)),
    }),
  ];
}

async function compare(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  return compareWith(context, means, { names, other: await otherSide(context) });
}

/** Every table's rows are counted; contents as far as the other side came. The first difference ends it. */
export async function compareWith(
  context: StepContext,
  means: Means,
  { names, other }: { readonly names: readonly string[]; readonly other: Measured },
): Promise<StepResult> {
  const found = await ofEach(context, means, names, (sql) =>
    differencesFrom(contentOf(other, sql.database), sql),
  );
  const told: Record<string, string> = {};
  for (const database of names) {
    const differences = found[database] ?? [];
    if (differences.length > 0)
      stop("postgresql.data-differs", { database, found: differences.slice(0, 10).join("; ") });
    told[`told.comparison of ${database}`] = comparedBy(contentOf(other, database));
  }
  const sequences = await sequencesUnlike(context, means, { names, other });
  if (sequences.length > 0) stop("postgresql.sequences-differ", { found: sequences.slice(0, 10).join("; ") });
  return done(told);
}

async function differencesFrom(wanted: Content, sql: Sql): Promise<readonly string[]> {
  const here = (await tablesBySize(sql)).map(({ table }) => table);
  const tables = Object.keys(wanted.counts);
  const missing = tables.filter((table) => !here.includes(table));
  if (missing.length > 0) return missing.map((table) => `${table} is not there`);
  const counts = await countRows(sql, tables);
  const wrong = tables.filter((table) => counts[table] !== wanted.counts[table]);
  if (wrong.length > 0)
    return wrong.map((table) => `${table}: ${wanted.counts[table]} rows there, ${counts[table]} here`);
  const unlike: string[] = [];
  for (const [table, hash] of Object.entries(wanted.hashes))
    if ((await hashRows(sql, table)) !== hash) unlike.push(`${table}: as many rows, other content`);
  return unlike;
}

/** As a person reads it at the end; what was counted alone stands first, since its content was not looked at. */
function comparedBy({ counts, hashes }: Content): string {
  const names = Object.keys(counts);
  const said = (words: string, tables: readonly string[]) =>
    tables.length === 0 ? [] : [`${words}: ${tables.join(", ")}`];
  const parts = [
    ...said(
      "equal by number of rows only",
      names.filter((table) => hashes[table] === undefined),
    ),
    ...said(
      "equal by number of rows and content",
      names.filter((table) => hashes[table] !== undefined),
    ),
  ];
  return parts.length === 0 ? "it has no tables" : parts.join("; ").slice(0, 2_000);
}
