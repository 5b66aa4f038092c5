/**
 * One connection to one database of the agent's own server: for one piece of work, then closed. Limits travel in the startup
 * packet, so that no statement of ours runs without them, and what reaches the server's log is never a statement's text.
 */
import { readFile } from "node:fs/promises";
import pg from "pg";
import { FailureError, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { quietQuery } from "./quiet-settings.ts";
import type { Means } from "./settings.ts";

export type Row = Readonly<Record<string, string | null>>;

export interface Sql {
  readonly database: string;
  /** Every value as the server's own text. Throws FailureError. */
  rows(text: string, values?: readonly string[]): Promise<readonly Row[]>;
  /** For what is not one table of rows; several statements in one text are one transaction. Throws FailureError. */
  run(text: string): Promise<void>;
}

export interface SqlOptions {
  readonly database?: string | undefined;
  readonly signal: AbortSignal;
  readonly statementMs?: number;
  readonly lockMs?: number;
  /** A role that is no superuser may not keep its statements out of the log. */
  readonly isSuperuser?: boolean;
  /** It only looks, and holds no secret: a role that is no superuser may do that too, and be told so. */
  readonly isLook?: boolean;
  /** It reads tables of users, and nothing but tables. */
  readonly readsRows?: boolean;
  /** Verifiers are in its statements. */
  readonly hasSecrets?: boolean;
  /** As a client would: behind a fence like all others. */
  readonly isFenced?: boolean;
}

const connectMs = 10_000;
/** insufficient_privilege: a setting of the startup packet is a superuser's alone. */
const notAllowed = "42501";
const defaultStatementMs = 60_000;
const defaultLockMs = 3_000;
/** By which the server's own tables tell our connections from all others. */
export const applicationName = "lockkeeper";

/**
 * Our work goes on behind our own fence; dates, floats and bytes have one form on every version; nothing of ours is
 * logged, since a statement may hold a verifier.
 */
export function startupOptions({
  statementMs = defaultStatementMs,
  lockMs = defaultLockMs,
  isSuperuser = true,
  isFenced = false,
}: Partial<SqlOptions>): string {
  const words = {
    ...(isFenced ? {} : { default_transaction_read_only: "off" }),
    statement_timeout: String(statementMs),
    lock_timeout: String(lockMs),
    idle_in_transaction_session_timeout: "600000",
    search_path: "pg_catalog",
    DateStyle: "ISO",
    IntervalStyle: "iso_8601",
    TimeZone: "UTC",
    bytea_output: "hex",
    extra_float_digits: "3",
    ...(isSuperuser
      ? { log_statement: "none", log_min_duration_statement: "-1", log_min_error_statement: "panic" }
      : {}),
  };
  return Object.entries(words)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/** Refused: `postgresql.no-server`, `postgresql.not-reached`, `postgresql.password-file`, `postgresql.sql-failed`. */
export async function withSql<T>(
  host: Host,
  means: Means,
  options: SqlOptions,
  work: (sql: Sql) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const found = await connected(host, means, options, work);
  const isNotLetIn = !found.ok && found.failure.code === "postgresql.not-reached";
  return isNotLetIn && options.isLook === true && found.failure.facts["sqlstate"] === notAllowed
    ? connected(host, means, { ...options, isSuperuser: false }, work)
    : found;
}

async function connected<T>(
  host: Host,
  means: Means,
  options: SqlOptions,
  work: (sql: Sql) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const { settings } = means;
  const password = await passwordOf(host, means);
  if (!password.ok) return password;
  const database = options.database ?? settings.maintenanceDatabase;
  const client = new pg.Client({
    host: settings.host.startsWith("/") ? host.path(settings.host) : settings.host,
    port: settings.port,
    user: settings.user,
    ...(password.value === undefined ? {} : { password: password.value }),
    database,
    application_name: applicationName,
    connectionTimeoutMillis: connectMs,
    options: startupOptions(options),
    types: { getTypeParser: () => (text: unknown) => text },
  });
  const { isSuperuser = true, isLook = false, readsRows = isLook, hasSecrets = false } = options;
  const at = `${settings.host}:${settings.port}`;
  return use(client, { database, signal: options.signal, at }, async (sql) => {
    if (isSuperuser || readsRows) await sql.rows(quietQuery({ isSuperuser, readsRows, hasSecrets }));
    return work(sql);
  });
}

/** Runs the work on a connection that is not open yet, and closes it whatever comes. */
export async function use<T>(
  client: pg.Client,
  { database, signal, at }: { readonly database: string; readonly signal: AbortSignal; readonly at: string },
  work: (sql: Sql) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  // a connection that the server ends between two statements tells so here, and to the next statement
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const facts = { at, database, ...errorFacts(error) };
    return fail(
      nobodyListens.has(facts.sqlstate ?? "") ? "postgresql.no-server" : "postgresql.not-reached",
      facts,
    );
  }
  const cut = () =>
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  if (signal.aborted) cut();
  signal.addEventListener("abort", cut, { once: true });
  const ask = async (text: string, values?: readonly string[]) => {
    try {
      return await client.query({ text, ...(values === undefined ? {} : { values: [...values] }) });
    } catch (error) {
      throw new FailureError(failure("postgresql.sql-failed", { database, ...errorFacts(error) }));
    }
  };
  try {
    return await work({
      database,
      rows: async (text, values) => (await ask(text, values)).rows as readonly Row[],
      run: async (text) => void (await ask(text)),
    });
  } catch (error) {
    if (error instanceof FailureError) return { ok: false, failure: error.failure };
    throw error;
  } finally {
    signal.removeEventListener("abort", cut);
    await client.end().catch(() => undefined);
  }
}

/** As the server counts: 170004 is 17.4. */
export async function versionOf(sql: Sql): Promise<number> {
  const [row] = await sql.rows("SELECT current_setting('server_version_num') AS num");
  return Number(row?.["num"]);
}

/** Of a value that the server may not have. */
export function numberOrNull(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}

/** No socket of that name, or no program behind it: the system's own codes. */
const nobodyListens: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED"]);

function errorFacts(error: unknown) {
  const { message, code, detail, hint } = error as Partial<
    Record<"message" | "code" | "detail" | "hint", string>
  >;
  return {
    cause: (message ?? "").slice(0, 500),
    ...(code === undefined ? {} : { sqlstate: code }),
    ...(detail === undefined ? {} : { detail: detail.slice(0, 300) }),
    ...(hint === undefined ? {} : { serverHint: hint.slice(0, 300) }),
  };
}

async function passwordOf(host: Host, { settings }: Means): Promise<Outcome<string | undefined>> {
  const { passwordFile } = settings;
  if (passwordFile === undefined) return succeed(undefined);
  try {
    return succeed((await readFile(host.path(passwordFile), "utf8")).replace(/\r?\n$/, ""));
  } catch (error) {
    return fail("postgresql.password-file", { path: passwordFile, cause: (error as Error).message });
  }
}
