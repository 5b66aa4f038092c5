/**
 * What a move is not begun with, on real servers: each bad input is named by the check that finds it, `plan` ends with exit code 3,
 * and both servers are as they were.
 */
import { chmod, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusters, type Node, PostgresFleet } from "./harness/postgres-fleet.ts";
import { bundle, isFull } from "./harness/preface.ts";

const secret = "not-the-one-4711";

const dist = bundle();
let fleet: PostgresFleet;
beforeAll(async () => {
  fleet = await PostgresFleet.start(dist(), { old: 15, new: 18, server: { max_prepared_transactions: "5" } });
  await fleet.on("old1", "postgres", async (client) => {
    await client.query("CREATE DATABASE shop");
  });
  await run(
    "old1",
    "shop",
    "CREATE TABLE kept (id int PRIMARY KEY, note json)",
    "INSERT INTO kept VALUES (1)",
  );
}, 240_000);
afterAll(async () => {
  await fleet?.stop();
}, 60_000);

async function run(node: Node, database: string, ...statements: readonly string[]): Promise<void> {
  await fleet.on(node, database, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function one(node: Node, database: string, query: string): Promise<string> {
  const { rows } = await fleet.on(node, database, (client) =>
    client.query({ text: query, rowMode: "array" }),
  );
  return String(rows[0]?.[0]);
}

/** Statements for a database of the old server, and those that take them back. */
const statements =
  (node: Node, database: string, make: readonly string[], undo: readonly string[]) => async () => {
    await run(node, database, ...make);
    return () => run(node, database, ...undo);
  };

/** The server asks for a password from all but the local socket's trusted few, until it is put back. */
async function askingForPasswords(node: Node, settings: Readonly<Record<string, unknown>>) {
  const hba = join(fleet.server(node).data, "pg_hba.conf");
  const before = await readFile(hba, "utf8");
  await run(node, "postgres", "CREATE ROLE lent SUPERUSER LOGIN PASSWORD 'the-right-one'");
  await writeFile(hba, `local all lent scram-sha-256\nhost all lent all scram-sha-256\n${before}`);
  await run(node, "postgres", "SELECT pg_reload_conf()");
  await fleet.restartAgent(node, { user: "lent", ...settings });
  return async () => {
    await writeFile(hba, before);
    await run(node, "postgres", "SELECT pg_reload_conf()", "DROP ROLE lent");
    await fleet.restartAgent(node);
  };
}

interface Bad {
  readonly what: string;
  /** `check` says so of it, in these words among others. */
  readonly check: string;
  readonly says: RegExp;
  readonly spoil: () => Promise<() => Promise<void>>;
  readonly isQuick?: true;
}

const bads: readonly Bad[] = [
  {
    what: "a wrong password",
    check: "reached",
    says: /password authentication failed/,
    spoil: async () => {
      const file = join(fleet.folder, "wrong-password");
      await writeFile(file, `${secret}\n`, { mode: 0o600 });
      return askingForPasswords("old1", { passwordFile: file });
    },
  },
  {
    what: "no superuser",
    check: "source-superuser",
    says: /superuser/i,
    spoil: async () => {
      await run("old1", "postgres", "CREATE ROLE plain LOGIN");
      await fleet.restartAgent("old1", { user: "plain" });
      return async () => {
        await fleet.restartAgent("old1");
        await run("old1", "postgres", "DROP ROLE plain");
      };
    },
  },
  {
    what: "the same server as source and target",
    check: "other-server",
    says: /same/,
    spoil: async () => {
      const { folder: host, port } = fleet.server("old1");
      await fleet.restartAgent("new1", { host, port });
      return () => fleet.restartAgent("new1");
    },
  },
  {
    what: "tables in the target's database of that name",
    check: "target-empty",
    says: /shop/,
    isQuick: true,
    spoil: async () => {
      await run("new1", "postgres", "CREATE DATABASE shop");
      await run("new1", "shop", "CREATE TABLE theirs (i int)", "INSERT INTO theirs VALUES (1)");
      return async () => {
        expect(await one("new1", "shop", "SELECT count(*) FROM theirs")).toBe("1");
        await run("new1", "postgres", "DROP DATABASE shop");
      };
    },
  },
  {
    what: "an extension that the target does not have",
    check: "extensions",
    says: /adminpack/,
    isQuick: true,
    spoil: statements("old1", "shop", ["CREATE EXTENSION adminpack"], ["DROP EXTENSION adminpack"]),
  },
  {
    what: "another encoding",
    check: "encoding",
    says: /LATIN1/,
    spoil: statements(
      "new1",
      "postgres",
      ["CREATE DATABASE shop TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"],
      ["DROP DATABASE shop"],
    ),
  },
  {
    what: "a standby as source",
    check: "source-primary",
    says: /standby/,
    spoil: async () => {
      const server = fleet.server("old1");
      const signal = join(server.data, "standby.signal");
      await server.kill();
      await writeFile(signal, "");
      await chmod(signal, 0o666);
      await server.start();
      return async () => {
        await server.kill();
        await rm(signal);
        await server.start();
      };
    },
  },
  {
    what: "a table that nothing can know the rows of: json, and no key",
    check: "identity-impossible",
    says: /loose/,
    isQuick: true,
    spoil: statements("old1", "shop", ["CREATE TABLE loose (j json)"], ["DROP TABLE loose"]),
  },
  {
    what: "REPLICA IDENTITY FULL over such a column, and nobody's word for it",
    check: "full-incomparable",
    says: /whole/,
    spoil: statements(
      "old1",
      "shop",
      ["CREATE TABLE whole (j json)", "ALTER TABLE whole REPLICA IDENTITY FULL"],
      ["DROP TABLE whole"],
    ),
  },
  {
    what: "more in large objects than goes along, and nobody's word for it",
    check: "large-objects",
    says: /NOT carried: shop: 1\. They weigh 67 MiB/,
    spoil: statements(
      "old1",
      "shop",
      ["SELECT lo_create(1), lo_put(1, 70000000, 'end')"],
      ["SELECT lo_unlink(1)"],
    ),
  },
  {
    what: "a prepared transaction",
    check: "prepared-transactions",
    says: /left-open/,
    isQuick: true,
    spoil: statements(
      "old1",
      "shop",
      ["BEGIN", "INSERT INTO kept VALUES (2)", "PREPARE TRANSACTION 'left-open'"],
      ["ROLLBACK PREPARED 'left-open'"],
    ),
  },
  {
    what: "a disk that is too small",
    check: "target-room",
    says: /free|room/,
    spoil: async () => {
      const oid = await one("old1", "postgres", "SELECT oid FROM pg_database WHERE datname = 'shop'");
      // the server counts what files of its folder say that they hold
      const file = join(fleet.server("old1").data, "base", oid, "999999");
      await writeFile(file, "");
      await truncate(file, 4 * 1024 ** 4);
      return () => rm(file);
    },
  },
  {
    what: "hypertables",
    check: "hypertables",
    says: /shop/,
    spoil: statements(
      "old1",
      "shop",
      [
        "CREATE SCHEMA _timescaledb_catalog",
        "CREATE TABLE _timescaledb_catalog.hypertable (id int PRIMARY KEY)",
        "INSERT INTO _timescaledb_catalog.hypertable VALUES (1)",
        // only what belongs to the extension counts, and there is none of that name for these servers to install
        `INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
         VALUES (424242, 'timescaledb', 10, 'public'::regnamespace, false, '2.17.0')`,
        "ALTER EXTENSION timescaledb ADD TABLE _timescaledb_catalog.hypertable",
      ],
      ["DROP EXTENSION timescaledb", "DROP SCHEMA _timescaledb_catalog"],
    ),
  },
  {
    what: "a manager of failover that nobody has spoken for",
    check: "source-managed",
    says: /repmgr/,
    spoil: statements("old1", "postgres", ["CREATE ROLE repmgr"], ["DROP ROLE repmgr"]),
  },
];

interface Found {
  readonly id: string;
  readonly status: string;
}

const checking = ["check", clusters.old1, "--to", "18", "--into", clusters.new1];

async function isRefused(id: string): Promise<boolean> {
  const { stdout } = await fleet.cli([...checking, "-o", "json"]);
  const found = (JSON.parse(stdout) as Found[]).filter((each) => each.id.endsWith(id));
  return found.some(({ status }) => status === "ko" || status === "unknown");
}

/** By the plan's own making, or by apply: exit code 3. */
async function refusal(): Promise<string> {
  const planned = await fleet.plan();
  if (planned.code !== 0) expect(planned.code, planned.stderr).toBe(3);
  if (!planned.stderr.includes("written to")) return planned.stderr;
  const applied = await fleet.cli(["apply", planned.file, "-y"]);
  expect(applied.code, applied.stderr).toBe(3);
  return applied.stderr;
}

/** All that a move would make first. */
async function madeOn(node: Node): Promise<string> {
  return one(
    node,
    "postgres",
    `SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_subscription)
          + (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lockkeeper%')
          + (SELECT count(*) FROM pg_database WHERE datconnlimit = 0)`,
  );
}

describe("a move is not begun", () => {
  it.for(bads)("with $what", { timeout: 180_000 }, async ({ check, says, spoil, isQuick }, context) => {
    if (!isFull && isQuick === undefined) context.skip("make test-full runs it");
    const mend = await spoil();
    try {
      await fleet.until(`${check} is refused`, () => isRefused(check), 30_000);
      const checked = await fleet.cli(checking);
      expect(checked.code, checked.stdout).toBe(3);
      expect(checked.stdout).toMatch(says);
      expect(`${checked.stdout}${await refusal()}`).not.toContain(secret);
      expect(await readFile(join(fleet.folder, "coordinator.log"), "utf8")).not.toContain(secret);
      expect(await readFile(join(fleet.folder, "agent-old1.log"), "utf8")).not.toContain(secret);
    } finally {
      await mend();
    }
    expect(await madeOn("old1")).toBe("0");
    expect(await madeOn("new1")).toBe("0");
  });

  it("with a target that is older than its source", async () => {
    await run("new1", "postgres", "CREATE DATABASE theirs");
    const words = ["plan", clusters.new1, "--to", "15", "--into", clusters.old1];
    const file = join(fleet.folder, "down.json");
    const planned = await fleet.cli([...words, "-o", file]);
    expect(planned.code, planned.stderr).toBe(3);
    const applied = await fleet.cli(["apply", file, "-y"]);
    expect(applied.code, applied.stderr).toBe(3);
    expect(applied.stderr).toContain("postgresql.newer");
    await run("new1", "postgres", "DROP DATABASE theirs");
  }, 60_000);

  it("while another one is on its source or its target", async (context) => {
    if (!isFull) context.skip("make test-full runs it");
    const first = await fleet.plan();
    expect(first.code, first.stderr).toBe(0);
    const folder = join(fleet.folder, "second");
    await mkdir(folder);
    const second = join(folder, "plan.json");
    await writeFile(second, await readFile(first.file));
    const ready = fleet.follow(["apply", first.file, "-y"]);
    const applied = await ready.ended;
    expect(applied.code, applied.stderr).toBe(8);
    const rollout = ready.events[0]?.rollout ?? "";
    const again = await fleet.cli(["apply", second, "-y"]);
    expect(again.code, again.stderr).toBe(6);
    expect(again.stderr).toContain(rollout);
    const back = join(folder, "back.json");
    await fleet.must("plan", "--back", rollout, "-o", back);
    const gone = await fleet.follow(["apply", back, "-y"]).ended;
    expect(gone.code, gone.stderr).toBe(0);
    expect(await madeOn("old1")).toBe("0");
  }, 300_000);
});
