/** The old server's own note of what the new one lacked: the rows of such tables came in another way than all others. */
import { z } from "zod";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../../verb.ts";
import { databases, slug } from "../../databases.ts";
import { resultOf } from "../desk.ts";
import { drain } from "../draining.ts";
import type { Means } from "../settings.ts";

const late = z.object({ tables: z.array(z.string()), columns: z.array(z.string()) });
type LateNames = z.infer<typeof late>;

export function notedVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.drain-late",
      class: "observe",
      args: z.strictObject({ databases }),
      run: (context, given) =>
        resultOf(async () => {
          const some: string[] = [];
          for (const database of given.databases)
            if ((await notedIn(context, database)).columns.length > 0) some.push(database);
          if (some.length === 0) return done({ found: "no column came late" });
          return drain(context, means, { databases: some, direction: "forward" });
        }),
    }),
  ];
}

function markFor(context: StepContext, database: string) {
  return markOf(context, `late-${slug(database)}`, late);
}

async function notedIn(context: StepContext, database: string): Promise<LateNames> {
  return (await markFor(context, database).read()) ?? { tables: [], columns: [] };
}

/** What was noted before stays. */
export async function noteLate(context: StepContext, database: string, found: LateNames): Promise<void> {
  if (found.tables.length === 0 && found.columns.length === 0) return;
  const known = await notedIn(context, database);
  const both = (of: keyof LateNames) => [...new Set([...known[of], ...found[of]])];
  await markFor(context, database).write({ tables: both("tables"), columns: both("columns") });
}

/** Tables that came late, or got a column late: the new server made them by itself. */
export async function lateTables(context: StepContext, database: string): Promise<readonly string[]> {
  return (await notedIn(context, database)).tables;
}
