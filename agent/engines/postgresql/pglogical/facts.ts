/** Subscriptions of pglogical, in the words of the server's own: who reads them need not know which mover it is. */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgSubscription } from "#proto/engines/postgresql.ts";
import type { Host } from "../../../verb.ts";
import { publishedTables } from "../published-tables.ts";
import type { Means } from "../settings.ts";
import { type Row, type Sql, withSql } from "../sql.ts";
import { hasExtension } from "./databases.ts";

const statementMs = 8_000;

/** Where the library is not loaded nobody is asked: no subscription of it can be alive. */
export async function readPglogical(
  host: Host,
  means: Means,
  signal: AbortSignal,
): Promise<Outcome<readonly PgSubscription[]>> {
  const options = { signal, statementMs };
  const names = await withSql(host, means, options, async (sql) => succeed(await databasesOf(sql)));
  if (!names.ok) return names;
  const found: PgSubscription[] = [];
  for (const database of names.value) {
    const read = await withSql(host, means, { ...options, database }, async (sql) =>
      succeed(await subscriptionsIn(sql)),
    );
    if (!read.ok) return read;
    found.push(...read.value);
  }
  return succeed(found);
}

async function databasesOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.rows(`
    SELECT datname AS name FROM pg_database
     WHERE datallowconn AND NOT datistemplate AND datconnlimit >= -1
       AND current_setting('shared_preload_libraries') LIKE '%pglogical%' ORDER BY 1`);
  return rows.map(({ name }) => name ?? "");
}

async function subscriptionsIn(sql: Sql): Promise<readonly PgSubscription[]> {
  if (!(await hasExtension(sql))) return [];
  const heads = await sql.rows(`
    SELECT sub_id::text AS id, sub_name AS name, sub_enabled::text AS enabled,
           (SELECT status FROM pglogical.show_subscription_status(sub_name)) AS status,
           (SELECT sync_status::text FROM pglogical.local_sync_status
             WHERE sync_subid = sub_id AND sync_nspname IS NULL) AS copied
      FROM pglogical.subscription ORDER BY sub_name`);
  const found: PgSubscription[] = [];
  for (const head of heads) {
    const tables = await sql.rows(
      `SELECT sync_status::text AS state, count(*)::text AS tables FROM pglogical.local_sync_status
        WHERE sync_subid = $1::oid AND sync_nspname IS NOT NULL GROUP BY 1`,
      [head["id"] ?? ""],
    );
    const [size] = await sql.rows(
      `SELECT count(*)::text AS tables, coalesce(sum(pg_total_relation_size(c.oid)), 0)::text AS bytes FROM ${publishedTables}`,
    );
    found.push({ ...subscriptionOf(head, tables, size ?? {}), database: sql.database });
  }
  return found;
}

/** Of its own states these mean that a table follows: synchronized, and replicating. */
const following = ["y", "r"];
/** A first copy that is cut in one of these begins not again by itself. */
const unrecoverable = ["s", "d", "c"];

export function subscriptionOf(
  head: Row,
  tables: readonly Row[],
  size: Row,
): Omit<PgSubscription, "database"> {
  const { status, copied } = head;
  const name = head["name"] ?? "";
  const isWorking = status === "replicating" || status === "initializing";
  const isCut = !isWorking && unrecoverable.includes(copied ?? "");
  return {
    name,
    isEnabled: head["enabled"] === "true",
    isWorking,
    tables: copied === "r" ? statesOf(tables) : { d: Math.max(1, Number(size["tables"] ?? 0)) },
    errors: null,
    lastError: isCut ? `the first copy of ${name} was cut, and does not begin again` : null,
    copiedBytes: Number(size["bytes"] ?? 0),
  };
}

function statesOf(tables: readonly Row[]): Readonly<Record<string, number>> {
  const states: Record<string, number> = {};
  for (const { state, tables: count } of tables) {
    const as = following.includes(state ?? "") ? "r" : (state ?? "");
    states[as] = (states[as] ?? 0) + Number(count);
  }
  return states;
}
