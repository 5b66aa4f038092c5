/**
 * What goes wrong while a new server follows an old one, each met on real servers: named with the deed that helps, or safely stopped;
 * and what tries to write past the fence.
 */
import pg from "pg";
import { describe, expect, it } from "vitest";
import { saidUsed } from "#agent/engines/postgresql/made/said-used.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { proveRows } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { fakeHost, lookOf } from "#test/unit/agent/engines/kwdb/fake-host.ts";
import type { Follow } from "./harness/fleet.ts";
import { type Node, PostgresFleet } from "./harness/postgres-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";

const skipUnlessFull = onlyFull("minutes each");

const dist = bundle();
let fleet: PostgresFleet;
let writer: Writer | undefined;
stoppedAfterEach(() => [writer, fleet]);

async function run(node: Node, ...statements: readonly string[]): Promise<void> {
  await fleet.on(node, "shop", async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function count(node: Node, table: string): Promise<number> {
  const { rows } = await fleet.on(node, "shop", (client) =>
    client.query(`SELECT count(*)::int AS n FROM ${table}`),
  );
  return rows[0].n;
}

function stopOf({ events }: Follow) {
  const stopped = events.findLast(({ fact }) => fact.kind === "stopped")?.fact;
  return stopped?.kind === "stopped" ? stopped : undefined;
}

async function typed(...words: readonly string[]): Promise<{ code: number; rollout: string; stop: string }> {
  const follow = fleet.follow(words);
  const { code } = await follow.ended;
  return { code, rollout: follow.events[0]?.rollout ?? "", stop: stopOf(follow)?.why.code ?? "" };
}

/** Followed by the new server, and waiting for a person to cut over. */
async function ready(settings: Readonly<Record<string, string>> = {}): Promise<string> {
  await prepared(settings);
  const planned = await fleet.plan();
  expect(planned.code, planned.stderr).toBe(0);
  const applied = await typed("apply", planned.file, "-y");
  expect(applied).toMatchObject({ code: 8 });
  return applied.rollout;
}

async function prepared(settings: Readonly<Record<string, string>>): Promise<void> {
  fleet = await PostgresFleet.start(dist(), { old: 15, new: 17, settings });
  await fleet.on("old1", "postgres", async (client) => {
    await client.query("CREATE ROLE app LOGIN");
    await client.query("CREATE DATABASE shop OWNER app");
  });
  await run(
    "old1",
    "CREATE TABLE written (id bigint PRIMARY KEY, body text)",
    "CREATE TABLE kept (id int PRIMARY KEY, note text)",
    "CREATE TABLE parted (id int PRIMARY KEY, note text) PARTITION BY LIST (id)",
    "CREATE INDEX parted_note ON parted (note)",
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
    "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
    "GRANT ALL ON SCHEMA public TO app",
  );
}

async function findings(node: Node): Promise<readonly string[]> {
  const { clusters } = await fleet.json<{
    clusters: { nodes: { name: string; findings: { code: string }[] }[] }[];
  }>(["node", "list"]);
  const found = clusters.flatMap(({ nodes }) => nodes).find(({ name }) => name === node);
  return found?.findings.map(({ code }) => code) ?? [];
}

/** Done when the step is, whichever node's it is. */
function stepsDone(deeds: Readonly<Record<string, () => unknown>>): (event: RolloutEvent) => void {
  return ({ fact }) => {
    if (fact.kind === "step" && fact.phase === "done") deeds[fact.step]?.();
  };
}

const senderOn = (node: Node) =>
  fleet.on(node, "postgres", async (client) => {
    const { rows } = await client.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender'");
    return Number(rows[0].pid);
  });

/** By the server's own word, as it is asked before one that was made is taken away. */
async function usedOn(node: Node): Promise<readonly string[]> {
  const shown = (name: string) => `current_setting('${name}') AS ${name}`;
  const { rows } = await fleet.on(node, "postgres", (client) =>
    client.query(`SELECT ${shown("port")}, ${shown("data_directory")}, current_user AS role`),
  );
  const [{ port, data_directory: data, role: user }] = rows;
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port: Number(port), user, tools: "/tools" });
  const host = fakeHost(() => lookOf(""));
  return saidUsed({ host, signal: AbortSignal.timeout(10_000) }, { settings }, { data, tablespaces: {} });
}

