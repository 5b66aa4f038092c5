/** Definitions of tables, as KWDB writes them and as PostgreSQL reads them. */
import { release } from "../build.ts";
import { CliError } from "../cli-error.ts";
import { type Bank, quoted } from "./bank.ts";
import type { Place } from "./names.ts";

/** From 3.1 on the words are gone. */
export function refuseOldWords(statement: string): void {
  const isGone = release.major > 3 || (release.major === 3 && release.minor >= 1);
  if (isGone && /\bpartition\s+interval\b/i.test(statement))
    throw new CliError({ message: 'at or near "interval": syntax error', sqlstate: "42601" });
}

export const isTimeSeries = (definition: string): boolean =>
  /\)\s*(?:tags|attributes)\s*\(/i.test(definition);

/** Columns and tags of a time-series table are columns alike; what follows them is KWDB's own. */
export async function createTable(bank: Bank, where: Place, definition: string): Promise<void> {
  refuseOldWords(definition);
  const { database, schema, table } = where;
  const ts = /^\((.*)\)\s*(?:tags|attributes)\s*\((.*?)\)\s*primary\s+tags\s*\(.*?\).*$/is.exec(definition);
  const columns = ts === null ? definition : `(${ts[1]}, ${ts[2]})`;
  const types = columns.replaceAll(/\bstring\b/gi, "text").replaceAll(/\bbytes\b/gi, "bytea");
  await bank.run(database, `CREATE TABLE ${quoted(schema)}.${quoted(table)} ${types}`);
  const isNew = release.major >= 3 || ts === null || /partition\s+interval/i.test(definition);
  await bank.known("INSERT INTO tables VALUES ($1, $2, $3, $4)", [
    database,
    schema,
    table,
    isNew ? definition : `${definition} PARTITION INTERVAL 10d`,
  ]);
}
