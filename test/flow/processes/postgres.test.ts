/**
 * The whole move of a PostgreSQL server with real processes: plan, apply, approve, a writer that never stops, and what is left at the
 * end; the way back before the cut-over, and after it with rows that the new server has taken.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RolloutView } from "#coordinator/domain/views.ts";
import { proveRows, type WriterLog } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import type { Follow } from "./harness/fleet.ts";
import { type Node, PostgresFleet } from "./harness/postgres-fleet.ts";
import { passwordOn, secretsAreKept } from "./harness/postgres-secrets.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";
import { type ProcessList, watchProcesses } from "./harness/process-list.ts";

const dist = bundle();
let fleet: PostgresFleet;
let writer: Writer | undefined;
let processes: ProcessList | undefined;
stoppedAfterEach(() => [processes, writer, fleet]);

const caseMs = 180_000;
const skipUnlessFull = onlyFull("the demo goes the same way in make test, and the way back begins with it");
const nothingWrong = { lost: [], doubled: [], stale: [], strange: [] };

const tables = [
  "CREATE TABLE written (id bigint PRIMARY KEY, body text)",
  "CREATE TABLE bare (a int, b text)",
  "INSERT INTO bare SELECT i, 'x' || i FROM generate_series(1, 500) AS i",
  "CREATE SEQUENCE free START 40 INCREMENT 3",
  "SELECT nextval('free'), nextval('free')",
  "CREATE INDEX later ON bare (b)",
  "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
  "CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, body text)",
  "INSERT INTO cache SELECT i, 'c' || i FROM generate_series(1, 100) AS i",
  "SELECT lo_from_bytea(70001, 'there from the beginning'), lo_from_bytea(70002, 'removed later')",
  "ALTER LARGE OBJECT 70001 OWNER TO app",
];

/** Of what replication does not carry. */
const unreplicated = `
  SELECT string_agg(format('%s %s %s', m.oid, lomowner::regrole, convert_from(lo_get(m.oid), 'UTF8')), ', ' ORDER BY m.oid) AS objects,
         (SELECT format('%s rows, %s', count(*), max(body) FILTER (WHERE id = 7)) FROM cache) AS cache
    FROM pg_largeobject_metadata m`;

/** A row beside each order, by a trigger that fires wherever the order arrives; another where it arrives from elsewhere. */
const audited = [
  "CREATE TABLE orders (id int PRIMARY KEY)",
  "CREATE TABLE audit (id bigserial PRIMARY KEY, what text)",
  `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
     $$ BEGIN INSERT INTO public.audit (what) VALUES (tg_name || ' ' || NEW.id); RETURN NEW; END $$`,
  ...["always", "replica"].flatMap((mode) => [
    `CREATE TRIGGER ${mode}_notes AFTER INSERT ON orders FOR EACH ROW EXECUTE PROCEDURE note()`,
    `ALTER TABLE orders ENABLE ${mode.toUpperCase()} TRIGGER ${mode}_notes`,
  ]),
  "INSERT INTO orders SELECT generate_series(1, 500)",
];

/** Two servers, an application that writes, and the plan's file. */
async function prepared(): Promise<string> {
  fleet = await PostgresFleet.start(dist(), { old: 15, new: 18 });
  await run("old1", "postgres", [
    "CREATE ROLE app LOGIN PASSWORD 'a secret'",
    "CREATE DATABASE shop OWNER app",
  ]);
  await run("old1", "shop", [...audited, ...tables]);
  for (const node of ["old1", "new1"] as const)
    await run(node, "postgres", ["ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"]);
  processes = watchProcesses();
  const urls = (["old1", "new1"] as const).map((node) => fleet.server(node).urlOf("shop", "app"));
  writer = startWriter({ urls, table: "written" });
  await writer.accepted(20);
  const planned = await fleet.plan();
  expect(planned.code, planned.stderr + planned.stdout).toBe(0);
  return planned.file;
}