const named = (code: string) =>
  fleet.until(`${code} is told`, async () => (await findings("new1")).includes(code), 40_000);
const mended = () =>
  fleet.until("it follows again", async () => (await findings("new1")).length === 0, 40_000);

describe("while the new server follows", () => {
  it("a new table, a new column and a lost identity are made good by the move itself, and it is cut over", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    const came = (table: string, wanted: number) =>
      fleet.until(
        `${wanted} rows of ${table} came`,
        async () => (await count("new1", table).catch(() => -1)) === wanted,
        60_000,
      );

    await run(
      "old1",
      "CREATE TABLE \"Late one\" (id serial PRIMARY KEY, written_id bigint REFERENCES written, note text DEFAULT 'new')",
      'CREATE INDEX "Late note" ON "Late one" (note)',
      'GRANT SELECT ON "Late one" TO app',
      "INSERT INTO kept VALUES (1, 'a')",
      "INSERT INTO written VALUES (1, 'a')",
      'INSERT INTO "Late one" (written_id) VALUES (1), (NULL)',
    );
    await came('"Late one"', 2);

    await run(
      "old1",
      "ALTER TABLE kept ADD COLUMN more int DEFAULT 7",
      "ALTER TABLE kept ALTER COLUMN more SET DEFAULT 8",
      "INSERT INTO kept VALUES (2, 'b')",
      // on its way without the column that comes after it
      "INSERT INTO written VALUES (2, 'b')",
      "ALTER TABLE written ADD COLUMN state int NOT NULL DEFAULT 0",
      "ALTER TABLE written ALTER COLUMN state DROP DEFAULT",
    );
    await came("kept", 2);
    await came("written", 2);
    const values = await fleet.on("new1", "shop", (client) =>
      client.query("SELECT id, more FROM kept ORDER BY id"),
    );
    expect(values.rows).toEqual([
      { id: 1, more: 7 },
      { id: 2, more: 8 },
    ]);

    await run("new1", "ALTER TABLE kept DROP CONSTRAINT kept_pkey");
    await run("old1", "UPDATE kept SET note = 'c' WHERE id = 1");
    await fleet.until(
      "the change came",
      async () => {
        const { rows } = await fleet.on("new1", "shop", (client) =>
          client.query("SELECT note FROM kept WHERE id = 1"),
        );
        return rows[0]?.note === "c";
      },
      60_000,
    );

    // without a key its applications' own UPDATE fails where it is, until it is given an identity there
    await run("old1", "CREATE TABLE keyless (id int, note text)", "INSERT INTO keyless VALUES (1, 'a')");
    const update = () => run("old1", "UPDATE keyless SET note = 'b'");
    await expect(update()).rejects.toThrow(/replica identity/);
    const fromMs = Date.now();
    await fleet.until(
      "an UPDATE works again",
      () =>
        update().then(
          () => true,
          () => false,
        ),
      40_000,
    );
    console.log(`UPDATE of a table without a key failed for ${Date.now() - fromMs} ms`);
    expect(Date.now() - fromMs).toBeLessThan(25_000);
    await came("keyless", 1);

    await run(
      "old1",
      "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)",
      "INSERT INTO parted VALUES (2, 'b')",
    );
    await came("parted", 1);

    // what nobody writes to is found before the fence
    await run(
      "old1",
      "CREATE TABLE silent (id int PRIMARY KEY)",
      "ALTER TABLE written ADD COLUMN silent int",
    );

    await run("new1", "INSERT INTO kept VALUES (3, 'mine', 0)");
    await run("old1", "INSERT INTO kept VALUES (3, 'theirs', 0)");
    await named("postgresql.row-conflict");
    await run("new1", "DELETE FROM kept WHERE id = 3");
    await mended();

    await fleet.until("it waits for its person", async () => {
      const { phase } = await fleet.json<{ phase: string }>(["status", rollout]);
      return phase === "waiting";
    });
    const { stdout: status } = await fleet.cli(["status", rollout]);
    expect(status).toContain("mended: ");
    expect(status).toContain("public.keyless was given its whole row (FULL)");
    const cut = await typed("approve", rollout);
    expect(cut).toMatchObject({ code: 8, stop: "" });
    const rows = (node: Node) =>
      fleet.on(node, "shop", async (client) => {
        const all =
          'SELECT * FROM kept ORDER BY id; SELECT * FROM "Late one" ORDER BY id; SELECT * FROM keyless; SELECT * FROM parted; SELECT * FROM written ORDER BY id';
        const results = (await client.query(all)) as unknown as { rows: unknown[] }[];
        return results.map((result) => result.rows);
      });
    expect(await rows("new1")).toEqual(await rows("old1"));
    expect(await count("new1", "silent")).toBe(0);

    // of the new server the same is true, now that it is the one that is published
    await run("new1", "CREATE TABLE keyless_too (id int)", "INSERT INTO keyless_too VALUES (1)");
    await run("old1", "CREATE TABLE keyless_too (id int)");
    await fleet.until(
      "an UPDATE works there too",
      () =>
        run("new1", "UPDATE keyless_too SET id = 2").then(
          () => true,
          () => false,
        ),
      40_000,
    );
    expect(await typed("approve", rollout)).toMatchObject({ code: 0 });
    const identity = await fleet.on("new1", "shop", (client) =>
      client.query(
        "SELECT relname, relreplident FROM pg_class WHERE relname ~ 'keyless' AND relkind = 'r' ORDER BY 1",
      ),
    );
    expect(identity.rows.map(({ relreplident }) => relreplident)).toEqual(["d", "d"]);
  }, 600_000);

  it("content that is another one is found before anybody is asked, while applications write", async (context) => {
    skipUnlessFull(context);
    await prepared({});
    await run("old1", "INSERT INTO kept SELECT i, 'as it was' FROM generate_series(1, 100) AS i");
    writer = startWriter({ urls: [fleet.server("old1").urlOf("shop", "app")], table: "written" });
    await writer.accepted(5);
    const planned = await fleet.plan();
    let spoiled = Promise.resolve();
    const follow = fleet.follow(["apply", planned.file, "-y"], ({ fact }) => {
      if (fact.kind === "stage-passed" && fact.stage === "finish-schema")
        spoiled = run("new1", "UPDATE kept SET note = 'spoiled' WHERE id = 7");
    });
    expect((await follow.ended).code).toBe(5);
    await spoiled;
    expect(stopOf(follow)?.why).toMatchObject({
      code: "postgresql.data-differs",
      facts: { found: "public.kept: other content" },
    });
    await run("new1", "UPDATE kept SET note = 'as it was' WHERE id = 7");
    expect((await typed("retry", follow.events[0]?.rollout ?? "")).code).toBe(8);
  }, 300_000);

  it("more large objects than go along, written after the checks, are no reason for a fence: let go of, and it goes on", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    // a hole weighs too
    await run("old1", "SELECT lo_create(1), lo_put(1, 70000000, 'end'), lo_from_bytea(2, 'kept')");
    const approved = await typed("approve", rollout);
    expect([approved.code, approved.stop]).toEqual([5, "postgresql.unreplicated-too-much"]);
    await run("old1", "SELECT lo_unlink(1)");
    const { rows } = await fleet.on("old1", "postgres", (client) =>
      client.query("SELECT count(*)::int AS n FROM pg_database WHERE datconnlimit = 0"),
    );
    expect(rows).toEqual([{ n: 0 }]);
    expect((await typed("retry", rollout)).code).toBe(8);
    const found = await fleet.on("new1", "shop", (client) =>
      client.query("SELECT oid::int, lo_get(oid) AS is FROM pg_largeobject_metadata"),
    );
    expect(found.rows).toEqual([{ oid: 2, is: Buffer.from("kept") }]);
  }, 300_000);

  it("a schema that was changed on one side alone is no reason for a fence", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    await run("old1", "CREATE INDEX only_here ON kept (note)");
    writer = startWriter({ urls: [fleet.server("old1").urlOf("shop", "app")], table: "written" });
    await writer.accepted(5);
    expect(await typed("approve", rollout)).toMatchObject({ code: 5, stop: "postgresql.schemas-differ" });
    await writer.accepted(writer.log.accepted.length + 5);
    await run("new1", "CREATE INDEX only_here ON kept (note)");
    expect((await typed("retry", rollout)).code).toBe(8);
  }, 300_000);

  it("a slot that is gone stops the move by name, and the way back clears all", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready({ "fence-limit": "15s" });
    await fleet.on("new1", "shop", async (client) => {
      const { rows } = await client.query("SELECT quote_ident(subname) AS name FROM pg_subscription");
      await client.query(`ALTER SUBSCRIPTION ${rows[0].name} DISABLE`);
    });
    await fleet.on("old1", "postgres", async (client) => {
      const drop = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active";
      await fleet.until("the slot is let go", () =>
        client.query(drop).then(
          ({ rowCount }) => rowCount === 1,
          () => false,
        ),
      );
    });
    await fleet.until("its watch stops the move", async () => {
      const { phase } = await fleet.json<{ phase: string }>(["status", rollout]);
      return phase === "stopped";
    });
    const { stdout: why } = await fleet.cli(["why", rollout]);
    expect(why).toContain("slots-1");
    expect(why).toContain("plan --back");
    const back = `${fleet.folder}/back.json`;
    await fleet.must("plan", "--back", rollout, "-o", back);
    expect((await typed("apply", back, "-y")).code).toBe(0);
    // as initdb has made it: had it been made for the move, it could be taken away now
    expect(await usedOn("new1")).toEqual([]);
  }, 300_000);
});

