/** The part of the facts that is asked for before a plan: settings, databases, what hangs on the server. */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import { known, type Measured } from "#proto/common/measured.ts";
import type { PostgresqlFull, PostgresqlGate } from "#proto/engines/postgresql.ts";
import type { Host } from "../../verb.ts";
import type { Take } from "../measure.ts";
import { readDatabases } from "./database-facts.ts";
import { seenOnHost, tracesIn } from "./high-availability.ts";
import { readInPlace } from "./in-place/facts.ts";
import { placeIn } from "./in-place/place.ts";
import { leftOversOn } from "./left-overs.ts";
import { madeFacts } from "./made/facts.ts";
import { isOwn } from "./names.ts";
import { oldServerOf } from "./old-server.ts";
import { readBirth } from "./on-host/birth.ts";
import { foresee } from "./packages/foreseen.ts";
import { patroniFacts, restartOf } from "./patroni/facts.ts";
import { isBackgroundWorker } from "./processes.ts";
import { logicalPids } from "./senders.ts";
import type { Means } from "./settings.ts";
import { type Sql, withSql } from "./sql.ts";
import { toolsMajor } from "./tools-version.ts";

export type FullOnly = Omit<PostgresqlFull, keyof PostgresqlGate>;

/** How long somebody may go on changing packages while we look. */
const othersMs = 5_000;

export async function fullFacts(
  host: Host,
  means: Means,
  { signal, take }: { readonly signal: AbortSignal; readonly take: Take },
): Promise<FullOnly> {
  const options = { signal, statementMs: 20_000, isLook: true };
  // one connection for all of them: the server may have few left
  const answers = withSql(host, means, options, async (sql) => succeed(await inTurn(sql, take)));
  const databases = readDatabases(host, means, signal);
  // a throw of either is told by each of those who await it
  for (const each of [answers, databases]) each.catch(() => undefined);
  const place = placeIn(means);
  const { packages: named } = means.settings;
  const foreseen =
    named === undefined ? undefined : take(() => foresee(host, named, { limitMs: othersMs, signal }));
  const [
    ofServer,
    onHost,
    tools,
    ofDatabases,
    leftOvers,
    inPlace,
    made,
    packages,
    patroni,
    restart,
    oldServer,
  ] = await Promise.all([
    take(() => answers),
    take(() => seenOnHost(host)),
    take(() => toolsMajor(host, means)),
    take(() => databases),
    take(async () => succeed(await leftOversOn({ host, signal }, means))),
    place === undefined ? undefined : take(() => readInPlace(host, means, place)),
    means.settings.made === undefined
      ? undefined
      : take(async () => madeFacts(host, means, known(await foreseen))),
    foreseen,
    take(() => patroniFacts(host, means)),
    take(async () => succeed(restartOf(means))),
    take(async () => succeed(oldServerOf(means))),
  ]);
  const { traces, ...rest } = "value" in ofServer ? ofServer.value : allAs(ofServer);
  return {
    ...rest,
    databases: ofDatabases,
    toolsMajor: tools,
    highAvailability: together(onHost, traces),
    leftOvers,
    ...(inPlace === undefined ? {} : { inPlace }),
    ...(made === undefined ? {} : { made }),
    ...(packages === undefined ? {} : { packages }),
    patroni,
    restart,
    oldServer,
  };
}

/** Each question to the server, and what becomes of its rows. */
const questions = {
  settings: (sql: Sql) => pairsOf(sql, queries.settings),
  closedDatabases: (sql: Sql) => namesOf(sql, queries.closedDatabases),
  available: (sql: Sql) => pairsOf(sql, queries.available),
  roles: (sql: Sql) => namesOf(sql, queries.roles),
  tablespaces: (sql: Sql) => namesOf(sql, queries.tablespaces),
  preparedTransactions: (sql: Sql) => namesOf(sql, queries.preparedTransactions),
  oldestTransactionS: (sql: Sql) => numberOf(sql, queries.oldestTransactionS),
  standbys: (sql: Sql) => numberOf(sql, queries.standbys),
  walSenders: (sql: Sql) => numberOf(sql, queries.walSenders),
  backgroundWorkers: (sql: Sql) => numberOf(sql, queries.backgroundWorkers),
  locales: (sql: Sql) => namesOf(sql, queries.locales),
  checksums: async (sql: Sql) => mapped(await namesOf(sql, queries.checksums), ([word]) => word === "on"),
  birth: async (sql: Sql) => succeed(await readBirth(sql)),
  traces: tracesIn,
} as const;

