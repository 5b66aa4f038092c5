/** A part of a schema dump as a script for psql: the tools may be newer than the server, and set what it does not know. */
import { readFile, writeFile } from "node:fs/promises";
import type { StepContext } from "../../verb.ts";
import { client } from "./client-tools.ts";
import { ask } from "./desk.ts";
import type { Means } from "./settings.ts";
import { versionOf } from "./sql.ts";

export interface Part {
  /** The dump, and the list of what of it is wanted. */
  readonly file: string;
  readonly list: string;
  /** The database itself is made by it. */
  readonly create: boolean;
}

/** Settings that pg_dump writes at its head and that came with some version. */
const headSettings = [
  "transaction_timeout",
  "idle_in_transaction_session_timeout",
  "default_table_access_method",
  "row_security",
];

/** Path of the script. */
export async function scriptOf(context: StepContext, means: Means, part: Part): Promise<string> {
  const script = `${part.list}.sql`;
  const words = ["-L", part.list, "-f", script, ...(part.create ? ["--create"] : [])];
  await client(context, means, "pg_restore", [...words, part.file]);
  // a sign of each byte: it is in the encoding of its database
  const text = withoutSettings(await readFile(script, "latin1"), await unknownSettings(context, means));
  const version = await ask(context, means, versionOf);
  await writeFile(script, version < 150_000 ? withoutProvider(text) : text, "latin1");
  return script;
}

/** What a script may set at its head and this server does not know. */
export async function unknownSettings(context: StepContext, means: Means): Promise<readonly string[]> {
  const known = await ask(context, means, (sql) =>
    sql.rows("SELECT name FROM pg_settings WHERE name = ANY ($1::text[])", [`{${headSettings.join(",")}}`]),
  );
  return headSettings.filter((name) => known.every((row) => row["name"] !== name));
}

/** Before 15 every locale is the C library's, and CREATE DATABASE knows no word for it. */
export function withoutProvider(script: string): string {
  return script.replace(/^(CREATE DATABASE .*) LOCALE_PROVIDER = libc/gm, "$1");
}

/** At the heads alone, the script's own and that of each database that it enters: a function's body may say the same. */
export function withoutSettings(script: string, names: readonly string[]): string {
  let isHead = true;
  const lines = script.split("\n").filter((line) => {
    isHead = line.startsWith("\\connect ") || (isHead && ofHead.test(line));
    // this one stands before the first table, wherever that is
    const isSetHere = isHead || line === "SET default_table_access_method = heap;";
    return !isSetHere || !names.some((name) => line.startsWith(`SET ${name} = `));
  });
  return lines.join("\n");
}

/** What stands before the first statement that does anything. */
export function headOf(script: string): string {
  const lines = script.split("\n");
  const end = lines.findIndex((line) => !ofHead.test(line));
  return end === -1
    ? script
    : lines
        .slice(0, end)
        .map((line) => `${line}\n`)
        .join("");
}

/** Empty, a comment, a setting, or a word to psql. */
const ofHead = /^(?:$|--|SET \w+ = |SELECT pg_catalog\.set_config\(|\\)/;

/** All scripts, the first error ends it; in one transaction where they make no database. */
export async function play(
  context: StepContext,
  means: Means,
  {
    scripts,
    into,
    whole,
  }: { readonly scripts: readonly string[]; readonly into: string; readonly whole: boolean },
): Promise<void> {
  const words = ["-X", "-q", ...(whole ? ["-1"] : []), "-v", "ON_ERROR_STOP=1", "-d", into];
  await client(context, means, "psql", [...words, ...scripts.flatMap((script) => ["-f", script])]);
}