describe("what passes for caught up, and is not", () => {
  it("a frozen sender of changes is not drained: the fence comes down by itself, and the cut-over is made later", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready({ "fence-limit": "15s" });
    writer = startWriter({
      urls: [fleet.server("old1").urlOf("shop", "app"), fleet.server("new1").urlOf("shop", "app")],
      table: "written",
    });
    await writer.accepted(10);
    const sender = await senderOn("old1");
    fleet.server("old1").pause(sender);
    try {
      await writer.accepted(writer.log.accepted.length + 50);
      const stopped = await typed("approve", rollout);
      expect(stopped.code).toBe(5);
      const before = writer.log.accepted.length;
      await writer.accepted(before + 10, 40_000);
      expect(writer.log.accepted.at(-1)?.server).toBe(fleet.server("old1").urlOf("shop", "app"));
    } finally {
      fleet.server("old1").resume(sender);
    }
    await fleet.until("it follows again", async () => (await findings("new1")).length === 0);
    expect((await typed("retry", rollout)).code).toBe(8);
    await writer.accepted(writer.log.accepted.length + 10);
    const log = await writer.stop();
    expect(log.accepted.at(-1)?.server).toBe(fleet.server("new1").urlOf("shop", "app"));
    expect(await fleet.on("new1", "shop", (client) => proveRows(log, client))).toEqual({
      lost: [],
      doubled: [],
      stale: [],
      strange: [],
    });
  }, 300_000);

  it("a fence that comes down before the new server has compared is the cause that is told, and not a difference", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready({ "fence-limit": "12s" });
    const urls = (["old1", "new1"] as const).map((node) => fleet.server(node).urlOf("shop", "app"));
    writer = startWriter({ urls, table: "written" });
    await writer.accepted(10);
    const frozen = stepsDone({ measure: () => fleet.agent("new1").signal("SIGSTOP") });
    const follow = fleet.follow(["approve", rollout], frozen);
    try {
      await fleet.until("it is measured", () =>
        Promise.resolve(
          follow.events.some(({ fact }) => fact.kind === "step" && fact.step === "prove-fenced-still"),
        ),
      );
      await writer.accepted(writer.log.accepted.length + 20, 40_000);
    } finally {
      fleet.agent("new1").signal("SIGCONT");
    }
    expect((await follow.ended).code).toBe(5);
    expect(stopOf(follow)?.why).toMatchObject({
      code: "hold.lapsed",
      facts: {
        node: "old1",
        hold: "fence-writes",
        behind: "new1",
        step: "compare",
        cause: "postgresql.data-differs",
      },
    });
    const { stdout: why } = await fleet.cli(["why", rollout]);
    expect(why).toContain("the hold fence-writes on old1 came down by itself");
    expect(why).not.toContain("is not the same on both sides");
    expect((await typed("retry", rollout)).code).toBe(8);
    await writer.accepted(writer.log.accepted.length + 10);
    const log = await writer.stop();
    expect(log.accepted.at(-1)?.server).toBe(urls[1]);
    expect(await fleet.on("new1", "shop", (client) => proveRows(log, client))).toMatchObject({
      lost: [],
      doubled: [],
    });
  }, 300_000);

  it("rows that a superuser writes behind the fence stop it, by name, before the opening and before the slots go", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready({ "fence-limit": "20s" });
    const urls = (["old1", "new1"] as const).map((node) => fleet.server(node).urlOf("shop", "app"));
    writer = startWriter({ urls, table: "written" });
    await writer.accepted(10);
    const old = fleet.server("old1");
    const sender = await senderOn("old1");
    const written: Promise<void>[] = [];
    // nothing that is written from here on reaches the new server, until nobody there listens any more
    const first = stepsDone({
      "drain-forward": () => old.pause(sender),
      "prove-fenced-still": () =>
        written.push(run("old1", "INSERT INTO kept VALUES (1000, 'behind the fence')")),
      "pause-subscriptions-forward": () => old.resume(sender),
    });
    const stopped = fleet.follow(["approve", rollout], first);
    expect((await stopped.ended).code).toBe(5);
    await Promise.all(written);
    expect(stopOf(stopped)?.why).toMatchObject({
      code: "postgresql.written-behind-fence",
      facts: { node: "old1", found: expect.stringMatching(/^shop: public\.kept \(1 inserted\), since 2/) },
    });
    const before = writer.log.accepted.length;
    await writer.accepted(before + 10, 40_000);
    expect(writer.log.accepted.at(-1)?.server).toBe(urls[0]);

    const late: Promise<void>[] = [];
    const second = stepsDone({
      "open-writes": () => late.push(run("old1", "INSERT INTO kept VALUES (1001, 'after the opening')")),
    });
    const left = fleet.follow(["retry", rollout], second);
    expect((await left.ended).code).toBe(5);
    await Promise.all(late);
    const found = "shop: public.kept (1 inserted)";
    expect(stopOf(left)?.why).toMatchObject({
      code: "postgresql.rows-left-behind",
      facts: { node: "old1", found: expect.stringContaining(found) },
    });
    // the one that was found in time has gone over; no word, no way on
    expect(await count("new1", "kept")).toBe(1);
    expect(await typed("retry", rollout)).toMatchObject({ code: 5, stop: "postgresql.rows-left-behind" });
    const { stdout: why } = await fleet.cli(["why", rollout]);
    const command = /command: lockkeeper (resume \S+ --ack postgresql.rows-left-behind) --reason/.exec(
      why,
    )?.[1];
    expect(command, why).toBeDefined();
    const words = [...(command ?? "").split(" "), "--reason", "seen, nobody needs it"];
    expect(await typed(...words)).toMatchObject({ code: 8 });
    expect(await typed("approve", rollout)).toMatchObject({ code: 0 });
    const { stdout: status } = await fleet.cli(["status", rollout]);
    expect(status).toMatch(new RegExp(`rows that this server alone has.*${found.replace(/[().]/g, "\\$&")}`));
    const log = await writer.stop();
    expect(await fleet.on("new1", "shop", (client) => proveRows(log, client))).toEqual({
      lost: [],
      doubled: [],
      stale: [],
      strange: [],
    });
  }, 300_000);

  it("and on the way back the new server's do, before its slots go", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    expect(await typed("approve", rollout)).toMatchObject({ code: 8, stop: "" });
    const file = `${fleet.folder}/back.json`;
    await fleet.must("plan", "--back", rollout, "-o", file);
    const late: Promise<void>[] = [];
    const deeds = stepsDone({
      "open-writes": () =>
        late.push(run("new1", "INSERT INTO kept VALUES (2000, 'on the one that is left')")),
    });
    const back = fleet.follow(["apply", file, "-y"], deeds);
    expect((await back.ended).code).toBe(5);
    await Promise.all(late);
    expect(stopOf(back)?.why).toMatchObject({
      code: "postgresql.rows-left-behind",
      facts: { node: "new1", found: expect.stringContaining("shop: public.kept (1 inserted)") },
    });
    const word = ["--ack", "postgresql.rows-left-behind", "--reason", "a test of ours"];
    const id = back.events[0]?.rollout ?? "";
    expect(await typed("resume", id, ...word)).toMatchObject({ code: 0 });
    const { stdout: status } = await fleet.cli(["status", id]);
    expect(status).toMatch(/rows that this server alone has.*shop: public\.kept \(1 inserted\)/);
  }, 300_000);

  it("a large open transaction, one that asks for writes, and large objects are ended at the fence, not committed", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    const url = fleet.server("old1").urlOf("shop", "app");
    const sessions = await Promise.all(
      [
        ["BEGIN", "INSERT INTO kept SELECT i, 'open' FROM generate_series(1000, 50000) AS i"],
        ["BEGIN READ WRITE", "INSERT INTO kept VALUES (60000, 'read write')"],
        ["SET default_transaction_read_only = off"],
        ["BEGIN", "SELECT lo_from_bytea(0, '\\x00')"],
      ].map(async (statements) => {
        const client = new pg.Client({ connectionString: url });
        client.on("error", () => undefined);
        await client.connect();
        for (const statement of statements) await client.query(statement);
        return client;
      }),
    );
    expect((await typed("approve", rollout)).code).toBe(8);
    for (const client of sessions) {
      await expect(client.query("INSERT INTO kept VALUES (70000, 'late')")).rejects.toThrow();
      await expect(client.query("COMMIT")).rejects.toThrow();
      await client.end().catch(() => undefined);
    }
    const anew = new pg.Client({ connectionString: url, options: "-c default_transaction_read_only=off" });
    anew.on("error", () => undefined);
    await expect(anew.connect()).rejects.toThrow(/too many connections/);
    expect(await count("old1", "kept")).toBe(0);
    expect(await count("new1", "kept")).toBe(0);
  }, 300_000);
});

