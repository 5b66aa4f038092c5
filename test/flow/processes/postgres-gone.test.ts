/** One of the two servers of a move is gone for good, its host with it: what the other one is left with, and what of it serves. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { typed as typedOnPage, wordsOf } from "#test/contract/documents/page.ts";
import { goneScenes } from "#test/flow/documents/scenes.ts";
import { type Node, PostgresFleet } from "./harness/postgres-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";

const skipUnlessFull = onlyFull("a minute each");

const dist = bundle();
let fleet: PostgresFleet;
stoppedAfterEach(() => [fleet]);

async function run(node: Node, database: string, ...statements: readonly string[]): Promise<void> {
  await fleet.on(node, database, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function one(node: Node, query: string): Promise<string> {
  const { rows } = await fleet.on(node, "shop", (client) => client.query({ text: query, rowMode: "array" }));
  return String(rows[0]);
}

async function typed(code: number, ...words: readonly string[]): Promise<string> {
  const { ended, events } = fleet.follow(words);
  const { stderr, ...done } = await ended;
  expect(done.code, `${words.join(" ")}: ${stderr}`).toBe(code);
  return events[0]?.rollout ?? "";
}

/** Copied, and waiting for a person. */
async function ready(): Promise<string> {
  fleet = await PostgresFleet.start(dist(), { old: 15, new: 17 });
  await run("old1", "postgres", "CREATE ROLE app LOGIN", "CREATE DATABASE shop OWNER app");
  await run(
    "old1",
    "shop",
    "CREATE TABLE orders (id bigserial PRIMARY KEY, what text)",
    "INSERT INTO orders (what) SELECT 'old' FROM generate_series(1, 100)",
    "CREATE SEQUENCE free",
    "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
    "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app",
  );
  const planned = await fleet.plan();
  expect(planned.code, planned.stderr + planned.stdout).toBe(0);
  return typed(8, "apply", planned.file, "-y");
}

/** Host and all. */
async function loses(node: Node): Promise<void> {
  await fleet.agent(node).end();
  await fleet.server(node).stop();
}

const words = (...checks: readonly string[]) => [
  ...checks.flatMap((check) => ["--ack", `postgresql.${check}`]),
  "--reason",
  "its host burned down",
];

async function backWithout(rollout: string, cluster: string, ...checks: readonly string[]): Promise<void> {
  const file = join(fleet.folder, "back.json");
  await fleet.must("plan", "--back", rollout, "--without", cluster, "-o", file);
  // nobody is led past what is lost by a plan that asks nothing
  expect((await fleet.cli(["apply", file, "-y"])).code).not.toBe(0);
  await typed(0, "apply", file, "-y", ...words(...checks));
  const { stdout } = await fleet.cli(["lock", "list", "-o", "json"]);
  expect(JSON.parse(stdout).map(({ state }: { state: string }) => state)).toEqual(["free", "free"]);
}

const left = `
  SELECT string_agg(name, ', ') FROM (SELECT rolname AS name FROM pg_roles UNION ALL SELECT slot_name FROM pg_replication_slots
    UNION ALL SELECT subname FROM pg_subscription UNION ALL SELECT pubname FROM pg_publication) all_of
   WHERE name LIKE 'lockkeeper%'`;

/** As an application, which no fence holds any more. */
async function appWrites(node: Node): Promise<string> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: fleet.server(node).urlOf("shop", "app") });
  await client.connect();
  try {
    const { rows } = await client.query("INSERT INTO orders (what) VALUES ('after') RETURNING id");
    return String(rows[0].id);
  } finally {
    await client.end();
  }
}

describe("a server that is gone for good", () => {
  it("the new one, before the cut-over: the old one serves on, with nothing left on it", async (context) => {
    skipUnlessFull(context);
    await ready();
    await loses("new1");
    for (const { text, exitCode } of typedOnPage.filter(({ scene }) => scene === goneScenes[0])) {
      const [, ...line] = wordsOf(text.replace("back.json", join(fleet.folder, "back.json")));
      // as it stands on the page: what follows a rollout's events takes another -o
      const { code, stderr } = await fleet.cli(line);
      expect(code, `${text}: ${stderr}`).toBe(exitCode);
    }
    expect(await one("old1", left)).toBe("");
    expect(await appWrites("old1")).toBe("101");
  }, 240_000);

  it("the new one, after it: the old one serves again, with every row that had come, and no number twice", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    await typed(8, "approve", rollout);
    await run("new1", "shop", "INSERT INTO orders (what) SELECT 'new' FROM generate_series(1, 50)");
    await fleet.until(
      "they came back",
      async () => (await one("old1", "SELECT count(*) FROM orders")) === "150",
    );
    await loses("new1");
    await backWithout(rollout, "orders-new", "other-gone", "rows-not-come");
    expect(await one("old1", left)).toBe("");
    expect(await one("old1", "SELECT count(*) FROM orders")).toBe("150");
    expect(await appWrites("old1")).toBe("151");
  }, 240_000);

  it("the new one, after the retirement: the old one serves again, though it has forgotten how it did", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    await typed(8, "approve", rollout);
    await run("new1", "shop", "INSERT INTO orders (what) SELECT 'new' FROM generate_series(1, 50)");
    await typed(0, "approve", rollout);
    await loses("new1");
    await backWithout(rollout, "orders-new", "other-gone", "rows-not-come");
    expect(await one("old1", left)).toBe("");
    expect(await appWrites("old1")).toBe("151");
  }, 240_000);

  it("the old one, after it: the new one serves on, and keeps no WAL for it", async (context) => {
    skipUnlessFull(context);
    const rollout = await ready();
    await typed(8, "approve", rollout);
    expect(await appWrites("new1")).toBe("101");
    await loses("old1");
    await backWithout(rollout, "orders", "other-gone");
    expect(await one("new1", left)).toBe("");
    expect(await appWrites("new1")).toBe("102");
  }, 240_000);
});
