/** What replication does not carry, held against what was written out: on the side that has loaded it, and where it came from. */
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases } from "../../databases.ts";
import { ask, resultOf, stop } from "../desk.ts";
import { ofEach } from "../each-database.ts";
import type { Means } from "../settings.ts";
import {
  contentsIn,
  contentsOf,
  differencesOf,
  type SentContents,
  sentContents,
  type Unreplicated,
} from "./contents.ts";

const args = z.strictObject({ databases });

export function comparingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.compare-unreplicated",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => compare(context, means, given.databases)),
    }),
    verb({
      name: "postgresql.prove-unreplicated",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => proveUnchanged(context, means, given.databases)),
    }),
  ];
}

/** On the side that was left: a superuser's large objects pass the fence, before 16 also where he asks for nothing. */
async function proveUnchanged(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<StepResult> {
  const found = await unlike(context, means, names, await sentContents(context));
  const all = names.flatMap((database) => (found[database] ?? []).map((each) => `${database}: ${each}`));
  if (all.length > 0) stop("postgresql.written-behind-fence", { found: all.slice(0, 10).join("; ") });
  return done();
}

async function compare(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const sent = await sentContents(context);
  // what is seen below was committed without waiting for the disk
  await ask(context, means, (sql) => sql.run(flushed));
  const found = await unlike(context, means, names, sent);
  const told: Record<string, string> = {};
  for (const database of names) {
    const differences = found[database] ?? [];
    if (differences.length > 0)
      stop("postgresql.data-differs", { database, found: differences.slice(0, 10).join("; ") });
    Object.assign(told, saying(database, contentsIn(sent, database)));
  }
  return done(told);
}

/** A commit that waits until the disk has all before it, of whatever session; not for standbys. */
const flushed =
  "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'lockkeeper', 'loaded')";

/** By database. */
export async function unlike(
  context: StepContext,
  means: Means,
  names: readonly string[],
  sent: SentContents,
): Promise<Record<string, readonly string[]>> {
  return ofEach(context, means, names, async (sql) =>
    differencesOf(contentsIn(sent, sql.database), await contentsOf(sql, sent.kinds)),
  );
}

/** As a person reads it at the end; nothing of what is not there. */
function saying(database: string, { objects, tables }: Unreplicated): Readonly<Record<string, string>> {
  const count = Object.keys(objects).length;
  const names = Object.keys(tables);
  const rows = Object.values(tables).reduce((sum, each) => sum + BigInt(each.rows), 0n);
  return {
    ...(count === 0
      ? {}
      : {
          [`told.large objects of ${database}`]: `${count} went along; equal by content, owner, rights and comment`,
        }),
    ...(names.length === 0
      ? {}
      : {
          [`told.unlogged tables of ${database}`]: `${names.length} went along with ${rows} rows; equal by content`,
        }),
  };
}
