/** What the other side has written out, in place of what is here. */
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably } from "../../../host/file-runner.ts";
import { markFolder } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases, slug } from "../../databases.ts";
import { ask, probeOf, resultOf, stop } from "../desk.ts";
import { connection } from "../exporting.ts";
import { takesWrites } from "../fence.ts";
import { fetched } from "../mending/parcel.ts";
import { play } from "../schema-script.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { unlike } from "./comparing.ts";
import {
  contentsIn,
  isNothing,
  type Kinds,
  parcelName,
  type SentContents,
  sentContents,
  type Unreplicated,
} from "./contents.ts";
import { type Cleared, clearing, clearingScript, writeScript } from "./script.ts";

const args = z.strictObject({ databases });

export function loadingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.load-unreplicated",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => load(context, means, given.databases)),
      probe: (context, given) =>
        probeOf(async () => {
          const sent = await sentContents(context);
          return Object.values(await unlike(context, means, given.databases, sent)).flat();
        }),
    }),
  ];
}

/** Whatever is here of these kinds goes first. Stops at a server that takes writes: it may be somebody's. */
async function load(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  if (await takesWrites(context, means)) stop("postgresql.unreplicated-open");
  const sent = await sentContents(context);
  const folder = join(markFolder(context), "loaded");
  await makeFolderDurably(folder);
  try {
    for (const database of names) await loadOne(context, means, { database, folder, sent });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return done();
}

/** With tools where the other side has sent something, and only then: an agent that was restarted counts them anew. */
async function loadOne(
  context: StepContext,
  means: Means,
  {
    database,
    folder,
    sent,
  }: { readonly database: string; readonly folder: string; readonly sent: SentContents },
): Promise<void> {
  const wanted = contentsIn(sent, database);
  const first = (sql: Sql) => clearedFirst(sql, sent.kinds, wanted);
  if (isNothing(wanted))
    return ask(context, means, async (sql) => clear(sql, await first(sql)), { database });
  const [before, rows] = ["before.sql", "rows.sql"].map((name) =>
    join(folder, `${slug(database)}.${name}`),
  ) as [string, string];
  await replace(before, clearingScript(await ask(context, means, first, { database })));
  const dump = await fetched(context, `${parcelName}-${slug(database)}`);
  await writeScript(context, means, { dump, script: rows });
  await play(context, means, { scripts: [before, rows], into: connection(database), whole: false });
  // rows of users: what is needed again is fetched again
  await rm(dump, { force: true });
}

async function clear(sql: Sql, cleared: Cleared): Promise<void> {
  for (const each of clearing(cleared)) await sql.rows(each);
}

async function clearedFirst(sql: Sql, kinds: Kinds, { tables }: Unreplicated): Promise<Cleared> {
  const [row] = await sql.rows("SELECT count(*)::text AS count FROM pg_largeobject_metadata");
  return {
    objects: kinds.includes("large-objects") ? Number(row?.["count"]) : 0,
    tables: Object.keys(tables),
  };
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text, { mode: 0o600 });
  await rename(`${file}.part`, file);
}
