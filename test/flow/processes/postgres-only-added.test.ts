/**
 * Tables without a key whose whole rows nothing can compare, and whose rows are only ever added: carried by their owner's word, there
 * and back; and what becomes of a move when that word was wrong.
 */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundled } from "./harness/fleet.ts";
import { type Node, PostgresFleet } from "./harness/postgres-fleet.ts";

const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";

let dist = "";
let fleet: PostgresFleet;
beforeAll(async () => {
  dist = await bundled();
}, 120_000);
afterAll(async () => {
  await fleet?.stop();
  await rm(dist, { recursive: true, force: true });
}, 60_000);

async function run(node: Node, ...statements: readonly string[]): Promise<void> {
  await fleet.on(node, "shop", async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

/** As a person does it on both; the closed one takes it from a superuser who asks for writes. */
async function onBoth(...statements: readonly string[]): Promise<void> {
  for (const node of ["old1", "new1"] as const)
    await run(node, "SET default_transaction_read_only = off", ...statements);
}

async function typed(...words: readonly string[]) {
  const follow = fleet.follow(words);
  const { code, stderr } = await follow.ended;
  return { code, rollout: follow.events[0]?.rollout ?? "", stderr };
}

async function texts(node: Node, table: string): Promise<readonly string[]> {
  const { rows } = await fleet.on(node, "shop", (client) =>
    client.query(`SELECT t::text AS text FROM ${table} t ORDER BY 1`),
  );
  return rows.map(({ text }: { text: string }) => text);
}

const came = (node: Node, table: string, wanted: readonly string[]) =>
  fleet.until(
    `${table} has its rows on ${node}`,
    async () => (await texts(node, table).catch(() => [])).join() === wanted.join(),
    60_000,
  );

/** With the table's name, and with what helps. */
const named = (rollout: string, table: string) =>
  fleet.until(
    `${table} is told`,
    async () => {
      const { stdout } = await fleet.cli(["status", rollout]);
      return stdout.includes(`type json (public.${table})`) && stdout.includes("ADD PRIMARY KEY");
    },
    40_000,
  );

it("rows are added there and back; a row that is changed stops the stream by its table, until that one has a key", async (context) => {
  if (!full) context.skip("two minutes; make test-full runs it");
  fleet = await PostgresFleet.start(dist, { old: 15, new: 17 });
  await fleet.on("old1", "postgres", (client) => client.query("CREATE DATABASE shop"));
  await run(
    "old1",
    "CREATE TABLE kept (id int PRIMARY KEY)",
    "CREATE TABLE docs (id int, doc json)",
    "CREATE TABLE logs (doc json)",
    "ALTER TABLE docs REPLICA IDENTITY FULL",
    "ALTER TABLE logs REPLICA IDENTITY FULL",
    "INSERT INTO docs VALUES (1, '1')",
  );
  const planned = await fleet.plan();
  expect(planned.code, planned.stderr).toBe(0);
  const unsaid = await typed("apply", planned.file, "-y");
  expect([unsaid.code, unsaid.stderr]).toEqual([3, expect.stringContaining("postgresql.full-incomparable")]);
  const word = ["--ack", "postgresql.full-incomparable", "--reason", "they are logs"];
  const applied = await typed("apply", planned.file, "-y", ...word);
  expect(applied.code, applied.stderr).toBe(8);
  const { rollout } = applied;

  await run("old1", "INSERT INTO logs VALUES ('1'), ('1')", "UPDATE docs SET doc = '2'");
  await named(rollout, "docs");
  await onBoth("ALTER TABLE docs ADD PRIMARY KEY (id)");
  await came("new1", "docs", ["(1,2)"]);
  await came("new1", "logs", ["(1)", "(1)"]);

  // one that comes late stops it, and goes along once its owner has said so there
  await run("old1", "CREATE TABLE late (doc json)");
  await fleet.until(
    "its watch stops the move",
    async () => (await fleet.json<{ phase: string }>(["status", rollout])).phase === "stopped",
    40_000,
  );
  const { stdout: why } = await fleet.cli(["why", rollout]);
  expect(why).toContain("REPLICA IDENTITY FULL");
  await run("old1", "ALTER TABLE late REPLICA IDENTITY FULL", "INSERT INTO late VALUES ('3')");
  expect(await typed("retry", rollout)).toMatchObject({ code: 8 });
  await came("new1", "late", ["(3)"]);

  expect(await typed("approve", rollout)).toMatchObject({ code: 8 });
  await run("new1", "INSERT INTO logs VALUES ('4')", "INSERT INTO late VALUES ('4')");
  await came("old1", "logs", ["(1)", "(1)", "(4)"]);
  await came("old1", "late", ["(3)", "(4)"]);
  await run("new1", "DELETE FROM logs WHERE doc::text = '1'");
  await named(rollout, "logs");
  await onBoth("ALTER TABLE logs ALTER COLUMN doc TYPE jsonb");
  await came("old1", "logs", ["(4)"]);
  const back = `${fleet.folder}/back.json`;
  await fleet.must("plan", "--back", rollout, "-o", back);
  const went = await typed("apply", back, "-y");
  expect(went.code, went.stderr).toBe(0);
  for (const table of ["docs", "logs", "late"])
    expect(await texts("old1", table)).toEqual(await texts("new1", table));
}, 400_000);
