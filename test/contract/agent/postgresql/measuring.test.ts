/** What is counted behind a fence ends before the fence does, and says how far it came. */
import { afterEach, expect, it } from "vitest";
import { alteredTables, noteForms } from "#agent/engines/postgresql/altered.ts";
import { keptContents } from "#agent/engines/postgresql/contents-kept.ts";
import { ask } from "#agent/engines/postgresql/desk.ts";
import { measuringVerbs } from "#agent/engines/postgresql/measuring.ts";
import { noteLate } from "#agent/engines/postgresql/mending/noted.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { Host, StepContext } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const small = "CREATE TABLE small AS SELECT 1 AS i";
const large = "CREATE TABLE large AS SELECT generate_series(1, 400000) AS i, repeat('x', 100) AS t";

async function measured(
  server: PostgresServer,
  { withinMs, deadlineMs, host = hostOf() }: { withinMs?: number; deadlineMs: number; host?: Host },
) {
  const means = {
    settings: postgresqlSettings.parse({ host: "127.0.0.1", port: server.port, user: "kw", tools: "/tools" }),
  };
  // without contents: as it is done before anything is copied
  const name = withinMs === undefined ? "postgresql.count-rows" : "postgresql.measure";
  const measure = measuringVerbs(means).find((verb) => verb.name === name);
  const context = {
    host,
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
    deadlineMs,
    parcels: { send: async () => succeed("digest") },
  } as unknown as StepContext;
  const within = withinMs === undefined ? {} : { withinMs: String(withinMs) };
  const args = measure?.args.parse({ databases: '["postgres"]', ...within });
  return measure?.run(context, args);
}

it("counts every table and compares those that the time allows for", async () => {
  const server = await serverOf(18);
  await run(server, "postgres", small, large);
  expect(await measured(server, { withinMs: 60, deadlineMs: 60_000 })).toMatchObject({
    result: "done",
    outputs: { tables: "2", compared: "1" },
  });
});

it("compares what came late before all others", async () => {
  const server = await serverOf(18);
  await run(server, "postgres", small, large);
  const host = hostOf();
  const context = { host, rollout: "r1" };
  await noteLate(context as unknown as StepContext, "postgres", { tables: ["public.large"], columns: [] });
  expect(await measured(server, { withinMs: 20_000, deadlineMs: 60_000, host })).toMatchObject({
    result: "done",
    outputs: { tables: "2", compared: "2" },
  });
  const { databases } = await keptContents(context as unknown as StepContext);
  expect(Object.keys(databases["postgres"]?.hashes ?? {})).toEqual(["public.large", "public.small"]);
});

it.each([10, 18] as const)(
  "%i: compares what an ALTER has filled anew before all others, and not what was only packed",
  async (major) => {
    const server = await serverOf(major);
    await run(server, "postgres", small, large, "CREATE TABLE more AS SELECT generate_series(1, 9) AS i");
    const host = hostOf();
    const signal = AbortSignal.timeout(30_000);
    const context = { host, rollout: "r1", signal } as unknown as StepContext;
    const settings = postgresqlSettings.parse({
      host: "127.0.0.1",
      port: server.port,
      user: "kw",
      tools: "/t",
    });
    await ask(context, { settings }, (sql) => noteForms(context, sql), { database: "postgres" });
    await run(
      server,
      "postgres",
      "VACUUM FULL more",
      "ALTER TABLE small ALTER i SET DEFAULT 1",
      "ALTER TABLE large ALTER t TYPE text USING upper(t)",
    );
    await measured(server, { withinMs: 20_000, deadlineMs: 60_000, host });
    const { databases } = await keptContents(context);
    const hashed = Object.keys(databases["postgres"]?.hashes ?? {});
    expect(hashed).toEqual(["public.large", "public.more", "public.small"]);
    await run(server, "postgres", "ALTER TABLE small DROP i", "ALTER TABLE small ADD i int DEFAULT 2");
    const altered = await ask(context, { settings }, (sql) => alteredTables(context, sql), {
      database: "postgres",
    });
    expect(altered.toSorted()).toEqual(["public.large", "public.small"]);
  },
);

it("counts every table before anything is copied, too", async () => {
  const server = await serverOf(18);
  await run(server, "postgres", small, large);
  expect(await measured(server, { deadlineMs: 60_000 })).toMatchObject({
    result: "done",
    outputs: { tables: "2" },
  });
});

it.each([60, undefined])(
  "gives up with its own word where a count does not come to its end",
  async (withinMs) => {
    const server = await serverOf(18);
    await run(server, "postgres", small);
    const holder = run(server, "postgres", "BEGIN", "LOCK TABLE small", "SELECT pg_sleep(3)");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(
      await measured(server, { ...(withinMs === undefined ? {} : { withinMs }), deadlineMs: 2_000 }),
    ).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.counting-too-long", facts: { database: "postgres" } },
    });
    await holder;
  },
);
