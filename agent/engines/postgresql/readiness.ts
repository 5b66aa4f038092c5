/** What this server has for the time when it serves: who follows it, whether its WAL is archived, how many may connect. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgReadiness } from "#proto/engines/postgresql-readiness.ts";
import { here, logicalPids } from "./senders.ts";
import type { Row, Sql } from "./sql.ts";

const receivers = `
  SELECT application_name AS name, state, (replay_lsn IS NOT NULL)::text AS replaying,
         pg_wal_lsn_diff(${here}, flush_lsn)::text AS lag
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' AND pid NOT IN (${logicalPids}) ORDER BY 1`;

const archiver = `
  SELECT current_setting('max_connections') AS connections, current_setting('archive_mode') AS mode, last_failed_wal AS failed,
         floor(extract(epoch FROM clock_timestamp() - last_archived_time))::text AS ago,
         (last_failed_time IS NOT NULL
           AND (last_archived_time IS NULL OR last_failed_time > last_archived_time))::text AS failing
    FROM pg_stat_archiver`;

/** Refused: `postgresql.standbys-not-shown` to an account that does not see what others do. */
export async function readReadiness(sql: Sql): Promise<Outcome<PgReadiness>> {
  const following = await sql.rows(receivers);
  if (following.some(({ state }) => state === null)) return fail("postgresql.standbys-not-shown", {});
  const [row] = await sql.rows(archiver);
  if (row === undefined) return fail("postgresql.answer-empty", {});
  return succeed({
    receivers: following.map((each) => ({
      name: each["name"] ?? "",
      state: each["state"] ?? "",
      isReplaying: each["replaying"] === "true",
      lagBytes: numberIn(each, "lag"),
    })),
    archiver: {
      isOn: row["mode"] !== "off",
      archivedAgoS: numberIn(row, "ago"),
      isFailing: row["failing"] === "true",
      failedFile: row["failed"] ?? null,
    },
    maxConnections: Number(row["connections"]),
  });
}

function numberIn(row: Row, name: string): number | null {
  const text = row[name];
  return text === null || text === undefined ? null : Number(text);
}
