/**
 * What this server says of itself, at three depths, asked in parallel. Every value is measured, or UNKNOWN with its reason:
 * one that is late or fails leaves the others standing.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type {
  PgFence,
  PgServer,
  PgSlot,
  PostgresqlFull,
  PostgresqlGate,
  PostgresqlPulse,
} from "#proto/engines/postgresql.ts";
import type { Depth, Host } from "../../verb.ts";
import { takeUntil } from "../measure.ts";
import { type BackupProof, backupProof } from "./backup-proof.ts";
import { fullFacts } from "./full-facts.ts";
import { notMadeYet } from "./made/facts.ts";
import { readReadiness } from "./readiness.ts";
import { here } from "./senders.ts";
import type { Means } from "./settings.ts";
import { applicationName, numberOrNull, type Sql, versionOf, withSql } from "./sql.ts";
import { readEverySubscription } from "./subscription-facts.ts";
import { readWalRoom, type WalPace, walPace } from "./wal-room.ts";

export async function postgresqlFacts(
  host: Host,
  means: Means,
  {
    depth,
    signal,
    pace = walPace(host.clock),
    proof = backupProof(host, means),
  }: {
    readonly depth: Depth;
    readonly signal: AbortSignal;
    readonly pace?: WalPace;
    readonly proof?: BackupProof;
  },
): Promise<PostgresqlPulse | PostgresqlGate | PostgresqlFull> {
  const take = takeUntil(host, signal);
  const ask = <T>(work: (sql: Sql) => Promise<Outcome<T>>) =>
    take(() => withSql(host, means, { signal, statementMs: 8_000, isLook: true }, work));
  const pulse = async (): Promise<PostgresqlPulse> => {
    const [server, slots, subscriptions, fence, walRoom] = await Promise.all([
      ask(readServer),
      ask(readSlots),
      take(() => readEverySubscription(host, means, signal)),
      ask((sql) => readFence(sql, means)),
      ask((sql) => readWalRoom(host, sql, pace)),
    ]);
    const why = "value" in server ? undefined : await notMadeYet(host, means);
    const told = why === undefined ? server : { at: server.at, unknown: why };
    return { server: told, slots, subscriptions, fence, walRoom };
  };
  if (depth === "pulse") return pulse();
  const gate = async (): Promise<PostgresqlGate> => {
    const [basis, readiness, backup] = await Promise.all([pulse(), ask(readReadiness), take(() => proof())]);
    return { ...basis, readiness, backup };
  };
  if (depth === "gate") return gate();
  const [basis, more] = await Promise.all([gate(), fullFacts(host, means, { signal, take })]);
  return { ...basis, ...more };
}

const oldestAsked = 90_600;

/** Refused: `postgresql.never-tested` of what is too old to be asked. */
export async function readServer(sql: Sql): Promise<Outcome<PgServer>> {
  try {
    return await askServer(sql);
  } catch (error) {
    const versionNum = await versionOf(sql);
    if (versionNum >= oldestAsked) throw error;
    const [row] = await sql.rows("SHOW server_version");
    return fail("postgresql.never-tested", { version: row?.["server_version"] ?? "" });
  }
}

async function askServer(sql: Sql): Promise<Outcome<PgServer>> {
  const [row] = await sql.rows(`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS num,
           (SELECT system_identifier::text FROM pg_control_system()) AS id, pg_is_in_recovery()::text AS standby,
           pg_postmaster_start_time()::text AS started,
           (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS folder,
           current_setting('is_superuser') AS superuser`);
  if (row === undefined) return fail("postgresql.answer-empty", {});
  return succeed({
    version: row["version"] ?? "",
    versionNum: Number(row["num"]),
    systemId: row["id"] ?? "",
    isStandby: row["standby"] === "true",
    startedAt: row["started"] ?? "",
    dataDirectory: row["folder"] ?? "",
    isSuperuser: row["superuser"] === "on",
  });
}

export async function readSlots(sql: Sql): Promise<Outcome<PgSlot[]>> {
  const status = (await versionOf(sql)) >= 130_000 ? "wal_status" : "NULL::text AS wal_status";
  const rows = await sql.rows(`
    SELECT slot_name, plugin, database, active::text, ${status},
           pg_wal_lsn_diff(${here}, restart_lsn)::text AS retained,
           pg_wal_lsn_diff(${here}, confirmed_flush_lsn)::text AS lag
      FROM pg_replication_slots ORDER BY slot_name`);
  return succeed(
    rows.map((row) => ({
      name: row["slot_name"] ?? "",
      plugin: row["plugin"] ?? null,
      database: row["database"] ?? null,
      isActive: row["active"] === "true",
      walStatus: row["wal_status"] ?? null,
      retainedBytes: numberOrNull(row["retained"]),
      lagBytes: numberOrNull(row["lag"]),
    })),
  );
}

/** Of pg_database. Where DROP DATABASE was interrupted nobody comes in, and nothing can be altered: its limit is -2. */
export const takesClients = "datallowconn AND NOT datistemplate AND datconnlimit >= -1";

/** Whoever has written it, in whichever word for it: our own sessions say otherwise of themselves. */
export const readOnlyInFiles = `
  (SELECT coalesce(bool_or(setting ~* '^(on|t|tr|tru|true|y|ye|yes|1)$'), false)::text FROM pg_file_settings
    WHERE name = 'default_transaction_read_only' AND applied)`;

export async function readFence(sql: Sql, means: Means): Promise<Outcome<PgFence>> {
  const [row] = await sql.rows(`
    SELECT ${readOnlyInFiles} AS read_only,
           ${clientCount(means)} AS clients`);
  const open = await sql.rows(
    `SELECT datname FROM pg_database WHERE ${takesClients} AND datconnlimit <> 0 ORDER BY 1`,
  );
  return succeed({
    isReadOnly: row?.["read_only"] === "true",
    open: open.map((each) => each["datname"] ?? ""),
    clients: Number(row?.["clients"]),
  });
}

/**
 * Sessions that are no client's: ours, and those of the Patroni that the agent's file names. It asks how the server is, and makes
 * slots; a superuser who takes that name is one whom the fence does not hold in any case.
 */
export function ownSessions({ settings: { patroni } }: Means): string {
  const ours = `application_name = '${applicationName}' AND usename = current_user`;
  if (patroni === undefined) return `(${ours})`;
  return `(${ours} OR application_name ~* '^patroni( |$)' AND usesysid IN (SELECT oid FROM pg_roles WHERE rolsuper))`;
}

/**
 * Replication connections are walsenders: of 10 and 11 with that name in backend_type as well. Since 18 a connection is shown
 * before it is let in, or refused, as `starting`: an application that knocks at a fence again and again is not behind it.
 */
export function clientCount(means: Means): string {
  return `
  (SELECT count(*)::text FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'starting'
      AND NOT ${ownSessions(means)})`;
}
