/** The fence on a real server: what is told of it with every beat, and whom its proof names who goes on writing. */
import pg from "pg";
import { afterEach, expect, it, vi } from "vitest";
import { postgresqlFacts } from "#agent/engines/postgresql/facts.ts";
import { fenceVerbs } from "#agent/engines/postgresql/fence.ts";
import { fenceOpeningVerbs } from "#agent/engines/postgresql/fence-openings.ts";
import { forgettingVerbs } from "#agent/engines/postgresql/forgetting.ts";
import { identityVerbs } from "#agent/engines/postgresql/identities.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, Verb } from "#agent/verb.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { succeed } from "#proto/common/failure.ts";
import type { Major } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, rowsOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

function desk({ port }: PostgresServer) {
  const means = {
    settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" }),
  };
  const host = hostOf();
  const signal = AbortSignal.timeout(30_000);
  const parcels = { send: async () => succeed(undefined) };
  const context = { host, signal, rollout: "r1", parcels } as unknown as StepContext;
  const verbs: readonly Verb[] = [
    ...fenceVerbs(means),
    ...fenceOpeningVerbs(means),
    ...identityVerbs(means),
    ...forgettingVerbs(),
  ];
  const does = async (name: string, args: Readonly<Record<string, string>> = {}) => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    return verb?.run(context, verb.args.parse(args));
  };
  const stateOf = async () => {
    const facts = await postgresqlFacts(host, means, { depth: "pulse", signal });
    return postgresql.summarise({ node: "old1", facts } as unknown as Parameters<
      typeof postgresql.summarise
    >[0]).state;
  };
  const probe = (name: string, args: Readonly<Record<string, string>> = {}) => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    return verb?.probe?.(context, verb.args.parse(args));
  };
  return { does, probe, stateOf };
}

it("is told with every beat", async () => {
  const { does, stateOf } = desk(await serverOf(17));
  expect(await stateOf()).toBe("primary");
  await does("fence-writes");
  expect(await stateOf()).toBe("closed");
  await does("unfence-writes");
  expect(await stateOf()).toBe("primary");
}, 60_000);

it("is taken down by name where what stood before was forgotten, since the other server is gone", async () => {
  const server = await serverOf(17);
  await run(server, "postgres", "CREATE DATABASE shop", "CREATE DATABASE left_behind");
  const { does, probe, stateOf } = desk(server);
  await does("fence-writes");
  await does("forget");
  expect(await does("unfence-writes")).toMatchObject({ outputs: { found: "never fenced by this rollout" } });
  expect(await stateOf()).toBe("closed");
  const args = { databases: '["shop"]' };
  expect(await probe("unfence-writes", args)).toMatchObject({ state: "not-done" });
  expect(await does("unfence-writes", args)).toMatchObject({
    result: "done",
    outputs: { "told.databases without a connection limit, since none is known": "shop" },
  });
  expect(await probe("unfence-writes", args)).toMatchObject({ state: "done" });
  expect(await stateOf()).toBe("primary");
  await run(server, "shop", "CREATE TABLE written ()");
}, 60_000);

it("puts back what stood before, also where its owner had closed it", async () => {
  const server = await serverOf(17);
  await run(server, "postgres", "CREATE DATABASE kept CONNECTION LIMIT 0");
  const { does } = desk(server);
  await does("fence-writes");
  expect(await does("unfence-writes", { databases: '["kept"]' })).toMatchObject({ result: "done" });
  const limit = "SELECT datconnlimit FROM pg_database WHERE datname = 'kept'";
  expect(await rowsOf(server, limit)).toEqual([{ datconnlimit: 0 }]);
}, 60_000);

