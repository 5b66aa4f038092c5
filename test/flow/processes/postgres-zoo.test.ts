/**
 * One object of every kind taken from each old major to a newer one, by the whole product: rows by content, sequences, roles and
 * settings, triggers as they were, and what replication does not carry.
 */
import { describe, expect, it } from "vitest";
import type { Major } from "#test/postgres/binaries.ts";
import { proveRows } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { shop, street, writerRole } from "#test/postgres/zoo/roles.ts";
import { zooLargeObjects, zooSequences } from "#test/postgres/zoo/values.ts";
import { loadZoo } from "#test/postgres/zoo/zoo.ts";
import { zooCounts } from "#test/postgres/zoo/zoo-counts.ts";
import { zooTables } from "#test/postgres/zoo/zoo-tables.ts";
import type { Follow } from "./harness/fleet.ts";
import { type Node, PostgresFleet } from "./harness/postgres-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";

const skipUnlessFull = onlyFull("a minute each");

const dist = bundle();
let fleet: PostgresFleet;
let writer: Writer | undefined;
stoppedAfterEach(() => [writer, fleet]);

function stopOf({ events }: Follow): string {
  return JSON.stringify(events.findLast(({ fact }) => fact.kind === "stopped")?.fact);
}

async function typed(code: number, ...words: readonly string[]): Promise<string> {
  const follow = fleet.follow(words);
  const ended = await follow.ended;
  expect(ended.code, `${words.join(" ")}: ${ended.stderr}\n${stopOf(follow)}`).toBe(code);
  return follow.events[0]?.rollout ?? "";
}

/** What the plan asks a person for, said with each `--ack`. */
async function wordsFor(file: string): Promise<readonly string[]> {
  const { readFile } = await import("node:fs/promises");
  const { asks } = JSON.parse(await readFile(file, "utf8")) as { asks: readonly string[] };
  return asks.length === 0
    ? []
    : [...asks.flatMap((check) => ["--ack", check]), "--reason", "the zoo's keeper knows"];
}

async function text(node: Node, database: string, query: string): Promise<readonly string[]> {
  const { rows } = await fleet.on(node, database, (client) =>
    client.query({ text: query, rowMode: "array" }),
  );
  return rows.map((row: unknown[]) => row.join(" | "));
}

const settings = `
  SELECT coalesce(datname, '*'), coalesce(rolname, '*'), setconfig::text FROM pg_db_role_setting
    LEFT JOIN pg_database d ON d.oid = setdatabase LEFT JOIN pg_roles r ON r.oid = setrole
   WHERE rolname IS NULL OR rolname !~ '^lockkeeper_' ORDER BY 1, 2, 3`;
const members = `
  SELECT g.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
    JOIN pg_roles m ON m.oid = a.member WHERE g.rolname !~ '^(pg|lockkeeper)_' ORDER BY 1, 2`;
const triggers = `
  SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`;
/** Before 12 pg_indexes leaves out those of partitioned tables. */
const indexes = `
  SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid
   WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1`;
const constraints = `
  SELECT conrelid::regclass::text, conname, contype, convalidated FROM pg_constraint
   WHERE contype IN ('p', 'u', 'f', 'c', 'x') AND conrelid >= 16384 ORDER BY 1, 2`;
/** Large objects, by all that is theirs. */
const objects = `
  SELECT m.oid, lomowner::regrole, lomacl, md5(lo_get(m.oid)), obj_description(m.oid, 'pg_largeobject')
    FROM pg_largeobject_metadata m ORDER BY 1`;
const acl = "SELECT datname, unnest(datacl)::text FROM pg_database WHERE datname = 'shop' ORDER BY 1, 2";

