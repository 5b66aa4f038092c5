/** Slots on the server that is copied from: those of this move go, and nobody else's, whatever they look like. */

import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { replicationVerbs } from "#agent/engines/postgresql/replicating.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { upkeepVerbs } from "#agent/engines/postgresql/upkeep.ts";
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

const deeds: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["drop-slots", { databases: '["postgres"]', direction: "forward", subscriber }],
  ["give-up-replication", { subscriber }],
];

it.for(deeds)("%s takes what a cut copy has left of this subscriber alone", async ([name, args]) => {
  const server = await serverOf(18);
  for (const slot of [own, theirs, "cdc"])
    await run(server, "postgres", `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const means = {
    settings: postgresqlSettings.parse({
      host: "127.0.0.1",
      port: server.port,
      user: "kw",
      tools: "/tools",
    }),
  };
  const context = {
    host: hostOf(),
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
  } as unknown as StepContext;
  const verb = [...replicationVerbs(means), ...upkeepVerbs(means)].find(
    (each) => each.name === `postgresql.${name}`,
  );
  expect(await verb?.probe?.(context, verb.args.parse(args))).toMatchObject({ state: "not-done" });
  expect(await verb?.run(context, verb.args.parse(args))).toMatchObject({ result: "done" });
  expect(await slotsOn(server)).toEqual(["cdc", theirs]);
});
