/** Real servers of a test, and what the agent says of them on a host whose programs and tools are told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { postgresqlFacts } from "#agent/engines/postgresql/facts.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { localHost } from "#agent/host/local-host.ts";
import type { Host } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";
import { known, type Measured } from "#proto/common/measured.ts";
import { type PostgresqlFull, postgresqlFullSchema } from "#proto/engines/postgresql.ts";
import type { Major } from "#test/postgres/binaries.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";

const folders: string[] = [];
const servers: PostgresServer[] = [];

/** For `afterEach`: all that was started and made since. */
export async function stopAll(): Promise<void> {
  for (const server of servers.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export async function serverOf(major: Major, settings: Readonly<Record<string, string>> = {}) {
  const server = await startPostgres({
    major,
    settings: { wal_level: "logical", max_prepared_transactions: "5", ...settings },
  });
  servers.push(server);
  return server;
}

export async function rowsOf(server: PostgresServer, text: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: server.urlOf("postgres") });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

export async function run(server: PostgresServer, database: string, ...statements: readonly string[]) {
  const client = new pg.Client({ connectionString: server.urlOf(database) });
  await client.connect();
  try {
    for (const each of statements) await client.query(each);
  } finally {
    await client.end();
  }
}

export function hostOf(programs: string | undefined = "- init\n- systemd"): Host {
  const stateDir = mkdtempSync(path.join(tmpdir(), "lockkeeper-facts-"));
  folders.push(stateDir);
  const host = localHost({
    hostRoot: "/",
    stateDir,
    clock: systemClock,
    env: {},
    asUser: (_, argv) => argv,
  });
  const ended = { signal: undefined, timedOut: false, stderr: "" };
  return {
    ...host,
    look: ([program]) =>
      Promise.resolve(
        program === "ps"
          ? programs === ""
            ? { ...ended, exitCode: 1, stdout: "" }
            : { ...ended, exitCode: 0, stdout: programs }
          : { ...ended, exitCode: 0, stdout: "pg_dump (PostgreSQL) 18.4 (Debian 18.4-1)\n" },
      ),
  };
}

export async function factsOf(
  server: PostgresServer,
  host = hostOf(),
  { port = server.port, user = "kw" }: { readonly port?: number; readonly user?: string } = {},
): Promise<PostgresqlFull> {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user, tools: "/tools" });
  const signal = AbortSignal.timeout(30_000);
  return postgresqlFullSchema.parse(await postgresqlFacts(host, { settings }, { depth: "full", signal }));
}

export function told<T>(found: Measured<T>): T {
  const value = known(found);
  if (value === undefined) throw new Error(JSON.stringify(found));
  return value;
}
