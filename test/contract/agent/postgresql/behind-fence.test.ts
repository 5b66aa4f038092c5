/** What is written on the server that is left, after its stream was paused: found in its slots, with tables and counts, on real servers. */
import { afterEach, describe, expect, it } from "vitest";
import { behindFenceVerbs } from "#agent/engines/postgresql/behind-fence.ts";
import { measuringVerbs } from "#agent/engines/postgresql/measuring.ts";
import { publicationName, roleName, subscriptionName } from "#agent/engines/postgresql/names.ts";
import { publishingVerbs } from "#agent/engines/postgresql/publishing.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import { type Major, whyLeft } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";
import { followedPair, forward, rollout, untilRows } from "./followed-pair.ts";

afterEach(stopAll);

const tables = [
  "CREATE TABLE kept (id int PRIMARY KEY, note text)",
  'CREATE TABLE "Mixed" (id int PRIMARY KEY)',
];
const measured = { databases: forward.databases, withinMs: "0" };
const back = { ...forward, direction: "back" };

/** One server alone, whose slots nobody reads. */
function alone({ port }: PostgresServer) {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const verbs = [behindFenceVerbs, publishingVerbs, measuringVerbs].flatMap((each) => each({ settings }));
  const host = hostOf();
  const parcels = { send: () => Promise.resolve(succeed("")) };
  return async (name: string, args: object, more: Partial<StepContext> = {}) => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    const context = {
      host,
      signal: AbortSignal.timeout(30_000),
      deadlineMs: 30_000,
      rollout,
      parcels,
      ...more,
    };
    return verb?.run(context as unknown as StepContext, verb.args.parse(args));
  };
}

/** With a publication and a slot for each of its databases. */
async function kept(server: PostgresServer, ...names: readonly string[]) {
  const does = alone(server);
  const given = { databases: JSON.stringify(names), direction: "forward" };
  await does("publish", given);
  await does("make-slots", given);
  await does("measure", { databases: given.databases, withinMs: "0" });
  return { does, given };
}

/** By a step that has failed for it. */
function foundBy(result: unknown): string {
  const { failure } = result as { failure?: { facts: { found?: string } } };
  return failure?.facts.found ?? `not stopped: ${(result as { result?: string }).result}`;
}

const untimed = (text: string) => text.replaceAll(/, since [0-9TZ:.-]+/g, "");

const pairs: readonly (readonly [Major, Major])[] = [
  [10, 18],
  [15, 17],
  [17, 18],
];

