/** An extension that fills tables of its own, on both servers: the old one's rows are carried, and stand there once. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import pg from "pg";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { exportVerbs } from "#agent/engines/postgresql/exporting.ts";
import { schemaVerbs } from "#agent/engines/postgresql/loading-schema.ts";
import { tableVerbs } from "#agent/engines/postgresql/pglogical/tables.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, ToolRequest } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-extension-"));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

const tables = `
  CREATE TABLE systems (id int PRIMARY KEY, name text);
  INSERT INTO systems VALUES (1, 'one'), (2, 'two');
  CREATE TABLE parts (of int REFERENCES systems);
  CREATE TABLE notes (what text);
  INSERT INTO notes VALUES ('made');`;

function write(name: string, version: string, sql: string): void {
  const extensions = path.join(folder, version, "extension");
  mkdirSync(extensions, { recursive: true });
  writeFileSync(path.join(extensions, `${name}.control`), `default_version = '${version}'\n`);
  writeFileSync(path.join(extensions, `${name}--${version}.sql`), sql);
}

/** A server of 18 has it where it is told: in that folder, beside its own. */
async function serverWith(version: "1.0" | "2.0", sql: string): Promise<PostgresServer> {
  write("places", version, sql);
  return serverOf(18, { extension_control_path: `${path.join(folder, version)}:$system` });
}

async function rowsIn(server: PostgresServer, table: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: server.urlOf("shop") });
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT t::text AS row FROM ${table} t ORDER BY 1`);
    return rows.map(({ row }) => row);
  } finally {
    await client.end();
  }
}

async function both() {
  const [old, young] = [
    await serverWith("1.0", tables),
    await serverWith("2.0", `${tables} CREATE TABLE newer (a int); INSERT INTO newer VALUES (7);`),
  ];
  await run(old, "postgres", "CREATE DATABASE shop");
  await run(
    old,
    "shop",
    "CREATE EXTENSION places",
    "UPDATE systems SET name = 'changed' WHERE id = 2; INSERT INTO systems VALUES (3, 'ours')",
    "INSERT INTO parts VALUES (3)",
    "ALTER TABLE notes REPLICA IDENTITY FULL; ALTER TABLE parts REPLICA IDENTITY FULL",
  );
  const parcels = new Map<string, string>();
  const tools = await postgresTools();
  const does = async ({ port }: PostgresServer, name: string, args: Readonly<Record<string, string>>) => {
    const means = { settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools }) };
    const context = {
      host: hostOf(),
      signal: AbortSignal.timeout(50_000),
      rollout: "r1",
      progress: () => undefined,
      parcels: {
        send: async (parcel: string, file: string) => {
          const kept = path.join(folder, parcel);
          await execa("cp", [file, kept]);
          parcels.set(parcel, kept);
          return succeed(parcel);
        },
        find: async (parcel: string) => succeed(parcels.has(parcel) ? { digest: parcel } : undefined),
        fetch: async (parcel: string) => succeed(parcels.get(parcel)),
      },
      tool: async ({ argv: [program, ...words], env }: ToolRequest) => {
        const ran = await execa(program, words, { env: { ...env }, reject: false, all: true });
        return { exitCode: ran.exitCode, result: "exited", tail: ran.all, runner: "" };
      },
    } as unknown as StepContext;
    const verb = [...exportVerbs(means), ...schemaVerbs(means)].find((each) => each.name.endsWith(name));
    return verb?.run(context, verb.args.parse(args));
  };
  expect(await does(old, "export-schema", { databases: '["shop"]' })).toMatchObject({ result: "done" });
  return { old, young, load: () => does(young, "load-schema", { database: "shop" }) };
}

async function follow(old: PostgresServer, young: PostgresServer): Promise<void> {
  await run(old, "shop", "CREATE PUBLICATION p FOR ALL TABLES");
  await run(
    young,
    "shop",
    `CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=${old.port} user=kw dbname=shop' PUBLICATION p`,
  );
  await vi.waitFor(
    async () => {
      for (const table of ["systems", "parts", "notes"])
        expect([table, await rowsIn(young, table)]).toEqual([table, await rowsIn(old, table)]);
    },
    { timeout: 15_000, interval: 200 },
  );
}

it("gives up the rows that it was made with for those of the old server, and keeps what only the newer version has", async () => {
  const { old, young, load } = await both();
  expect(await load()).toMatchObject({ result: "done", outputs: { emptied: "2" } });
  await follow(old, young);
  expect(await rowsIn(young, "newer")).toEqual(["(7)"]);
  // of the way back: without an identity its UPDATE would be refused
  await run(young, "shop", "CREATE PUBLICATION back FOR ALL TABLES", "UPDATE notes SET what = 'changed'");
}, 60_000);

it("is not touched in a database that somebody else has made, until that one has emptied it", async () => {
  const { old, young, load } = await both();
  await run(young, "postgres", "CREATE DATABASE shop");
  await run(young, "shop", "CREATE EXTENSION places");
  expect(await load()).toMatchObject({
    failure: {
      code: "postgresql.extension-rows",
      facts: { database: "shop", tables: "public.notes, public.systems" },
    },
  });
  expect(await rowsIn(young, "notes")).toEqual(["(made)"]);
  await run(young, "shop", "TRUNCATE public.notes, public.systems, public.parts");
  expect(await load()).toMatchObject({ result: "done" });
  await follow(old, young);
}, 60_000);

/** As much of pglogical as tells what is in a set. */
const sets = `
  CREATE SCHEMA pglogical;
  CREATE TABLE pglogical.replication_set (set_id int, set_name name);
  CREATE TABLE pglogical.replication_set_table (set_id int, set_reloid regclass);
  INSERT INTO pglogical.replication_set VALUES (1, 'lockkeeper_r1_back');`;

it("is offered to pglogical where it has a key, before its rows have come", async () => {
  const young = await serverWith("2.0", tables);
  write("pglogical", "2.0", sets);
  await run(young, "postgres", "CREATE EXTENSION places", "CREATE EXTENSION pglogical");
  await run(young, "postgres", "TRUNCATE systems, parts, notes");
  const { port } = young;
  const means = { settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/x" }) };
  const context = {
    host: hostOf(),
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
  } as unknown as StepContext;
  const publish = tableVerbs(means).find(({ name }) => name.endsWith("pglogical-publish"));
  const state = async () => {
    const args = publish?.args.parse({ databases: '["postgres"]', direction: "back" });
    return (await publish?.probe?.(context, args))?.state;
  };
  expect(await state()).toBe("not-done");
  await run(young, "postgres", "INSERT INTO pglogical.replication_set_table VALUES (1, 'systems')");
  expect(await state()).toBe("done");
}, 60_000);
