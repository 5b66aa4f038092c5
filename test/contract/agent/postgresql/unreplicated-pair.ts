/** Two real servers, and the verbs that take large objects and unlogged rows from the one to the other, with real tools. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import pg from "pg";
import { quoted } from "#agent/engines/databases.ts";
import { ask } from "#agent/engines/postgresql/desk.ts";
import { schemaShape } from "#agent/engines/postgresql/schema-shape.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { unreplicatedVerbs } from "#agent/engines/postgresql/unreplicated/index.ts";
import type { Host, StepContext, StepResult, ToolRequest, ToolRun } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { UnreplicatedKind } from "#proto/engines/postgresql-unreplicated.ts";
import type { Major } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import { hostOf, run, serverOf } from "./asked-server.ts";

const folders: string[] = [];

export function removeParcels(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export interface Given {
  readonly kinds?: readonly UnreplicatedKind[];
  readonly limitBytes?: number;
}

/** What becomes of a tool that is to be run. */
export type Tool = (
  request: ToolRequest,
  run: (request: ToolRequest) => Promise<ToolRun>,
) => Promise<ToolRun>;

type Pair = Awaited<ReturnType<typeof pairOf>>;

export interface Odd {
  /** Of before August 2025, on the side that is loaded. */
  readonly isOldPsql?: boolean;
  readonly database?: string;
  /** How the database is made, in words of SQL. */
  readonly making?: string;
}

/** Both have the roles app and readers; the younger is closed, as it is before its opening. */
export async function pairOf(
  [there, here]: readonly [Major, Major],
  settings: Readonly<Record<string, string>> = {},
  { isOldPsql = false, database = "postgres", making = "" }: Odd = {},
) {
  const parcels = mkdtempSync(path.join(tmpdir(), "lockkeeper-parcels-"));
  folders.push(parcels);
  const all = { parcels, settings, database };
  const sides = [
    await sideOf(there, { ...all, isOldPsql: false }),
    await sideOf(here, { ...all, isOldPsql }),
  ] as const;
  if (database !== "postgres")
    for (const { server } of sides)
      await run(server, "postgres", `CREATE DATABASE ${quoted(database)} ${making}`);
  for (const side of sides)
    await side.run(
      "CREATE ROLE app",
      "CREATE ROLE readers",
      "ALTER SYSTEM SET default_transaction_read_only = on",
      "SELECT pg_reload_conf()",
    );
  return sides;
}

async function sideOf(
  major: Major,
  {
    parcels,
    settings: given,
    database,
    isOldPsql,
  }: {
    readonly parcels: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly database: string;
    readonly isOldPsql: boolean;
  },
) {
  const server: PostgresServer = await serverOf(major, given);
  const settings = postgresqlSettings.parse({
    host: "127.0.0.1",
    port: server.port,
    user: server.superuser,
    tools: await postgresTools(),
  });
  const host: Host = {
    ...hostOf(),
    look: async ([program, ...words]) => {
      const { stdout } = await execa(program, words);
      // as those of before August 2025
      const told = isOldPsql ? stdout.replaceAll("restrict", "") : stdout;
      return { exitCode: 0, signal: undefined, timedOut: false, stdout: told, stderr: "" };
    },
  };
  const ran: string[] = [];
  const runTool = async ({ argv: [program, ...words], env }: ToolRequest): Promise<ToolRun> => {
    ran.push(path.basename(program));
    const done = await execa(program, words, { env: { ...env }, reject: false, all: true });
    return { exitCode: done.exitCode, result: "exited", tail: done.all, runner: "" };
  };
  const contextOf = (tool: Tool = (request) => runTool(request)) =>
    ({
      host,
      signal: AbortSignal.timeout(60_000),
      deadlineMs: 60_000,
      rollout: "r1",
      progress: () => undefined,
      parcels: {
        send: async (name: string, file: string) => {
          writeFileSync(path.join(parcels, name), readFileSync(file));
          return succeed(name);
        },
        find: async (name: string) =>
          succeed(existsSync(path.join(parcels, name)) ? { digest: name } : undefined),
        fetch: async (name: string) => {
          const fetched = path.join(parcels, `${name}.fetched`);
          writeFileSync(fetched, readFileSync(path.join(parcels, name)));
          return succeed(fetched);
        },
      },
      tool: (request: ToolRequest) => tool(request, runTool),
    }) as unknown as StepContext;
  const verbOf = (name: string) => {
    const verb = unreplicatedVerbs({ settings }).find(
      (each) => each.name === `postgresql.${name}-unreplicated`,
    );
    if (verb === undefined) throw new Error(`no verb ${name}`);
    return verb;
  };
  const args = { databases: JSON.stringify([database]) };
  const does = (name: string, more: object = {}, tool?: Tool): Promise<StepResult> => {
    const verb = verbOf(name);
    return verb.run(contextOf(tool), verb.args.parse({ ...args, ...more }));
  };
  const carry = ({ kinds = ["large-objects", "unlogged"], limitBytes = 64 * 1024 ** 2 }: Given = {}) => ({
    kinds: JSON.stringify(kinds),
    limitBytes: String(limitBytes),
  });
  const query = async (text: string) => {
    const options = "-c default_transaction_read_only=off";
    const { port, superuser: user } = server;
    const client = new pg.Client({ host: "127.0.0.1", port, user, database, options });
    await client.connect();
    try {
      return (await client.query(text)).rows as readonly Record<string, string>[];
    } finally {
      await client.end();
    }
  };
  return {
    server,
    stateDir: host.stateDir,
    /** Of the tools that were run. */
    ran,
    query,
    run: async (...statements: readonly string[]) => {
      for (const each of statements) await query(each);
    },
    weigh: (given?: Given) => does("weigh", carry(given)),
    write: (given?: Given) => does("write", carry(given)),
    load: (tool?: Tool) => does("load", {}, tool),
    compare: () => does("compare"),
    prove: () => does("prove"),
    /** Of its schema, as it is told to the other side. */
    shape: () => ask(contextOf(), { settings }, schemaShape, { database }),
    probe: async () => (await verbOf("load").probe?.(contextOf(), verbOf("load").args.parse(args)))?.state,
  };
}

