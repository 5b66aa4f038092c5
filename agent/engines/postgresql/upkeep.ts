/** What a new server needs before it is opened: statistics, and its views filled. */
import { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../verb.ts";
import { databases } from "../databases.ts";
import { ask, ofDatabases, resultOf } from "./desk.ts";
import type { Means } from "./settings.ts";

const hour = 3_600_000;

export function upkeepVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.analyze",
      class: "observe",
      args: ofDatabases,
      run: (context, given) =>
        resultOf(async () => {
          for (const [index, database] of given.databases.entries()) {
            await ask(context, means, (sql) => sql.run("ANALYZE"), { database, statementMs: 12 * hour });
            context.progress({ database, done: String(index + 1), of: String(given.databases.length) });
          }
          return done({ databases: String(given.databases.length) });
        }),
    }),
    verb({
      name: "postgresql.refresh-views",
      class: "reversible",
      args: z.strictObject({ databases }),
      run: (context, given) => resultOf(() => refresh(context, means, given.databases)),
      // once more does no harm: a view is filled from what is there
      probe: () => Promise.resolve({ state: "not-done" }),
    }),
  ];
}

/** In the order in which they depend on each other. */
async function refresh(context: StepContext, means: Means, names: readonly string[]) {
  let count = 0;
  for (const database of names) {
    count += await ask(
      context,
      means,
      async (sql) => {
        const views = await sql.rows(`
          WITH RECURSIVE levels AS (
            SELECT c.oid, 0 AS level FROM pg_class c WHERE c.relkind = 'm'
            UNION ALL
            SELECT r.ev_class, l.level + 1 FROM levels l
              JOIN pg_depend d ON d.refobjid = l.oid AND d.classid = 'pg_rewrite'::regclass
              JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class m ON m.oid = r.ev_class
             WHERE r.ev_class <> l.oid AND m.relkind IN ('m', 'v') AND l.level < 50)
          SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
            FROM levels JOIN pg_class c ON c.oid = levels.oid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'm' GROUP BY 1 ORDER BY max(level), 1`);
        // a function within a view may name its tables as its owner does
        await sql.run('SET search_path = "$user", public');
        for (const { name } of views) await sql.run(`REFRESH MATERIALIZED VIEW ${name}`);
        return views.length;
      },
      { database, statementMs: 12 * hour },
    );
  }
  return done({ views: String(count) });
}