describe("behind a fence whose stream is paused", () => {
  it.for(pairs)(
    "what %i has carried before is no find either where a crash has taken its slot back behind it",
    { timeout: 120_000 },
    async ([old, young], { skip }) => {
      const why = whyLeft(old);
      if (why !== undefined) skip(why);
      const { old: left, young: taken } = await followedPair([old, young], tables);
      await left.run("CHECKPOINT", "INSERT INTO kept VALUES (1, 'carried')");
      await untilRows(taken.server, "SELECT FROM kept");
      expect(await left.does("drain", forward)).toMatchObject({ result: "done" });
      await left.must("measure", measured);
      await taken.must("pause-subscriptions", forward);
      const slot = "SELECT confirmed_flush_lsn::text AS at FROM pg_replication_slots";
      const [before] = await left.rows(slot);
      await left.server.kill();
      await left.server.start();
      const [after] = await left.rows(slot);
      expect(after).not.toEqual(before);
      expect(await left.does("prove-unwritten", forward)).toMatchObject({ result: "done" });
      expect(await left.does("find-rows-left", forward)).toMatchObject({ result: "done" });
      await left.run("INSERT INTO kept VALUES (2, 'behind')");
      expect(untimed(foundBy(await left.does("find-rows-left", forward)))).toBe(
        "postgres: public.kept (1 inserted)",
      );
    },
  );

  it.for(pairs)(
    "a superuser's rows on %i are found, and nothing that is ours or came back",
    { timeout: 120_000 },
    async ([old, young], { skip }) => {
      const why = old === 17 ? undefined : whyLeft(old);
      if (why !== undefined) skip(why);
      const { old: left, young: taken } = await followedPair([old, young], tables);
      await left.run("INSERT INTO kept VALUES (1, 'carried')");
      await untilRows(taken.server, "SELECT FROM kept");
      expect(await left.does("drain", forward)).toMatchObject({ result: "done" });
      await left.must("measure", measured);
      await taken.must("pause-subscriptions", forward);
      // what a move does itself on the server that it leaves
      await left.does("quiet-triggers", { databases: forward.databases });
      await left.run(
        "SELECT pg_logical_emit_message(true, 'lockkeeper_', 'mark')",
        "CREATE SEQUENCE numbers",
        "SELECT nextval('numbers')",
        "ALTER TABLE kept ADD COLUMN more int",
        "VACUUM FULL kept",
      );
      await taken.run("ALTER TABLE kept ADD COLUMN more int");
      expect(await left.does("prove-unwritten", forward)).toMatchObject({ result: "done" });

      const fromMs = Date.now();
      await left.run(
        "INSERT INTO kept VALUES (2, 'behind'), (3, 'behind')",
        'INSERT INTO "Mixed" VALUES (1)',
      );
      await left.run("UPDATE kept SET note = 'other' WHERE id = 3", "DELETE FROM kept WHERE id = 1");
      if (old > 10) await left.run('TRUNCATE "Mixed"');
      const found = foundBy(await left.does("prove-unwritten", forward));
      const mixed = old > 10 ? "1 inserted, 1 truncated" : "1 inserted";
      const all = `postgres: public."Mixed" (${mixed}), public.kept (2 inserted, 1 updated, 1 deleted)`;
      expect(untimed(found)).toBe(all);
      const sinceMs = Date.parse(/since (.*)$/.exec(found)?.[1] ?? "");
      expect(sinceMs).toBeGreaterThanOrEqual(fromMs - 1_000);
      expect(sinceMs).toBeLessThanOrEqual(Date.now());
      // a look moves nothing
      expect(foundBy(await left.does("prove-unwritten", forward))).toBe(found);

      await taken.run(`CREATE ROLE ${roleName(rollout, "back")} LOGIN SUPERUSER`);
      await taken.must("publish", back);
      await taken.must("make-slots", back);
      await left.must("subscribe", { ...back, at: `127.0.0.1:${taken.server.port}`, copy: "no" });
      await taken.run("INSERT INTO kept SELECT i, 'taken' FROM generate_series(100, 299) AS i");
      await untilRows(left.server, "SELECT FROM kept WHERE id = 299");
      expect(foundBy(await left.does("find-rows-left", forward))).toBe(found);

      const answered = { ...forward, answered: found };
      expect(await left.does("find-rows-left", answered)).toMatchObject({
        result: "done",
        outputs: { "told.rows that this server alone has": found },
      });
      await left.run("INSERT INTO kept VALUES (4, 'after the word')");
      expect(untimed(foundBy(await left.does("find-rows-left", answered)))).toBe(
        all.replace("2 inserted", "3 inserted"),
      );
    },
  );

  it("a follower of 15 or older lets the slot go at once, and not when it next looks up", async () => {
    const { old: left, young: taken } = await followedPair([14, 15], tables);
    await left.must("measure", measured);
    await taken.must("pause-subscriptions", forward);
    const proof = await left.does("prove-unwritten", forward);
    expect(Number(proof.result === "done" ? proof.outputs["tookMs"] : Number.NaN)).toBeLessThan(700);
    await left.run("INSERT INTO kept VALUES (1, 'later')");
    await taken.must("resume-subscriptions", forward);
    await untilRows(taken.server, "SELECT FROM kept");
    await taken.until([]);
  }, 60_000);

  it("what a subscription of somebody else has brought is not on the other side either", async () => {
    const server = await serverOf(18);
    const theirs =
      "CREATE SUBSCRIPTION theirs CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)";
    await run(server, "postgres", ...tables, theirs);
    const { does, given } = await kept(server, "postgres");
    await run(
      server,
      "postgres",
      "SELECT pg_replication_origin_session_setup('pg_' || oid) FROM pg_subscription",
      "INSERT INTO kept VALUES (1, 'theirs')",
    );
    expect(untimed(foundBy(await does("find-rows-left", given)))).toBe("postgres: public.kept (1 inserted)");
  }, 60_000);

  it("databases and tables of any name are looked at, each for itself", async () => {
    const server = await serverOf(18);
    const odd = `We"ird 'one`;
    await run(server, "postgres", `CREATE DATABASE "${odd.replaceAll('"', '""')}"`);
    await run(server, odd, 'CREATE SCHEMA "A.b"', 'CREATE TABLE "A.b"."c""d é" (a int)');
    const { does, given } = await kept(server, "postgres", odd);
    expect(await does("prove-unwritten", given)).toMatchObject({ result: "done" });
    await run(server, odd, 'INSERT INTO "A.b"."c""d é" VALUES (1)');
    expect(untimed(foundBy(await does("prove-unwritten", given)))).toBe(
      `${odd}: "A.b"."c""d é" (1 inserted)`,
    );
  }, 60_000);
});

it("a sequence that moved after it was measured is found, though its row went over in time", async () => {
  const server = await serverOf(18);
  await run(server, "postgres", "CREATE SEQUENCE numbers", "SELECT nextval('numbers')");
  const { does, given } = await kept(server, "postgres");
  expect(await does("prove-unwritten", given)).toMatchObject({ result: "done" });
  await run(server, "postgres", "SELECT nextval('numbers')");
  expect(foundBy(await does("prove-unwritten", given))).toBe("postgres: public.numbers has moved");
}, 60_000);

