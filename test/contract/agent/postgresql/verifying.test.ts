/** What a comparison under writes costs whoever writes: five seconds at most, whatever becomes of the coordinator and of the agent. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { alteredTables } from "#agent/engines/postgresql/altered.ts";
import { ask } from "#agent/engines/postgresql/desk.ts";
import { subscriptionName } from "#agent/engines/postgresql/names.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { verifyingVerbs } from "#agent/engines/postgresql/verifying.ts";
import { type ParcelPost, parcelsOf } from "#agent/host/parcels.ts";
import type { Host, StepContext } from "#agent/verb.ts";
import { type Clock, systemClock } from "#proto/common/clock.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await stopAll();
});

const small = "CREATE TABLE small AS SELECT 1 AS i";
const large = "CREATE TABLE large AS SELECT generate_series(1, 1500000) AS i";

/** The other side confirms whatever was written, as a subscription does. */
async function followed(server: PostgresServer): Promise<void> {
  const slot = subscriptionName("r1", "forward", "postgres");
  await run(server, "postgres", `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const client = new pg.Client({ connectionString: server.urlOf("postgres") });
  await client.connect();
  let isOver = false;
  const follow = async () => {
    while (!isOver)
      await client.query(
        `SELECT pg_replication_slot_advance('${slot}', pg_current_wal_lsn()), pg_sleep(0.05)`,
      );
  };
  const following = follow();
  ends.push(async () => {
    isOver = true;
    await following;
    await client.end();
  });
}

/** The coordinator keeps what it is sent, and the new server has always seen what it is asked for. */
function postOf(kept = new Map<string, string>()): ParcelPost {
  return {
    send: async ({ name }, chunks) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      kept.set(name, Buffer.concat(parts).toString());
    },
    find: async (_, name) => (kept.has(name) || name.includes("-seen-") ? { digest: "" } : undefined),
    fetch: () => {
      throw new Error("not fetched");
    },
  };
}

const never = () => new Promise<never>(() => {});

function show(
  server: PostgresServer,
  {
    post,
    withinMs,
    clock = systemClock,
    host = hostOf(),
    as = "show-contents",
  }: {
    post: ParcelPost;
    withinMs: number;
    clock?: Clock;
    host?: Host;
    as?: "show-contents" | "verify-contents";
  },
) {
  const settings = postgresqlSettings.parse({
    host: "127.0.0.1",
    port: server.port,
    user: "kw",
    tools: "/tools",
  });
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-verify-"));
  const end = new AbortController();
  const parcels = parcelsOf({ folder, clock: systemClock, bytesPerSecond: 1e9, post }, "r1", end.signal);
  const context = { rollout: "r1", stage: "verify", attempt: 1, parcels, signal: end.signal };
  const verb = verifyingVerbs({ settings }).find(({ name }) => name === `postgresql.${as}`);
  const args = verb?.args.parse({ databases: '["postgres"]', withinMs: String(withinMs) });
  const shown = verb?.run({ ...context, host: { ...host, clock } } as unknown as StepContext, args);
  ends.push(async () => {
    end.abort();
    await shown;
    rmSync(folder, { recursive: true, force: true });
  });
  return shown;
}

async function untilLocked(server: PostgresServer): Promise<void> {
  const client = new pg.Client({ connectionString: server.urlOf("postgres") });
  await client.connect();
  const words = "SELECT FROM pg_locks WHERE relation = 'small'::regclass AND mode = 'ShareLock' AND granted";
  for (let left = 400; left > 0; left -= 1)
    if ((await client.query(words)).rowCount === 1) return client.end();
  await client.end();
  throw new Error("never locked");
}

describe("a table that is compared under writes", () => {
  it.each([
    ["asked whether the other side has seen it", { find: never }],
    ["told that it stands still", { send: never }],
  ])("may be written to again when the coordinator hangs where it is %s", async (_, hangs) => {
    const server = await serverOf(15);
    await run(server, "postgres", small);
    await followed(server);
    void show(server, { post: { ...postOf(), ...hangs }, withinMs: 60_000 });
    await untilLocked(server);
    const atMs = performance.now();
    await run(server, "postgres", "INSERT INTO small VALUES (2)");
    expect(performance.now() - atMs).toBeLessThan(6_000);
  });

  it("may be written to again when this agent stands still, too", async () => {
    const server = await serverOf(15);
    await run(server, "postgres", small);
    await followed(server);
    const clock = { ...systemClock, monotonicMs: () => 0, after: () => () => undefined };
    void show(server, { post: { ...postOf(), find: never }, withinMs: 60_000, clock });
    await untilLocked(server);
    const atMs = performance.now();
    await run(server, "postgres", "INSERT INTO small VALUES (2)");
    expect(performance.now() - atMs).toBeLessThan(6_000);
  });

  it("is left out where the time does not suffice for it, and the smaller ones are compared", async () => {
    const server = await serverOf(15);
    await run(server, "postgres", small, large);
    await followed(server);
    const kept = new Map<string, string>();
    expect(await show(server, { post: postOf(kept), withinMs: 600 })).toMatchObject({ result: "done" });
    const [, hashes = ""] = [...kept].find(([name]) => name.includes("-hashes-")) ?? [];
    expect(Object.keys(JSON.parse(hashes).hashes)).toEqual(["public.small"]);
  });
});

it("is remembered for what ALTER TABLE may do to a table until the fence", async () => {
  const server = await serverOf(15);
  await run(server, "postgres", small);
  await followed(server);
  const host = hostOf();
  await show(server, { post: postOf(), withinMs: 60_000, host });
  await run(server, "postgres", "ALTER TABLE small ALTER i TYPE int USING -i");
  const settings = postgresqlSettings.parse({
    host: "127.0.0.1",
    port: server.port,
    user: "kw",
    tools: "/t",
  });
  const context = { host, rollout: "r1", signal: AbortSignal.timeout(30_000) } as unknown as StepContext;
  const altered = await ask(context, { settings }, (sql) => alteredTables(context, sql), {
    database: "postgres",
  });
  expect(altered).toEqual(["public.small"]);
});

describe("a comparison that the old server's side cannot make", () => {
  it("is told to the other side, which waits no longer and takes nothing for compared", async () => {
    const server = await serverOf(15);
    await run(server, "postgres", small);
    const post = { ...postOf(), ...onlyTold() };
    // no slot: nobody follows
    expect(await show(server, { post, withinMs: 60_000 })).toMatchObject({
      failure: { code: "postgresql.slot-missing" },
    });
    expect(await show(server, { post, withinMs: 60_000, as: "verify-contents" })).toMatchObject({
      failure: { code: "postgresql.contents-not-met" },
    });
  }, 20_000);

  it("is not taken up by the other side's second life, which has not seen the moment", async () => {
    const server = await serverOf(15);
    await run(server, "postgres", small);
    await followed(server);
    const post = postOf();

    expect(await show(server, { post, withinMs: 60_000 })).toMatchObject({ result: "done" });
    expect(await show(server, { post, withinMs: 60_000, as: "verify-contents" })).toMatchObject({
      failure: { code: "postgresql.contents-not-met" },
    });
  }, 20_000);
});

/** A post on which the new server has not been seen yet. */
function onlyTold(): Pick<ParcelPost, "find" | "send"> {
  const kept = new Set<string>();
  const { send } = postOf();
  return {
    send: async (header, chunks, signal) => {
      await send(header, chunks, signal);
      kept.add(header.name);
    },
    find: async (_, name) => (kept.has(name) ? { digest: "0".repeat(64) } : undefined),
  };
}
