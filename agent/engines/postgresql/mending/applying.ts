/** Whether rows are applied again, looked at for a moment after something was mended. */
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../../verb.ts";
import { databases } from "../../databases.ts";
import { ask, resultOf } from "../desk.ts";
import { subscriptionName } from "../names.ts";
import type { Means } from "../settings.ts";
import { steadyMs } from "../subscription-facts.ts";

const pollMs = 500;
/** Kept of the step's time. */
const restMs = 5_000;

export function applyingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.see-applying",
      class: "observe",
      args: z.strictObject({ databases }),
      run: (context, given) =>
        resultOf(async () => {
          const left = await waitedFor(context, means, given.databases);
          // why not is said by the gate that comes next
          return done({ "not applied yet": left.join(", ") || "none" });
        }),
    }),
  ];
}

async function waitedFor(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<readonly string[]> {
  const { clock } = context.host;
  const wanted = new Map(names.map((name) => [subscriptionName(context.rollout, "forward", name), name]));
  for (const endMs = clock.monotonicMs() + context.deadlineMs - restMs; ; ) {
    const rows = await ask(context, means, (sql) => sql.rows(idle));
    const left = rows.flatMap(({ name }) => wanted.get(name ?? "") ?? []);
    if (left.length === 0 || clock.monotonicMs() >= endMs || context.signal.aborted) return left;
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
}

/** Subscriptions whose worker is not there, or has only just come. */
const idle = `
  SELECT subname AS name FROM pg_subscription s WHERE subenabled AND NOT EXISTS (
    SELECT FROM pg_stat_subscription w JOIN pg_stat_activity a ON a.pid = w.pid
     WHERE w.subid = s.oid AND w.relid IS NULL
       AND a.backend_start < clock_timestamp() - interval '${steadyMs} milliseconds')`;
