/** The schema of a database whose text is not UTF-8, loaded on the other server as it stands. */
import path from "node:path";
import { execa } from "execa";
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { exportVerbs } from "#agent/engines/postgresql/exporting.ts";
import { schemaVerbs } from "#agent/engines/postgresql/loading-schema.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, ToolRequest } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const database = "shop";

async function both() {
  const tools = await postgresTools();
  const parcels = new Map<string, string>();
  const does = async ({ port }: PostgresServer, name: string, args: Readonly<Record<string, string>>) => {
    const means = { settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools }) };
    const host = hostOf();
    const context = {
      host,
      signal: AbortSignal.timeout(50_000),
      rollout: "r1",
      progress: () => undefined,
      parcels: {
        send: async (name: string, file: string) => {
          const kept = path.join(host.stateDir, name);
          await execa("cp", [file, kept]);
          parcels.set(name, kept);
          return succeed(name);
        },
        find: async (name: string) => succeed(parcels.has(name) ? { digest: name } : undefined),
        fetch: async (name: string) => succeed(parcels.get(name)),
      },
      tool: async ({ argv: [program, ...words], env }: ToolRequest) => {
        const ran = await execa(program, words, { env: { ...env }, reject: false, all: true });
        return { exitCode: ran.exitCode, result: "exited", tail: ran.all, runner: "" };
      },
    } as unknown as StepContext;
    const verb = [...exportVerbs(means), ...schemaVerbs(means)].find((each) => each.name.endsWith(name));
    const result = await verb?.run(context, verb.args.parse(args));
    if (result?.result !== "done") throw new Error(`${name}: ${JSON.stringify(result)}`);
  };
  return { old: await serverOf(15), young: await serverOf(18), does };
}

/** By the server's own bytes. */
const said = `
  SELECT encode(convert_to(adbin.said, current_setting('server_encoding')), 'hex') AS said,
         (SELECT count(*) FROM pg_class WHERE relname = 'café')::int AS named
    FROM (SELECT pg_get_expr(adbin, adrelid) AS said FROM pg_attrdef) adbin`;

async function saidIn(server: PostgresServer) {
  const client = new pg.Client({ connectionString: server.urlOf(database) });
  await client.connect();
  try {
    return (await client.query(said)).rows as readonly unknown[];
  } finally {
    await client.end();
  }
}

it.for(["LATIN1", "SQL_ASCII", "UTF8"])(
  "goes over whole, names and text, in %s",
  { timeout: 60_000 },
  async (encoding) => {
    const { old, young, does } = await both();
    await run(
      old,
      "postgres",
      `CREATE DATABASE ${database} ENCODING '${encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    await run(old, database, `CREATE TABLE "café" (id int PRIMARY KEY, note text DEFAULT 'à la carte')`);
    await does(old, "export-schema", { databases: JSON.stringify([database]) });
    await does(young, "load-schema", { database });
    const there = await saidIn(old);
    expect(there).toMatchObject([{ named: 1 }]);
    expect(await saidIn(young)).toEqual(there);
  },
);