it("is not taken for ours where somebody else has closed the server, and nothing of it is written down", async () => {
  const server = await serverOf(17);
  const { does, probe, stateOf } = desk(server);
  await run(
    server,
    "postgres",
    "ALTER DATABASE postgres CONNECTION LIMIT 0",
    "ALTER SYSTEM SET default_transaction_read_only = 'yes'",
    "SELECT pg_reload_conf()",
    "SELECT pg_sleep(0.5)",
  );
  expect(await probe("fence-writes")).toMatchObject({ state: "not-done" });
  expect(await does("fence-writes")).toMatchObject({
    result: "failed",
    failure: { code: "postgresql.closed-already" },
  });
  expect(await probe("unfence-writes")).toMatchObject({ state: "done" });
  await run(
    server,
    "postgres",
    "SET default_transaction_read_only = off",
    "ALTER DATABASE postgres CONNECTION LIMIT -1",
    "ALTER SYSTEM RESET default_transaction_read_only",
    "SELECT pg_reload_conf()",
    "SELECT pg_sleep(0.5)",
  );
  await does("fence-writes");
  expect(await probe("fence-writes")).toMatchObject({ state: "done" });
  expect(await does("fence-writes")).toMatchObject({ result: "done" });
  await does("unfence-writes");
  expect(await stateOf()).toBe("primary");
}, 60_000);

it("stands where DROP DATABASE was interrupted, and what is left of that database is neither closed nor opened", async () => {
  const server = await serverOf(17);
  const { does, probe, stateOf } = desk(server);
  await run(
    server,
    "postgres",
    "CREATE DATABASE half_dropped",
    "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'",
    "CREATE DATABASE dropped_later",
  );
  expect(await does("fence-writes")).toMatchObject({ result: "done", outputs: { databases: "2" } });
  expect(await does("prove-fenced")).toMatchObject({ result: "done" });
  expect(await probe("fence-writes")).toMatchObject({ state: "done" });
  expect(await stateOf()).toBe("closed");
  await run(
    server,
    "postgres",
    "SET default_transaction_read_only = off",
    "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'dropped_later'",
  );
  expect(await does("unfence-writes")).toMatchObject({ result: "done" });
  expect(await stateOf()).toBe("primary");
}, 60_000);

it.for<Major>([10, 17])("of %i that was opened and closed again is told once", async (major) => {
  const server = await serverOf(major);
  const { does } = desk(server);
  const opened = async () => {
    const found = await does("fence-openings");
    return found?.result === "done" ? found.outputs : found;
  };
  // a superuser's session that asks for writes
  const byHand = (...statements: readonly string[]) =>
    run(server, "postgres", "SET default_transaction_read_only = off", ...statements);
  await does("fence-writes");
  expect(await opened()).toEqual({ value: "0", databases: "" });
  await byHand("VACUUM FREEZE pg_database", "CHECKPOINT");
  expect(await opened()).toMatchObject({ value: "0" });
  await byHand("ALTER DATABASE postgres CONNECTION LIMIT -1");
  expect(await opened()).toEqual({ value: "1", databases: "postgres" });
  await byHand("ALTER DATABASE postgres CONNECTION LIMIT 0");
  expect(await opened()).toEqual({ value: "1", databases: "postgres" });
  await does("note-fence-openings");
  expect(await opened()).toMatchObject({ value: "0" });
  await byHand("CREATE DATABASE later");
  expect(await opened()).toEqual({ value: "1", databases: "later" });
});

it("does not stand while an enabled subscription of somebody else brings rows", async () => {
  const server = await serverOf(17);
  const { does } = desk(server);
  for (const name of ["theirs", "asleep", "lockkeeper_r1"])
    await run(
      server,
      "postgres",
      `CREATE SUBSCRIPTION ${name} CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE)`,
    );
  for (const name of ["theirs", "lockkeeper_r1"])
    await run(
      server,
      "postgres",
      `ALTER SUBSCRIPTION ${name} SET (slot_name = '${name}')`,
      `ALTER SUBSCRIPTION ${name} ENABLE`,
    );
  await does("fence-writes");
  expect(await does("prove-fenced")).toMatchObject({
    failure: {
      code: "postgresql.fence-not-standing",
      facts: { found: "enabled subscriptions: theirs in postgres" },
    },
  });
}, 60_000);

it("a table's new identity is told by the names of database and table", async () => {
  const server = await serverOf(17);
  await run(
    server,
    "postgres",
    "CREATE TABLE bare (a int)",
    "CREATE TABLE keyed (a int NOT NULL CONSTRAINT by_a UNIQUE)",
  );
  expect(await desk(server).does("fix-identities", { databases: '["postgres"]' })).toMatchObject({
    outputs: {
      "told.replica identities of postgres":
        "public.bare was given its whole row (FULL); public.keyed was given its unique index by_a",
    },
  });
}, 60_000);