async function run(node: Node, database: string, statements: readonly string[]): Promise<void> {
  await fleet.on(node, database, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

function stopOf({ events }: Follow): string {
  return JSON.stringify(events.findLast(({ fact }) => fact.kind === "stopped")?.fact);
}

/** Types a command that follows its rollout until it waits for a person (8) or is done (0). */
async function typed(code: number, ...words: readonly string[]): Promise<string> {
  const follow = fleet.follow(words);
  const ended = await follow.ended;
  expect(ended.code, `${words.join(" ")}: ${ended.stderr}\n${stopOf(follow)}`).toBe(code);
  return follow.events[0]?.rollout ?? "";
}

async function goBack(rollout: string): Promise<string> {
  const file = join(fleet.folder, "back.json");
  await fleet.must("plan", "--back", rollout, "-o", file);
  return typed(0, "apply", file, "-y");
}

async function lastWords(): Promise<WriterLog> {
  const log = await (writer as Writer).stop();
  expect(log.unknown.length).toBeLessThan(3);
  return log;
}

/** Whatever bears our name, in the server's catalogues. */
async function ours(node: Node): Promise<readonly string[]> {
  const query = `
    SELECT rolname AS name FROM pg_roles UNION ALL SELECT slot_name FROM pg_replication_slots
    UNION ALL SELECT subname FROM pg_subscription UNION ALL SELECT pubname FROM pg_publication`;
  const databases = await fleet.on(node, "postgres", (client) =>
    client.query<{ name: string }>("SELECT datname AS name FROM pg_database WHERE datallowconn"),
  );
  const found: string[] = [];
  for (const { name } of databases.rows) {
    const { rows } = await fleet.on(node, name, (client) => client.query<{ name: string }>(query));
    found.push(...rows.map((row) => row.name).filter((each) => each.startsWith("lockkeeper")));
  }
  return found;
}

async function auditOf(node: Node): Promise<string> {
  const { rows } = await fleet.on(node, "shop", (client) =>
    client.query(`
      SELECT (SELECT string_agg(tgname || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal)
             || ': ' || string_agg(id || ' ' || what, ', ' ORDER BY id) AS is FROM audit WHERE id > 499`),
  );
  return rows[0].is;
}

/** How far it is, from both servers' own words, for people and for scripts. */
async function toldByStatus(rollout: string): Promise<void> {
  await fleet.until("both are told", async () => {
    const { following } = await fleet.json<RolloutView>(["status", rollout]);
    const [shop] = following?.databases ?? [];
    return shop?.standing === "replicating" && shop.lagBytes !== undefined && following?.kept.length === 1;
  });
  const { following } = await fleet.json<RolloutView>(["status", rollout]);
  expect(following).toMatchObject({
    databases: [{ database: "shop", node: "new1" }],
    kept: [{ node: "old1", disk: expect.anything(), lost: [] }],
    unknown: [],
  });
  const { stdout: told } = await fleet.cli(["status", rollout]);
  expect(told).toMatch(/shop +new1 +replicating/);
  expect(told).toMatch(/old1 +WAL kept: .* its disk is [\d.]+ % full/);
}

/** What the copy has made still stands then: it is named with the way back, and the old server's disk is watched. */
async function abortTells(rollout: string): Promise<void> {
  await typed(5, "abort", rollout);
  const command = `lockkeeper plan --back ${rollout} -o back.json`;
  for (const asked of [
    ["status", "orders"],
    ["why", "orders"],
  ]) {
    const { stdout } = await fleet.cli(asked);
    expect(stdout).toContain("still stands");
    expect(stdout).toContain(command);
  }
  expect((await fleet.json<RolloutView>(["status", "orders"])).stop?.why.code).toBe("rollout.left-standing");
  expect(await ours("old1")).not.toEqual([]);
  const { stdout: log } = await fleet.cli(["logs", rollout]);
  expect(log).toContain("watch wal-room on old1 armed");
  expect(log).not.toContain("disarmed");
}

const unreplicatedOn = (node: Node) =>
  fleet.on(node, "shop", async (client) => (await client.query(unreplicated)).rows[0]);

/** What the end of a rollout tells of it. */
async function told(rollout: string): Promise<string> {
  const { stdout } = await fleet.cli(["status", rollout]);
  return stdout;
}

const nextOf = (node: Node) =>
  fleet.on(node, "shop", async (client) => (await client.query("SELECT nextval('free') AS n")).rows[0].n);

describe("a PostgreSQL server taken to a newer major version", () => {
  it(
    "loses no row and doubles none while an application writes, and leaves nothing behind",
    async (context) => {
      skipUnlessFull(context);
      const plan = await prepared();
      const rollout = await typed(8, "apply", plan, "-y");
      await typed(8, "approve", rollout);
      await writer?.accepted(writer.log.accepted.length + 30);
      const log = await lastWords();
      expect(await fleet.on("new1", "shop", (client) => proveRows(log, client))).toEqual(nothingWrong);
      expect(new Set(log.accepted.map(({ server }) => server)).size).toBe(2);
      expect(await nextOf("new1")).toBe("46");
      await typed(0, "approve", rollout);
      for (const node of ["old1", "new1"] as const) {
        expect(await ours(node)).toEqual([]);
        expect(await auditOf(node)).toBe("always_notesA replica_notesR: 500 always_notes 500");
      }
      await secretsAreKept(fleet, processes);
    },
    caseMs,
  );

  it(
    "goes back after the cut-over with every row that the new server has taken",
    async () => {
      const plan = await prepared();
      const rollout = await typed(8, "apply", plan, "-y");
      await toldByStatus(rollout);
      const passwords = [await passwordOn(fleet, "new1")];
      // neither server may be in two moves
      await typed(6, "apply", plan, "-y");
      // long after the checks
      await run("old1", "shop", [
        "SELECT lo_unlink(70002), lo_from_bytea(70003, 'written after the checks')",
        "UPDATE cache SET body = 'changed' WHERE id = 7",
      ]);
      await typed(8, "approve", rollout);
      expect(await unreplicatedOn("new1")).toEqual({
        objects: "70001 app there from the beginning, 70003 postgres written after the checks",
        cache: "100 rows, changed",
      });
      passwords.push(await passwordOn(fleet, "old1"));
      await run("new1", "shop", [
        "SELECT lo_unlink(70001), lo_put(70003, 0, 'changed'), lo_from_bytea(70004, 'new')",
        "DELETE FROM cache WHERE id > 50",
        "UPDATE cache SET body = 'once more' WHERE id = 7",
      ]);
      const before = writer?.log.accepted.length ?? 0;
      await writer?.accepted(before + 30);
      expect(await nextOf("new1")).toBe("46");
      await run("new1", "shop", ["INSERT INTO orders VALUES (501), (502)"]);
      const back = await goBack(rollout);
      expect(await unreplicatedOn("old1")).toEqual({
        objects: "70003 postgres changed after the checks, 70004 postgres new",
        cache: "50 rows, once more",
      });
      expect(await told(back)).toMatch(/large objects of shop.*2 went along; equal by content/);
      // fired once, where the order was written
      const audit =
        "always_notesA replica_notesR: 500 always_notes 500, 501 always_notes 501, 502 always_notes 502";
      for (const node of ["new1", "old1"] as const) expect(await auditOf(node)).toBe(audit);
      await writer?.accepted((writer?.log.accepted.length ?? 0) + 20);
      const log = await lastWords();
      const [old = ""] = (["old1"] as const).map((node) => fleet.server(node).urlOf("shop", "app"));
      expect(log.accepted.at(-1)?.server).toBe(old);
      expect(await fleet.on("old1", "shop", (client) => proveRows(log, client))).toEqual(nothingWrong);
      expect(await nextOf("old1")).toBe("49");
      expect(await ours("old1")).toEqual([]);
      await secretsAreKept(fleet, processes, passwords);
    },
    caseMs,
  );

  it(
    "goes back before the cut-over, and both servers are as they were",
    async (context) => {
      skipUnlessFull(context);
      const rollout = await typed(8, "apply", await prepared(), "-y");
      await abortTells(rollout);
      await goBack(rollout);
      expect((await fleet.cli(["why", "orders"])).stdout).toContain("nothing waits");
      const log = await lastWords();
      expect(await fleet.on("old1", "shop", (client) => proveRows(log, client))).toEqual(nothingWrong);
      for (const node of ["old1", "new1"] as const) expect(await ours(node)).toEqual([]);
      const left = await fleet.on("new1", "postgres", (client) =>
        client.query(
          "SELECT datname FROM pg_database WHERE datname = 'shop' UNION ALL SELECT rolname FROM pg_roles WHERE rolname = 'app'",
        ),
      );
      expect(left.rows).toEqual([]);
      expect(await auditOf("old1")).toBe("always_notesA replica_notesR: 500 always_notes 500");
      const identity = await fleet.on("old1", "shop", (client) =>
        client.query("SELECT relreplident AS is FROM pg_class WHERE relname = 'bare'"),
      );
      expect(identity.rows).toEqual([{ is: "d" }]);
      // and once more, since nothing is in the way
      const again = await fleet.plan();
      expect(again.code, again.stderr).toBe(0);
    },
    caseMs,
  );
});
