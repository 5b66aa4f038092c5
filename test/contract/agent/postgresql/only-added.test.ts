/** Tables whose owner says that rows are only ever added: whole rows that nothing can compare, between the oldest server and the newest. */
import { afterEach, describe, expect, it } from "vitest";
import { countRows, hashRows } from "#agent/engines/postgresql/content.ts";
import { postgresqlFacts } from "#agent/engines/postgresql/facts.ts";
import { publicationName, subscriptionName } from "#agent/engines/postgresql/names.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { withSql } from "#agent/engines/postgresql/sql.ts";
import { followerOf } from "#coordinator/playbooks/postgresql/replication.ts";
import { systemClock } from "#proto/common/clock.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, rowsOf, run, serverOf, stopAll, told } from "./asked-server.ts";

afterEach(stopAll);

const database = "postgres";
const tables = ["public.by_key", "public.by_index", "public.by_type", "public.by_text"];
const made = [
  "CREATE TABLE by_key (id int, doc json)",
  "CREATE TABLE by_index (id int, spot point, page xml)",
  "CREATE TABLE by_type (doc json)",
  "CREATE TABLE by_text (doc json, page xml)",
  ...tables.map((table) => `ALTER TABLE ${table} REPLICA IDENTITY FULL`),
];

async function until(server: PostgresServer, query: string): Promise<void> {
  for (let left = 150; left > 0; left -= 1) {
    if ((await rowsOf(server, query)).length > 0) return;
    await systemClock.sleep(100);
  }
  throw new Error(`in vain: ${query}\n${server.log().slice(-2_000)}`);
}

/** As the steps that compare two servers see it. */
async function contentOf({ port }: PostgresServer): Promise<readonly string[]> {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const options = { signal: AbortSignal.timeout(10_000), statementMs: 5_000, database };
  const found = await withSql(hostOf(), { settings }, options, async (sql) => {
    const counts = await countRows(sql, tables);
    const hashes: string[] = [];
    for (const table of tables) hashes.push(`${table} ${counts[table]} ${await hashRows(sql, table)}`);
    return succeed(hashes);
  });
  if (!found.ok) throw new Error(JSON.stringify(found));
  return found.value;
}

/** What keeps the server from following, as `status` names it. */
async function whyOf({ port, logFile: log }: PostgresServer) {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools", log });
  const pulse = await postgresqlFacts(
    hostOf(),
    { settings },
    { depth: "pulse", signal: AbortSignal.timeout(10_000) },
  );
  const [own] = told(pulse.subscriptions);
  if (own === undefined) throw new Error("no subscription");
  return followerOf("new1", own).why;
}

/** By its cause, and by the table where this version tells it. */
async function stops(server: PostgresServer, table: string): Promise<void> {
  for (let left = 100; left > 0; left -= 1) {
    const why = await whyOf(server);
    const isNamed = server.major < 15 || why?.facts["cause"]?.endsWith(`(${table})`);
    if (why?.code === "postgresql.type-incomparable" && isNamed) return;
    await systemClock.sleep(100);
  }
  throw new Error(`it does not say why: ${JSON.stringify(await whyOf(server))}`);
}