describe("what cannot be looked at is no ok", () => {
  it("a slot that its server has given up, or that is gone: told, and gone on from by a word", async () => {
    const server = await serverOf(15, {
      max_slot_wal_keep_size: "1MB",
      min_wal_size: "32MB",
      max_wal_size: "32MB",
    });
    await run(server, "postgres", "CREATE DATABASE shop", ...tables);
    const { does, given } = await kept(server, "postgres", "shop");
    await run(
      server,
      "shop",
      `SELECT pg_drop_replication_slot('${subscriptionName(rollout, "forward", "shop")}')`,
    );
    for (let times = 0; times < 5; times += 1)
      await run(
        server,
        "postgres",
        "CREATE TABLE gone AS SELECT 1",
        "SELECT pg_switch_wal()",
        "DROP TABLE gone",
      );
    await run(server, "postgres", "CHECKPOINT");
    for (const name of ["prove-unwritten", "find-rows-left"]) {
      const found = foundBy(await does(name, given));
      expect(found).toMatch(
        /postgres: not looked at \(can no longer get changes .*\); shop: not looked at \(slot .* is gone\)/,
      );
    }
    const answered = foundBy(await does("find-rows-left", given));
    expect(await does("find-rows-left", { ...given, answered })).toMatchObject({ result: "done" });
  }, 60_000);

  it("one that is still read from is waited for, and not for ever", async () => {
    const { old: left } = await followedPair([17, 18], tables);
    await left.must("measure", measured);
    const fromMs = Date.now();
    expect(foundBy(await left.does("prove-unwritten", forward))).toMatch(
      /postgres: not looked at \(slot lockkeeper_r1_\w+ is in use by process \d+\)/,
    );
    expect(Date.now() - fromMs).toBeLessThan(20_000);
  }, 60_000);

  it("more than can be read in the time", async () => {
    const server = await serverOf(18);
    await run(server, "postgres", ...tables);
    const { does, given } = await kept(server, "postgres");
    await run(server, "postgres", "INSERT INTO kept SELECT i, 'x' FROM generate_series(1, 300000) AS i");
    expect(foundBy(await does("find-rows-left", given, { deadlineMs: 1_050 }))).toMatch(
      /not looked at \(canceling statement due to statement timeout\)/,
    );
  }, 60_000);

  it("a publication that somebody has dropped or changed: 18 would tell of no table then", async () => {
    const server = await serverOf(18);
    const { does, given } = await kept(server, "postgres");
    const publication = publicationName(rollout, "forward");
    const hidden = /postgres: not looked at \(publication lockkeeper_r1 is not as it was made\)/;
    await run(
      server,
      "postgres",
      ...tables,
      `ALTER PUBLICATION ${publication} SET (publish = 'delete')`,
      "INSERT INTO kept VALUES (1, 'a')",
    );
    expect(foundBy(await does("find-rows-left", given))).toMatch(hidden);
    const others = `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete')`;
    await run(server, "postgres", others, "TRUNCATE kept");
    expect(foundBy(await does("find-rows-left", given))).toMatch(hidden);
    await run(server, "postgres", `DROP PUBLICATION ${publication}`);
    expect(foundBy(await does("find-rows-left", given))).toMatch(hidden);
  }, 60_000);
});

it("a row that comes after the word is named, also in a table that none of the first ten is", async () => {
  const server = await serverOf(18);
  const names = Array.from({ length: 12 }, (_, index) => `t${index + 10}`);
  await run(server, "postgres", ...names.map((name) => `CREATE TABLE ${name} (a int)`));
  const { does, given } = await kept(server, "postgres");
  await run(server, "postgres", ...names.map((name) => `INSERT INTO ${name} VALUES (1)`));
  const answered = foundBy(await does("find-rows-left", given));
  expect(untimed(answered)).toMatch(/t19 \(1 inserted\), 2 more tables \(2 inserted\)$/);
  await run(server, "postgres", "INSERT INTO t21 VALUES (2)");
  expect(untimed(foundBy(await does("find-rows-left", { ...given, answered })))).toMatch(
    /t19 \(1 inserted\), 2 more tables \(3 inserted\)$/,
  );
}, 60_000);

it("slots that an earlier try has dropped, after it had looked into them, keep nobody", async () => {
  const server = await serverOf(18);
  await run(server, "postgres", "CREATE DATABASE shop");
  const { does, given } = await kept(server, "postgres", "shop");
  expect(await does("find-rows-left", given)).toMatchObject({ result: "done", outputs: { databases: "2" } });
  await does("drop-slots", { ...given, databases: '["postgres"]' });
  expect(await does("find-rows-left", given)).toMatchObject({ result: "done", outputs: { databases: "1" } });
}, 60_000);
