/** What a way back drops on the new server: the database that its rollout has made, and no other that bears its name. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { slug } from "#agent/engines/databases.ts";
import { fenceVerbs } from "#agent/engines/postgresql/fence.ts";
import { schemaVerbs } from "#agent/engines/postgresql/loading-schema.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { markFolder } from "#agent/host/marks.ts";
import type { StepContext, Verb } from "#agent/verb.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, rowsOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

/** A server with a database that rollout r1 has made, as its mark tells, and closed. */
async function loaded() {
  const server = await serverOf(17);
  await run(server, "postgres", "CREATE DATABASE shop");
  const means = {
    settings: postgresqlSettings.parse({ host: "127.0.0.1", port: server.port, user: "kw", tools: "/tools" }),
  };
  const context = {
    host: hostOf(),
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
  } as unknown as StepContext;
  const verbs: readonly Verb[] = [...fenceVerbs(means), ...schemaVerbs(means)];
  const does = (name: string, args: Readonly<Record<string, string>> = {}) => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    return verb?.run(context, verb.args.parse(args));
  };
  const [{ system, oid } = {}] = await rowsOf(
    server,
    "SELECT system_identifier::text AS system, (SELECT oid::text FROM pg_database WHERE datname = 'shop') AS oid FROM pg_control_system()",
  );
  const marked = (changed: Readonly<Record<string, unknown>> = {}) => {
    mkdirSync(markFolder(context), { recursive: true });
    const value = { wasThere: false, before: true, after: true, systemId: system, oid, ...changed };
    writeFileSync(
      join(markFolder(context), `schema-${slug("shop")}.json`),
      JSON.stringify({ format: 1, value }),
    );
  };
  const probe = (name: string, args: Readonly<Record<string, string>>) => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    return verb?.probe?.(context, verb.args.parse(args));
  };
  return { server, does, probe, marked };
}

const isThere = async (server: PostgresServer) =>
  (await rowsOf(server, "SELECT FROM pg_database WHERE datname = 'shop'")).length === 1;

describe("a database on the new server", () => {
  it("is dropped where the rollout has made it and nobody may write", async () => {
    const { server, does, marked } = await loaded();
    marked();
    await does("fence-writes");
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({ result: "done" });
    expect(await isThere(server)).toBe(false);
  }, 60_000);

  it("stays where somebody has opened the server by hand", async () => {
    const { server, does, marked } = await loaded();
    marked();
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({
      failure: { code: "postgresql.database-opened" },
    });
    expect(await isThere(server)).toBe(true);
  }, 60_000);

  it.each([
    ["another one of its name came since", { oid: "4711" }],
    ["the server was made anew since", { systemId: "4711" }],
  ])(
    "stays where %s",
    async (_, changed) => {
      const { server, does, marked } = await loaded();
      marked(changed);
      await does("fence-writes");
      expect(await does("drop-loaded", { database: "shop" })).toMatchObject({
        failure: { code: "postgresql.database-not-ours" },
      });
      expect(await isThere(server)).toBe(true);
    },
    60_000,
  );

  it("that DROP DATABASE has left half done goes with the next try", async () => {
    const { server, does, marked } = await loaded();
    marked();
    await does("fence-writes");
    await run(
      server,
      "postgres",
      "SET default_transaction_read_only = off",
      "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'shop'",
    );
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({ result: "done" });
    expect(await isThere(server)).toBe(false);
  }, 60_000);
});

describe("a database that was there before, empty", () => {
  it("stays with what was loaded into it, until a person has emptied it", async () => {
    const { server, does, probe, marked } = await loaded();
    marked({ wasThere: true });
    await run(server, "shop", "CREATE TABLE bare (a int)");
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({
      failure: { code: "postgresql.database-was-there" },
    });
    expect(await probe("drop-loaded", { database: "shop" })).toMatchObject({ state: "not-done" });
    await run(server, "postgres", "DROP DATABASE shop", "CREATE DATABASE shop");
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({ result: "done" });
    expect(await probe("drop-loaded", { database: "shop" })).toMatchObject({ state: "done" });
    expect(await isThere(server)).toBe(true);
  }, 60_000);

  it("stays with large objects that were loaded into it", async () => {
    const { server, does, marked } = await loaded();
    marked({ wasThere: true });
    await run(server, "shop", "SELECT lo_create(4711)");
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({
      failure: { code: "postgresql.database-was-there", facts: { first: "large object 4711" } },
    });
  }, 60_000);

  it("is let go of where it is not there any more", async () => {
    const { server, does, probe, marked } = await loaded();
    marked({ wasThere: true });
    await run(server, "postgres", "DROP DATABASE shop");
    expect(await does("drop-loaded", { database: "shop" })).toMatchObject({ result: "done" });
    expect(await probe("drop-loaded", { database: "shop" })).toMatchObject({ state: "done" });
  }, 60_000);
});