describe.each([
  [10, 18],
  [18, 10],
] as const)("rows that are only added, from PostgreSQL %i to %i", (from, to) => {
  it("come, equal ones too; an UPDATE or DELETE stops them by name, until a key or a type is given as its text says", {
    timeout: 60_000,
  }, async () => {
    const soon = { wal_retrieve_retry_interval: "100ms" };
    const [old, young] = [await serverOf(from, soon), await serverOf(to, soon)];
    const both = async (...statements: readonly string[]) => {
      for (const server of [old, young]) await run(server, database, ...statements);
    };
    await both(...made);
    const publication = publicationName("r1", "forward");
    const subscription = subscriptionName("r1", "forward", database);
    const twice = `INSERT INTO by_type VALUES ('{"n": [1]}'), ('{"n": [1]}')`;
    await run(old, database, twice, `CREATE PUBLICATION ${publication} FOR ALL TABLES`);
    await run(
      young,
      database,
      `CREATE SUBSCRIPTION ${subscription} CONNECTION '${old.urlOf(database)}' PUBLICATION ${publication}`,
    );
    await until(young, "SELECT FROM by_type");
    await run(
      old,
      database,
      twice,
      `INSERT INTO by_key VALUES (1, '{"k":  1}'), (2, NULL), (3, '1')`,
      "INSERT INTO by_index VALUES (1, '(1,2)', '<a/>'), (2, NULL, NULL)",
    );
    await until(young, "SELECT FROM by_index");
    await until(young, "SELECT FROM by_type HAVING count(*) = 4");
    expect(await contentOf(young)).toEqual(await contentOf(old));
    expect(await whyOf(young)).toBeUndefined();

    await run(old, database, "UPDATE by_key SET doc = '2' WHERE id = 3");
    await stops(young, "public.by_key");
    await both("ALTER TABLE by_key ADD PRIMARY KEY (id)");
    await until(young, "SELECT FROM by_key WHERE id = 3 AND doc::text = '2'");

    await run(old, database, "UPDATE by_index SET spot = '(3,4)' WHERE id = 1");
    await stops(young, "public.by_index");
    await both(
      "ALTER TABLE by_index ALTER COLUMN id SET NOT NULL",
      "CREATE UNIQUE INDEX chosen ON by_index (id)",
      "ALTER TABLE by_index REPLICA IDENTITY USING INDEX chosen",
    );
    await until(young, "SELECT FROM by_index WHERE spot ~= '(3,4)'");

    await run(old, database, "DELETE FROM by_type WHERE ctid = (SELECT min(ctid::text)::tid FROM by_type)");
    await stops(young, "public.by_type");
    await both("ALTER TABLE by_type ALTER COLUMN doc TYPE jsonb");
    await until(young, "SELECT FROM by_type HAVING count(*) = 3");
    // on the one that follows alone, and only until the row has come: to the letter, also what jsonb would not keep
    const odd = `('{"k":  1, "k": 2}', '<?xml version="1.0" encoding="UTF-8"?><a  b="1"/>')`;
    await run(old, database, `INSERT INTO by_text VALUES ${odd}, ${odd}, (NULL, NULL)`);
    await until(young, "SELECT FROM by_text HAVING count(*) = 3");
    const first = "ctid = (SELECT min(ctid::text)::tid FROM by_text WHERE doc IS NOT NULL)";
    await run(old, database, `UPDATE by_text SET doc = '[1,  2]' WHERE ${first}`);
    await stops(young, "public.by_text");
    await run(young, database, "ALTER TABLE by_text ALTER COLUMN doc TYPE text, ALTER COLUMN page TYPE text");
    await until(young, "SELECT FROM by_text WHERE doc::text = '[1,  2]'");
    await run(old, database, `DELETE FROM by_text WHERE doc::text = '[1,  2]'`);
    await until(young, "SELECT FROM by_text HAVING count(*) = 2");
    await run(
      young,
      database,
      "ALTER TABLE by_text ALTER COLUMN doc TYPE json USING doc::json, ALTER COLUMN page TYPE xml USING page::xml",
    );
    await run(old, database, `INSERT INTO by_text VALUES ${odd}`);
    await until(young, "SELECT FROM by_text HAVING count(*) = 3");
    expect(await contentOf(young)).toEqual(await contentOf(old));

    // and it goes on
    await run(old, database, "INSERT INTO by_type VALUES ('4')", "DELETE FROM by_key WHERE id = 1");
    await until(young, "SELECT FROM by_type HAVING count(*) = 4");
    await until(young, "SELECT FROM by_key HAVING count(*) = 2");
    expect(await contentOf(young)).toEqual(await contentOf(old));
  });
});
