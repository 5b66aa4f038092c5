/**
 * Triggers that fire while changes of the other side are applied (ENABLE ALWAYS, ENABLE REPLICA): quiet on whichever server follows,
 * since what they do was done by the other one already. The new one until it is opened, the old one from then on.
 */
import { z } from "zod";
import { markOf } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../verb.ts";
import { slug } from "../databases.ts";
import { ask, inEach, ofDatabases, ownerOf, patiently, probeOf, resultOf } from "./desk.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

interface Place {
  readonly database: string;
  readonly rollout: string;
}

/** `ALTER TABLE ONLY … ENABLE ALWAYS TRIGGER …`, without its first three words: a partition may have it otherwise than its parent. */
const quietened = z.object({ wakes: z.array(z.object({ table: z.string(), words: z.string() })) });

export function triggerVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.quiet-triggers",
      class: "reversible",
      args: ofDatabases,
      run: (context, args) =>
        resultOf(async () => {
          let count = 0;
          for (const database of args.databases)
            count += await quieten(context, means, { database, rollout: ownerOf(context, args) });
          return done({ triggers: String(count) });
        }),
      probe: (context, args) =>
        probeOf(async () =>
          (await inEach(context, means, args.databases, firing))
            .flat()
            .map(({ table, name }) => `${table} ${name}`),
        ),
    }),
    verb({
      name: "postgresql.wake-triggers",
      class: "reversible",
      args: ofDatabases,
      run: (context, args) =>
        resultOf(async () => {
          for (const database of args.databases)
            await awaken(context, means, { database, rollout: ownerOf(context, args) });
          return done();
        }),
      probe: (context, args) =>
        probeOf(async () => {
          const left: string[] = [];
          for (const database of args.databases) {
            const mark = await markFor(context, { database, rollout: ownerOf(context, args) }).read();
            if (mark !== undefined) left.push(database);
          }
          return left;
        }),
    }),
  ];
}

function markFor({ host }: StepContext, { database, rollout }: Place) {
  return markOf({ host, rollout }, `triggers-${slug(database)}`, quietened);
}

export async function quieten(context: StepContext, means: Means, place: Place): Promise<number> {
  const { database } = place;
  const found = await ask(context, means, firing, { database });
  if (found.length === 0) return 0;
  const mark = markFor(context, place);
  const known = (await mark.read())?.wakes ?? [];
  const wakes = found.map(({ table, name, mode }) => ({ table, words: `ENABLE ${mode} TRIGGER ${name}` }));
  await mark.write({ wakes: [...known, ...wakes] });
  await ask(
    context,
    means,
    async (sql) => {
      for (const { table, name } of found)
        await patiently(context, () => sql.run(`ALTER TABLE ONLY ${table} DISABLE TRIGGER ${name}`));
    },
    { database },
  );
  return found.length;
}

/** Up to 14 what a partition has from its parent is called internal; so are keys of others, which stay. */
const isOfUser = "(NOT tgisinternal OR (c.relispartition AND tgconstraint = 0 AND tgtype & 1 = 1))";

/** By their quoted names. */
export async function firing(
  sql: Sql,
): Promise<readonly { readonly table: string; readonly name: string; readonly mode: string }[]> {
  const rows = await sql.rows(`
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS "table", quote_ident(tgname) AS name,
           CASE tgenabled WHEN 'A' THEN 'ALWAYS' ELSE 'REPLICA' END AS mode
      FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
     WHERE ${isOfUser} AND tgenabled IN ('A', 'R') ORDER BY 1, 2`);
  return rows.map(({ table, name, mode }) => ({ table: table ?? "", name: name ?? "", mode: mode ?? "" }));
}

/** `table trigger`, quoted. */
const allTriggers = `
  SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' ' || quote_ident(tgname) AS name
    FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace`;

/** Those that are still there. `onlyForget`: their database is about to go. */
export async function awaken(
  context: StepContext,
  means: Means,
  place: Place & { readonly onlyForget?: boolean },
): Promise<void> {
  const mark = markFor(context, place);
  const wakes = (await mark.read())?.wakes ?? [];
  if (place.onlyForget !== true && wakes.length > 0)
    await ask(
      context,
      means,
      async (sql) => {
        const there = new Set((await sql.rows(allTriggers)).map(({ name }) => name));
        // both ends are closed by now: what was dropped meanwhile, and on both of them, keeps nobody out
        for (const { table, words } of wakes)
          if (there.has(`${table} ${words.replace(/^ENABLE (ALWAYS|REPLICA) TRIGGER /, "")}`))
            await patiently(context, () => sql.run(`ALTER TABLE ONLY ${table} ${words}`));
      },
      { database: place.database },
    );
  await mark.remove();
}