type Questions = typeof questions;
type Answers = {
  readonly [Name in keyof Questions]: Awaited<ReturnType<Questions[Name]>> extends Outcome<infer T>
    ? Measured<T>
    : never;
};

async function inTurn(sql: Sql, take: Take): Promise<Answers> {
  const found: [string, Measured<unknown>][] = [];
  for (const [name, ask] of Object.entries(questions))
    found.push([name, await take<unknown>(() => ask(sql))]);
  return Object.fromEntries(found) as Answers;
}

/** Who was not reached answers none of them. */
function allAs(why: Measured<never> | Measured<Answers>): Answers {
  return Object.fromEntries(Object.keys(questions).map((name) => [name, why])) as Answers;
}

function together<T>(one: Measured<T[]>, other: Measured<T[]>): Measured<T[]> {
  if (!("value" in one)) return one;
  return "value" in other ? { at: other.at, value: [...one.value, ...other.value] } : other;
}

const settingNames = [
  "archive_mode",
  "data_directory",
  "idle_replication_slot_timeout",
  "listen_addresses",
  "max_active_replication_origins",
  "max_connections",
  "max_logical_replication_workers",
  "max_replication_slots",
  "max_slot_wal_keep_size",
  "max_sync_workers_per_subscription",
  "max_wal_senders",
  "max_worker_processes",
  "output_plugin_libraries",
  "password_encryption",
  "shared_preload_libraries",
  "wal_level",
];

/** Each gives its names in the column `name`; what counts gives one. */
const queries = {
  settings: `
    SELECT name, setting AS value FROM pg_settings WHERE name IN (${settingNames.map((name) => `'${name}'`).join(", ")})`,
  closedDatabases:
    "SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND (NOT datallowconn OR datconnlimit < -1) ORDER BY 1",
  available: "SELECT name, coalesce(default_version, '') AS value FROM pg_available_extensions",
  roles: "SELECT rolname AS name FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1",
  tablespaces: "SELECT spcname AS name FROM pg_tablespace WHERE spcname !~ '^pg_' ORDER BY 1",
  preparedTransactions:
    "SELECT gid || ' in ' || database AS name FROM pg_prepared_xacts ORDER BY prepared LIMIT 50",
  oldestTransactionS: `
    SELECT coalesce(floor(extract(epoch FROM max(clock_timestamp() - xact_start))), 0)::text AS name FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND backend_type NOT IN ('autovacuum worker', 'walsender')`,
  standbys: `
    SELECT count(*)::text AS name FROM pg_stat_replication
     WHERE state <> 'backup' AND application_name <> 'pg_receivewal' AND pid NOT IN (${logicalPids})`,
  walSenders: `
    SELECT count(*)::text AS name FROM pg_stat_replication
     WHERE pid NOT IN (${logicalPids} AND ${isOwn("slot_name")})`,
  backgroundWorkers: `SELECT count(*)::text AS name FROM pg_stat_activity WHERE ${isBackgroundWorker}`,
  locales: `
    SELECT DISTINCT collcollate AS name FROM pg_collation WHERE collprovider = 'c' AND collcollate <> '' ORDER BY 1`,
  checksums: "SELECT current_setting('data_checksums') AS name",
} as const;

async function namesOf(sql: Sql, query: string): Promise<Outcome<string[]>> {
  return succeed((await sql.rows(query)).map(({ name }) => name ?? ""));
}

async function numberOf(sql: Sql, query: string): Promise<Outcome<number>> {
  return mapped(await namesOf(sql, query), ([text]) => Number(text));
}

async function pairsOf(sql: Sql, query: string): Promise<Outcome<Record<string, string>>> {
  const rows = await sql.rows(query);
  return succeed(Object.fromEntries(rows.map(({ name, value }) => [name ?? "", value ?? ""])));
}

function mapped<T, U>(found: Outcome<T>, as: (value: T) => U): Outcome<U> {
  return found.ok ? succeed(as(found.value)) : found;
}
