/** The end of the stream behind the fence: every slot has confirmed the last mark of all, and not only most of it. */
import { afterEach, expect, it } from "vitest";
import { drainVerbs } from "#agent/engines/postgresql/draining.ts";
import { subscriptionName } from "#agent/engines/postgresql/names.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const databases = ["postgres", "shop"];

it.each([11, 18] as const)("on PostgreSQL %i waits for the slowest of its slots", async (major) => {
  const server = await serverOf(major);
  await run(server, "postgres", "CREATE DATABASE shop");
  const slotOf = (database: string) => subscriptionName("r1", "forward", database);
  const means = {
    settings: postgresqlSettings.parse({ host: "127.0.0.1", port: server.port, user: "kw", tools: "/tools" }),
  };
  const verb = drainVerbs(means)[0];
  const drains = (limitMs: number) => {
    const context = { host: hostOf(), signal: AbortSignal.timeout(limitMs), rollout: "r1" };
    const args = verb?.args.parse({ databases: JSON.stringify(databases), direction: "forward" });
    return verb?.run(context as unknown as StepContext, args);
  };
  const confirms = (database: string, lsn: string) =>
    run(server, database, `SELECT pg_replication_slot_advance('${slotOf(database)}', ${lsn})`);
  await run(
    server,
    "postgres",
    `SELECT pg_create_logical_replication_slot('${slotOf("postgres")}', 'pgoutput')`,
  );
  expect(await drains(5_000)).toMatchObject({
    failure: { code: "postgresql.slot-missing", facts: { slots: slotOf("shop") } },
  });
  await run(server, "shop", `SELECT pg_create_logical_replication_slot('${slotOf("shop")}', 'pgoutput')`);
  const notDrained = { failure: { code: "postgresql.not-drained" } };
  expect(await drains(1_000)).toMatchObject(notDrained);
  const waiting = drains(20_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await confirms("postgres", "pg_current_wal_lsn()");
  const first = await Promise.race([
    waiting,
    new Promise((resolve) => setTimeout(resolve, 500, "one is behind")),
  ]);
  expect(first).toBe("one is behind");
  await confirms("shop", "pg_current_wal_lsn()");
  expect(await waiting).toMatchObject({ result: "done" });
});
