/** Columns that came late are as on the old server only when no row is left in the stream that was written without them. */
import { z } from "zod";
import { FailureError } from "#proto/common/failure.ts";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases, slug } from "../../databases.ts";
import { ask, patiently, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import { settlingOf } from "./column.ts";
import { tablesOfOld } from "./telling.ts";

/** Added, and not settled yet: names as statements need them. */
const added = z.object({ columns: z.array(z.object({ table: z.string(), name: z.string() })) });
type Added = z.infer<typeof added>["columns"][number];

/** Every row is looked at for what is NOT NULL. */
const statementMs = 50 * 60_000;

export function settlingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.settle-columns",
      class: "reversible",
      args: z.strictObject({ databases }),
      run: (context, given) => resultOf(() => settleAll(context, means, given.databases)),
      probe: (context, given) =>
        probeOf(async () => {
          const left: string[] = [];
          for (const database of given.databases)
            if ((await markFor(context, database).read()) !== undefined) left.push(database);
          return left;
        }),
    }),
  ];
}

function markFor(context: StepContext, database: string) {
  return markOf(context, `added-columns-${slug(database)}`, added);
}

/** Before it is added. */
export async function noteAdded(context: StepContext, database: string, column: Added): Promise<void> {
  const mark = markFor(context, database);
  const known = (await mark.read())?.columns ?? [];
  const isKnown = known.some(({ table, name }) => table === column.table && name === column.name);
  if (!isKnown) await mark.write({ columns: [...known, column] });
}

async function settleAll(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const there = await tablesOfOld(context);
  const refused: string[] = [];
  let count = 0;
  for (const database of names) {
    const mark = markFor(context, database);
    const columns = (await mark.read())?.columns ?? [];
    const old = there[database]?.tables ?? [];
    for (const { table, name } of columns) {
      // one that went since is for the comparison of the schemas to tell
      const column = old.find((each) => each.table === table)?.columns.find((each) => each.name === name);
      if (column === undefined) continue;
      const cause = await settle(context, means, database, settlingOf(table, column));
      if (cause === undefined) count += 1;
      else refused.push(`${database}: column ${table}.${name}: ${cause}`);
    }
    if (refused.length === 0) await mark.remove();
  }
  if (refused.length > 0) stop("postgresql.changed-by-hand", { found: refused.slice(0, 10).join("; ") });
  return done({ columns: String(count) });
}

/** Why it was refused. */
async function settle(
  context: StepContext,
  means: Means,
  database: string,
  statements: string,
): Promise<string | undefined> {
  try {
    await ask(context, means, (sql) => patiently(context, () => sql.run(statements)), {
      database,
      statementMs,
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return error.failure.facts["cause"] ?? error.failure.code;
  }
}
