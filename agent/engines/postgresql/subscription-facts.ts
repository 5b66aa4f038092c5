/** What this server's subscriptions say of themselves, and what its log says of their workers. */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgSubscription } from "#proto/engines/postgresql.ts";
import type { Host } from "../../verb.ts";
import { readPglogical } from "./pglogical/facts.ts";
import { errorsIn, logFile, type WorkerErrors } from "./server-log.ts";
import type { Means } from "./settings.ts";
import { numberOrNull, type Row, versionOf, withSql } from "./sql.ts";

/** A worker that has worked for so long has got over what ended the one before it. */
export const steadyMs = 3_000;

/** Of either mover: an error of the log belongs to whichever bears its name. */
export async function readEverySubscription(
  host: Host,
  means: Means,
  signal: AbortSignal,
): Promise<Outcome<PgSubscription[]>> {
  const [native, others] = [
    await readSubscriptions(host, means, signal),
    await readPglogical(host, means, signal),
  ];
  if (!native.ok) return native;
  if (!others.ok) return others;
  const errors = await loggedErrors(host, means, { signal, isAsked: others.value.length > 0 });
  const named = others.value.map((each) => ({
    ...each,
    lastError: each.lastError ?? errors[each.name]?.apply ?? null,
  }));
  return succeed([...native.value, ...named]);
}

async function loggedErrors(
  host: Host,
  means: Means,
  { signal, isAsked }: { readonly signal: AbortSignal; readonly isAsked: boolean },
): Promise<Readonly<Record<string, WorkerErrors>>> {
  if (!isAsked) return {};
  const options = { signal, statementMs: 8_000 };
  const file = await withSql(host, means, options, async (sql) => succeed(await logFile(means, sql)));
  return file.ok && file.value !== undefined ? errorsIn(host, file.value) : {};
}

async function readSubscriptions(
  host: Host,
  means: Means,
  signal: AbortSignal,
): Promise<Outcome<PgSubscription[]>> {
  const options = { signal, statementMs: 8_000, isLook: true };
  const heads = await withSql(host, means, options, async (sql) =>
    succeed(
      await sql.rows(`
        SELECT s.oid::text, subname, datname, subenabled::text,
               EXISTS (SELECT FROM pg_stat_subscription w
                        WHERE w.subid = s.oid AND w.relid IS NULL AND w.pid IS NOT NULL)::text AS works,
               EXISTS (SELECT FROM pg_stat_subscription w JOIN pg_stat_activity a ON a.pid = w.pid
                        WHERE w.subid = s.oid AND w.relid IS NULL
                          AND a.backend_start < clock_timestamp() - interval '${steadyMs} milliseconds')::text AS steady,
               ${(await versionOf(sql)) >= 150_000 ? "(SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats t WHERE t.subid = s.oid)::text" : "NULL::text"} AS errors
          FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid ORDER BY subname`),
    ),
  );
  if (!heads.ok) return heads;
  const errors = await loggedErrors(host, means, { signal, isAsked: heads.value.length > 0 });
  const found: PgSubscription[] = [];
  for (const head of heads.value) {
    const tables = await withSql(host, means, { ...options, database: head["datname"] ?? "" }, async (sql) =>
      succeed(await sql.rows(tableStates, [head["oid"] ?? ""])),
    );
    if (!tables.ok) return tables;
    found.push(subscriptionOf(head, tables.value, errors[head["subname"] ?? ""]));
  }
  return succeed(found);
}

const tableStates = `
  SELECT srsubstate, count(*)::text AS tables, sum(pg_total_relation_size(srrelid))::text AS bytes
    FROM pg_subscription_rel WHERE srsubid = $1::oid GROUP BY srsubstate`;

function subscriptionOf(
  head: Row,
  tables: readonly Row[],
  { apply, copy }: WorkerErrors = { apply: null, copy: null },
): PgSubscription {
  return {
    name: head["subname"] ?? "",
    database: head["datname"] ?? "",
    isEnabled: head["subenabled"] === "true",
    isWorking: head["works"] === "true",
    tables: Object.fromEntries(tables.map((row) => [row["srsubstate"] ?? "", Number(row["tables"])])),
    errors: numberOrNull(head["errors"]),
    lastError: copy ?? (head["steady"] === "true" ? null : apply),
    copiedBytes: tables.reduce((sum, row) => sum + Number(row["bytes"] ?? 0), 0),
  };
}
