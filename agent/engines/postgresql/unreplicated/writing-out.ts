/** What replication does not carry, written out behind the fence and sent to the other side: by pg_dump, and told by content. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unreplicatedKinds } from "#proto/engines/postgresql-unreplicated.ts";
import { makeFolderDurably } from "../../../host/file-runner.ts";
import { markFolder } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { slug } from "../../databases.ts";
import { client } from "../client-tools.ts";
import { ask, must, resultOf } from "../desk.ts";
import { ofEach } from "../each-database.ts";
import { connection } from "../exporting.ts";
import type { Means } from "../settings.ts";
import { unloggedTables } from "./bulk.ts";
import {
  contentsIn,
  contentsOf,
  isNothing,
  type Kinds,
  parcelName,
  type SentContents,
  type Unreplicated,
} from "./contents.ts";
import { mustBeWithin, type WeighArgs, weighArgs } from "./weighing.ts";

export function writingOutVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.write-unreplicated",
      class: "observe",
      args: weighArgs,
      run: (context, given) => resultOf(() => write(context, means, given)),
    }),
  ];
}

/** The files are this agent's alone, and go when they were sent. */
async function write(context: StepContext, means: Means, given: WeighArgs): Promise<StepResult> {
  const { databases: names, kinds } = given;
  // some of it may have come since it was weighed
  await mustBeWithin(context, means, given);
  const databases = await ofEach(context, means, names, (sql) => contentsOf(sql, kinds));
  const sent: SentContents = { format: 1, kinds: [...kinds], databases };
  const folder = join(markFolder(context), "written-out");
  await makeFolderDurably(folder);
  try {
    for (const database of names) {
      const contents = contentsIn(sent, database);
      if (isNothing(contents)) continue;
      const file = join(folder, `${slug(database)}.sql.gz`);
      // a script: on the way back the other side's tools may be older, and read no archive of these
      const selected = selecting(contents);
      await client(context, means, "pg_dump", [
        ...["-Fp", "-Z", "1", "--data-only", ...selected],
        ...(await inEncodingOf(context, means, { words: selected, database })),
        ...["-f", file, "-d", connection(database)],
      ]);
      must(await context.parcels.send(`${parcelName}-${slug(database)}`, file));
    }
    const list = join(folder, "contents.json");
    await writeFile(list, JSON.stringify(sent), { mode: 0o600 });
    must(await context.parcels.send(parcelName, list));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return done(await leftBehind(context, means, names, kinds));
}

/** No other table's rows: those are replicated. What is a name in SQL is a pattern that matches it alone. */
function selecting({ objects, tables }: Unreplicated): readonly string[] {
  const some = Object.entries(tables).filter(([, { rows }]) => rows !== "0");
  return [
    Object.keys(objects).length === 0 ? "-B" : "-b",
    ...(some.length === 0 ? ["-T", "*.*"] : ["--strict-names", ...some.flatMap(([name]) => ["-t", name])]),
  ];
}

/**
 * Patterns are read in the encoding of the dump, by default the database's; ours are UTF-8. One without an encoding takes them as they
 * are, and would not have rows back that are said to be UTF-8.
 */
async function inEncodingOf(
  context: StepContext,
  means: Means,
  { words, database }: { readonly words: readonly string[]; readonly database: string },
): Promise<readonly string[]> {
  if (words.every((word) => /^[ -~]*$/.test(word))) return [];
  const [row] = await ask(context, means, (sql) => sql.rows("SHOW server_encoding"), { database });
  return row?.["server_encoding"] === "SQL_ASCII" ? [] : ["-E", "UTF8"];
}

/** Of what a person has said that it stays: what it is by now. */
async function leftBehind(
  context: StepContext,
  means: Means,
  names: readonly string[],
  carried: Kinds,
): Promise<Readonly<Record<string, string>>> {
  const left = unreplicatedKinds.filter((kind) => !carried.includes(kind));
  if (left.length === 0) return {};
  const found = await ofEach(context, means, names, async (sql) => {
    const [row] = await sql.rows(`
      SELECT (SELECT count(*) FROM pg_largeobject_metadata)::text AS objects,
             (SELECT count(*) FROM ${unloggedTables} AND pg_relation_size(c.oid) > 0)::text AS tables`);
    const words = {
      "large-objects": row?.["objects"] === "0" ? [] : [`${row?.["objects"]} large objects`],
      unlogged: row?.["tables"] === "0" ? [] : [`rows of ${row?.["tables"]} unlogged tables`],
    };
    return left.flatMap((kind) => words[kind]).join(", ");
  });
  return Object.fromEntries(
    Object.entries(found).flatMap(([database, words]) =>
      words === "" ? [] : [[`told.left behind of ${database}`, words]],
    ),
  );
}