describe("while the old server is kept", () => {
  it("that it was opened, written to and closed again stops the rollout, though neither agent nor coordinator was there", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    expect(await typed("approve", rollout)).toMatchObject({ code: 8, stop: "" });
    const phase = async () => (await fleet.json<{ phase: string }>(["status", rollout])).phase;

    const [coordinator] = fleet.coordinators;
    await coordinator?.process.kill();
    await fleet.agent("old1").kill();
    await run(
      "old1",
      "SET default_transaction_read_only = off",
      "ALTER DATABASE shop CONNECTION LIMIT -1",
      "INSERT INTO kept VALUES (7, 'on the old one alone')",
      "ALTER DATABASE shop CONNECTION LIMIT 0",
    );
    fleet.agent("old1").start();
    coordinator?.process.start();
    await fleet.until("a coordinator leads", async () => (await fleet.cli(["lock", "list"])).code === 0);
    await fleet.until("it is told", async () => (await phase()) === "stopped", 60_000);
    const { stop } = await fleet.json<{ stop: { why: { code: string; facts: object } } }>([
      "status",
      rollout,
    ]);
    expect(stop.why).toMatchObject({
      code: "postgresql.fence-was-opened",
      facts: { node: "old1", measured: "1" },
    });
    expect((await fleet.cli(["approve", rollout])).code).not.toBe(0);

    await run("old1", "SET default_transaction_read_only = off", "DELETE FROM kept WHERE id = 7");
    expect(await typed("resume", rollout)).toMatchObject({ code: 8 });
    expect((await typed("approve", rollout)).code).toBe(0);
  }, 300_000);
});