it("ends a procedure that commits again and again, in between two of its transactions too", async () => {
  const server = await serverOf(14);
  await run(
    server,
    "postgres",
    "CREATE TABLE ticks (at timestamptz)",
    `CREATE PROCEDURE tick() LANGUAGE plpgsql AS $$
       BEGIN LOOP INSERT INTO ticks VALUES (clock_timestamp()); COMMIT; PERFORM pg_sleep(0.3); END LOOP; END $$`,
  );
  const ticking = run(server, "postgres", "CALL tick()").catch((error: Error) => error.message);
  const ticks = async () => {
    const client = new pg.Client({ connectionString: server.urlOf("postgres") });
    await client.connect();
    const { rows } = await client.query("SELECT count(*)::int AS n FROM ticks");
    await client.end();
    return rows[0].n as number;
  };
  await vi.waitFor(async () => expect(await ticks()).toBeGreaterThan(0));
  const { does } = desk(server);
  await does("fence-writes");
  expect(await does("prove-fenced")).toMatchObject({ result: "done" });
  const before = await ticks();
  expect(await ticking).toContain("terminating connection");
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(await ticks()).toBe(before);
}, 60_000);

/** Its kind is told as that of an extension's worker: 10 has no other name for it. */
it("ends a background worker in its transaction, and no worker that serves our own session", async () => {
  const server = await serverOf(10, { force_parallel_mode: "on" });
  const { does } = desk(server);
  const asleep = (options: pg.ClientConfig) => {
    const client = new pg.Client({ connectionString: server.urlOf("postgres"), ...options });
    client.on("error", () => undefined);
    return client.connect().then(() => ({
      client,
      ended: client.query("SELECT count(*), pg_sleep(2) FROM pg_class").then(
        () => "slept",
        (error: Error) => error.message,
      ),
    }));
  };
  const [theirs, own] = [await asleep({}), await asleep({ application_name: "lockkeeper" })];
  await new Promise((resolve) => setTimeout(resolve, 300));
  await does("fence-writes");
  expect(await does("prove-fenced")).toMatchObject({ result: "done" });
  expect(await theirs.ended).toContain("terminat");
  expect(await own.ended).toBe("slept");
  for (const { client } of [theirs, own]) await client.end().catch(() => undefined);
}, 60_000);

it("is not proven while anything is there that may still write: each is named", async () => {
  const server = await serverOf(10, { force_parallel_mode: "on" });
  await run(
    server,
    "postgres",
    "CREATE TABLE kept (id int)",
    "BEGIN; INSERT INTO kept VALUES (1); PREPARE TRANSACTION 'half'",
  );
  const { does } = desk(server);
  await does("fence-writes");
  const found = async () => {
    const proof = await does("prove-fenced");
    return proof?.result === "failed" ? proof.failure.facts["found"] : proof?.result;
  };
  expect(await found()).toBe("prepared: 1");
  // superusers, whom no limit keeps out
  const here = () => new pg.Client({ connectionString: server.urlOf("postgres") });
  const [worker, writer] = [here(), here()];
  for (const client of [worker, writer]) {
    client.on("error", () => undefined);
    await client.connect();
  }
  const asleep = worker.query("SELECT count(*), pg_sleep(6) FROM pg_class");
  await writer.query("BEGIN; SET TRANSACTION READ WRITE; INSERT INTO kept VALUES (2)");
  expect(await found()).toMatch(
    /^clients: 2; prepared: 1; writing: 1; background workers in a transaction: background worker \(pid \d+\)$/,
  );
  for (const statement of ["ROLLBACK", "SET default_transaction_read_only = off", "ROLLBACK PREPARED 'half'"])
    await writer.query(statement);
  await writer.end();
  await asleep;
  await worker.end();
  await vi.waitFor(async () => expect(await found()).toBe("done"), 10_000);
}, 60_000);
