/** Which jobs forbid taking a node away, and which fail on the node in work as a matter of course. */
import type { Job } from "#proto/engines/kwdb.ts";

/** SCHEMA CHANGE GC pends for a day, STREAM and scheduled jobs run for ever: they forbid nothing. */
const blockingTypes: ReadonlySet<string> = new Set([
  "SCHEMA CHANGE",
  "IMPORT",
  "EXPORT",
  "RESTORE",
  "REPLICA REBALANCE",
]);

const overStatuses: ReadonlySet<string> = new Set(["succeeded", "failed", "canceled"]);

export function blockingJobs(jobs: readonly Job[]): readonly Job[] {
  return jobs.filter(
    ({ type, status }) => blockingTypes.has(type.toUpperCase()) && !overStatuses.has(status),
  );
}
