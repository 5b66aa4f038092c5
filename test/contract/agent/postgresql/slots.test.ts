/** Slots on the server that is copied from: those of this move go, and nobody else's, whatever they look like. */

import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { subscriptionName } from "#agent/engines/postgresql/names.ts";
import { publishingVerbs } from "#agent/engines/postgresql/publishing.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { watchingVerbs } from "#agent/engines/postgresql/watching.ts";
import type { StepContext } from "#agent/verb.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const own = "pg_16400_sync_16385_7000000000000000001";
const theirs = "pg_16400_sync_16385_7000000000000000002";
const subscriber = "7000000000000000001";

async function slotsOn(server: PostgresServer): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query("SELECT slot_name AS name FROM pg_replication_slots ORDER BY 1");
  await client.end();
  return rows.map(({ name }) => name);
}

function meansOf({ port }: PostgresServer) {
  return { settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" }) };
}

function contextOf(): StepContext {
  return { host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1" } as unknown as StepContext;
}

const deeds: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["drop-slots", { databases: '["postgres"]', direction: "forward", subscriber }],
  ["give-up-replication", { subscriber }],
];

it.for(deeds)("%s takes what a cut copy has left of this subscriber alone", async ([name, args]) => {
  const server = await serverOf(18);
  for (const slot of [own, theirs, "cdc"])
    await run(server, "postgres", `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const [means, context] = [meansOf(server), contextOf()];
  const verb = [...publishingVerbs(means), ...watchingVerbs(means)].find(
    (each) => each.name === `postgresql.${name}`,
  );
  expect(await verb?.probe?.(context, verb.args.parse(args))).toMatchObject({ state: "not-done" });
  expect(await verb?.run(context, verb.args.parse(args))).toMatchObject({ result: "done" });
  expect(await slotsOn(server)).toEqual(["cdc", theirs]);
});

async function slotRoom(server: PostgresServer): Promise<number> {
  const found = watchingVerbs(meansOf(server)).find(({ name }) => name === "postgresql.slot-room-percent");
  const args = found?.args.parse({ databases: '["postgres"]', direction: "forward" });
  const result = await found?.run(contextOf(), args);
  return result?.result === "done" ? Number(result.outputs["value"]) : Number.NaN;
}

const slot = subscriptionName("r1", "forward", "postgres");

it.for([12, 18] as const)("a slot of %i that is gone has used up all its room", async (major) => {
  const server = await serverOf(major);
  expect(await slotRoom(server)).toBe(100);
  await run(server, "postgres", `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  expect(await slotRoom(server)).toBe(0);
});

it("a slot fills its room as WAL is written, and is at its end when the server has given it up", async () => {
  const server = await serverOf(18, { max_slot_wal_keep_size: "64MB", max_wal_size: "64MB" });
  await run(server, "postgres", `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const write = (megabytes: number) =>
    run(
      server,
      "postgres",
      `SELECT count(pg_logical_emit_message(false, 'x', repeat('x', 1048576))) FROM generate_series(1, ${megabytes})`,
      "SELECT pg_switch_wal()",
      "CHECKPOINT",
    );
  await write(30);
  const half = await slotRoom(server);
  expect(half).toBeGreaterThan(10);
  expect(half).toBeLessThan(95);
  for (let piece = 0; piece < 5; piece += 1) await write(30);
  expect(await slotRoom(server)).toBe(100);
});