/**
 * Tools of a step whose agent is killed when this one has ended, and of the same step as the agent takes it up again: what has run is
 * not run once more.
 */
export function killedAfter(last: string) {
  const ended: ToolRun[] = [];
  let died = () => {};
  const death = new Promise<void>((resolve) => {
    died = resolve;
  });
  const before: Tool = async (request, run) => {
    ended.push(await run(request));
    if (path.basename(request.argv[0]) !== last) return ended.at(-1) as ToolRun;
    died();
    return new Promise(() => undefined);
  };
  let asked = 0;
  const after: Tool = async (request, run) => ended[asked++] ?? run(request);
  return { before, after, death };
}

/** Written out on the one, loaded on the other, and equal. Throws what a step says. */
export async function carried([there, here]: Pair, given?: Given): Promise<StepResult> {
  for (const step of [() => there.write(given), () => here.load()]) {
    const result = await step();
    if (result.result !== "done") throw new Error(JSON.stringify(result));
  }
  return here.compare();
}

const tables = [
  'CREATE UNLOGGED TABLE "Session, Cache" (id serial PRIMARY KEY, f float8, b bytea, at timestamptz, line text)',
  'CREATE UNLOGGED TABLE parts (of int REFERENCES "Session, Cache", n int)',
  "CREATE UNLOGGED TABLE empty_one (a int)",
  "CREATE TABLE replicated (a int)",
  // on the side that is loaded nothing of this may be done once more
  `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN INSERT INTO public.replicated VALUES (1); RETURN NEW; END $$`,
  "CREATE TRIGGER notes AFTER INSERT ON parts FOR EACH ROW EXECUTE PROCEDURE note()",
];

const filled = [
  `INSERT INTO "Session, Cache" (f, b, at, line) SELECT i / 3.0::float8, decode(md5(i::text), 'hex'), '2026-01-01 00:00Z', E'tab\\t\\\\.\\n' || i
     FROM generate_series(1, 100) i`,
  "INSERT INTO parts SELECT i, i FROM generate_series(1, 50) i",
  "SELECT lo_from_bytea(70001, '\\x00010203')",
  "SELECT lo_from_bytea(70002, decode(repeat('ab', 900000), 'hex'))",
  "SELECT lo_create(70003)",
  // a hole of 3 MB, and what was cut off
  "SELECT lo_create(70004); SELECT lo_put(70004, 3000000, 'end')",
  "SELECT lo_from_bytea(70005, decode(repeat('cd', 9000), 'hex'))",
  "DO $$ DECLARE fd int; BEGIN fd := lo_open(70005, 131072); PERFORM lo_truncate(fd, 4097); END $$",
  "ALTER LARGE OBJECT 70002 OWNER TO app",
  "GRANT SELECT ON LARGE OBJECT 70001 TO readers",
  "REVOKE ALL ON LARGE OBJECT 70004 FROM kw",
  `COMMENT ON LARGE OBJECT 70001 IS 'it''s four bytes'`,
];

/** With a bit of everything on the first, and the same tables on the other. */
export async function filledPair(majors: readonly [Major, Major], isOldPsql = false) {
  const pair = await pairOf(majors, {}, { isOldPsql });
  await pair[0].run(...tables, ...filled);
  await pair[1].run(...tables);
  return pair;
}