describe("every kind of object", () => {
  const pairs: readonly (readonly [Major, Major])[] = [
    [10, 15],
    [12, 15],
    [14, 17],
    [15, 18],
    // the rest of the majors
    [11, 13],
    [13, 16],
    [16, 18],
  ];
  for (const [old, young] of pairs)
    it(`goes from ${old} to ${young}`, async (context) => {
      skipUnlessFull(context);
      fleet = await PostgresFleet.start(dist(), { old, new: young });
      await loadZoo(fleet.server("old1"));
      // the one table that nothing can tell the rows of: its owner knows that rows are only added, and says so
      const refused = await fleet.cli(["check", "orders", "--to", String(young), "--into", "orders-new"]);
      expect([refused.code, refused.stdout]).toEqual([3, expect.stringContaining("json_log")]);
      await fleet.on("old1", shop, (client) => client.query("ALTER TABLE json_log REPLICA IDENTITY FULL"));
      await fleet.until("that asks for a word", async () => {
        const words = ["check", "orders", "--to", String(young), "--into", "orders-new", "-o", "json"];
        const found = JSON.parse((await fleet.cli(words)).stdout) as { id: string; status: string }[];
        return found.some(({ id, status }) => id === "postgresql.full-incomparable" && status === "unknown");
      });
      const added = (node: Node) =>
        fleet.on(node, shop, (client) => client.query("INSERT INTO json_log SELECT * FROM json_log LIMIT 3"));
      const urls = (["old1", "new1"] as const).map((node) => fleet.server(node).urlOf(shop, writerRole));
      writer = startWriter({ urls, table: "written" });
      await writer.accepted(10);
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr + planned.stdout).toBe(0);
      const before = {
        settings: await text("old1", "postgres", settings),
        members: await text("old1", "postgres", members),
        triggers: await text("old1", shop, triggers),
        constraints: await text("old1", shop, constraints),
        indexes: await text("old1", shop, indexes),
        acl: await text("old1", "postgres", acl),
        objects: await text("old1", shop, objects),
      };
      const rollout = await typed(8, "apply", planned.file, "-y", ...(await wordsFor(planned.file)));
      await added("old1");
      await typed(8, "approve", rollout);
      await added("new1");
      const all = "SELECT count(*) FROM json_log";
      await fleet.until(
        "the new server's rows are on the old one",
        async () => (await text("old1", shop, all))[0] === "26",
      );
      await writer.accepted(writer.log.accepted.length + 10);
      const log = await writer.stop();
      expect(await fleet.on("new1", shop, (client) => proveRows(log, client))).toEqual({
        lost: [],
        doubled: [],
        stale: [],
        strange: [],
      });
      for (const database of [shop, street]) {
        const [there, here] = await Promise.all(
          (["old1", "new1"] as const).map((node) => fleet.on(node, database, zooCounts)),
        );
        const carried = zooTables(old).filter((table) => table.database === database);
        for (const { schema, name } of carried) {
          const key = `${schema}.${name}`;
          if (name !== "written") expect([key, here?.get(key)]).toEqual([key, there?.get(key)]);
        }
      }
      for (const [name, { last, called }] of Object.entries(zooSequences))
        expect(await text("new1", shop, `SELECT last_value, is_called FROM ${name}`)).toEqual([
          `${last} | ${called}`,
        ]);
      expect(await text("new1", "postgres", settings)).toEqual(before.settings);
      expect(await text("new1", "postgres", members)).toEqual(before.members);
      expect(await text("new1", "postgres", acl)).toEqual(before.acl);
      expect(before.objects).toHaveLength(zooLargeObjects.length);
      expect(await text("new1", shop, objects)).toEqual(before.objects);
      expect(await text("new1", shop, triggers)).toEqual(before.triggers);
      expect(await text("new1", shop, constraints)).toEqual(before.constraints);
      expect(await text("new1", shop, indexes)).toEqual(before.indexes);
      await typed(0, "approve", rollout);
      const kept =
        "SELECT relname, relreplident FROM pg_class WHERE relkind = 'r' AND relreplident <> 'd' ORDER BY 1";
      const own = `${kept.replace("ORDER", "AND relnamespace::regnamespace::text !~ '^pg_' AND relnamespace::regnamespace::text <> 'information_schema' ORDER")}`;
      expect(await text("new1", shop, own)).toEqual(await text("old1", shop, own));
    }, 300_000);
});
