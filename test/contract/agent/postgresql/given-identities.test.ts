/** While all tables are published: those that can be given an identity are, and one that cannot is named, each time. */
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { identityVerbs } from "#agent/engines/postgresql/identities.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, rowsOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

/** An agent without a coordinator: a parcel has no way. */
function deedsOn({ port }: PostgresServer) {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const context = { host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1" };
  const verbs = identityVerbs({ settings });
  return async (name: string) => {
    const found = verbs.find((each) => each.name === `postgresql.${name}`);
    const args = found?.args.parse({ databases: '["postgres"]' });
    return found?.run(context as unknown as StepContext, args);
  };
}

const update = (server: PostgresServer, table: string) =>
  run(server, "postgres", `UPDATE ${table} SET a = 2`);

it("an UPDATE works again in each table that can have one, whatever another one lacks", async () => {
  const server = await serverOf(18);
  await run(
    server,
    "postgres",
    "CREATE PUBLICATION everything FOR ALL TABLES",
    "CREATE TABLE hopeless (a int, b json)",
    "CREATE TABLE only_added (a int, b json)",
    "CREATE TABLE keyless (a int)",
    "CREATE TABLE indexed (a int NOT NULL UNIQUE)",
  );
  const deed = deedsOn(server);
  await expect(update(server, "keyless")).rejects.toThrow(pg.DatabaseError);
  expect(await deed("tables-without-identity")).toMatchObject({ outputs: { value: "4" } });
  expect(await deed("give-identities")).toMatchObject({
    result: "failed",
    failure: {
      code: "postgresql.identity-impossible",
      facts: { tables: "postgres: public.hopeless, postgres: public.only_added" },
    },
  });
  await update(server, "keyless");
  await update(server, "indexed");
  expect(await deed("tables-without-identity")).toMatchObject({ outputs: { value: "2" } });
  // what its text says: a key, or an owner who knows that rows are only added
  await run(
    server,
    "postgres",
    "ALTER TABLE hopeless ADD PRIMARY KEY (a)",
    "ALTER TABLE only_added REPLICA IDENTITY FULL",
  );
  expect(await deed("tables-without-identity")).toMatchObject({ outputs: { value: "0" } });
  await run(server, "postgres", "CREATE TABLE later (a int)");
  const given = await deed("give-identities");
  expect(given).toMatchObject({ result: "done" });
  expect(JSON.stringify(given)).toContain("public.later was given its whole row (FULL)");
  await deed("restore-identities");
  const identities = await rowsOf(
    server,
    "SELECT relname, relreplident::text AS is FROM pg_class WHERE relname IN ('indexed', 'keyless', 'later', 'only_added') ORDER BY 1",
  );
  expect(identities.map(({ is }) => is)).toEqual(["d", "d", "d", "f"]);
});
