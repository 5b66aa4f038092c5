/** What the writer remembers is so, and the proof finds what is not. */
import pg from "pg";
import { expect, it } from "vitest";
import { proveRows } from "#test/postgres/rows-proof.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";
import { startWriter } from "#test/postgres/writer.ts";

const well = { lost: [], doubled: [], stale: [], strange: [] };

async function prepared(server: PostgresServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url });
  client.on("error", () => undefined);
  await client.connect();
  // without a key: a row that comes twice is seen
  await client.query("create table written (id bigint not null, body text)");
  await client.query("create role app_writer login");
  await client.query("grant select, insert, update, delete on written to app_writer");
  return client;
}

it.each([10, 18] as const)(
  "keeps count of what PostgreSQL %s accepts, over a crash and a move",
  async (major) => {
    await using first = await startPostgres({ major, fsync: true });
    await using second = await startPostgres({ major });
    const [one, other] = [await prepared(first), await prepared(second)];
    const urls = [first, second].map((server) => server.urlOf("postgres", "app_writer"));
    const writer = startWriter({ urls, table: "written", everyMs: 2 });
    await writer.accepted(30);
    await one.query("alter role app_writer set default_transaction_read_only = on");
    await one.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app_writer'");
    await writer.accepted(60);
    await second.kill();
    await first.kill();
    await Promise.all([first.start(), second.start()]);
    await writer.accepted(90);
    const log = await writer.stop();
    await Promise.all([one.end(), other.end()].map((each) => each.catch(() => undefined)));

    const clients = [first, second].map((server) => new pg.Client({ connectionString: server.url }));
    for (const [index, client] of clients.entries()) {
      await client.connect();
      const accepted = log.accepted.filter(({ server }) => server === urls[index]);
      // each has what it has accepted itself; changes and deletions may have gone to the other one
      const proof = await proveRows({ ...log, accepted }, client);
      expect([...proof.doubled, ...proof.strange]).toEqual([]);
      await client.end();
    }
    expect(new Set(log.accepted.map(({ server }) => server))).toEqual(new Set(urls));
    expect(log.longestPauseMs).toBeGreaterThan(50);
    expect(log.accepted.every(({ before, at }) => before <= at)).toBe(true);
  },
);

it("finds rows that are lost, doubled, stale and strange", async () => {
  await using server = await startPostgres();
  const client = await prepared(server);
  const url = server.urlOf("postgres", "app_writer");
  const writer = startWriter({ urls: [url], table: "written", everyMs: 1, startAt: 101 });
  await writer.accepted(40);
  const log = await writer.stop();
  expect(log.unknown).toEqual([]);
  expect(await proveRows(log, client)).toEqual(well);

  await client.query("delete from written where id = 103");
  await client.query("insert into written select * from written where id = 104");
  await client.query("update written set body = 'fresh' where id = 106");
  await client.query("insert into written values (115, 'changed'), (1, 'of somebody else')");
  const held = { ...log, accepted: log.accepted.filter(({ id }) => id !== 108) };
  expect(await proveRows(held, client)).toEqual({
    lost: [103],
    doubled: [104],
    stale: [106, 115],
    strange: [108],
  });
  await client.end();
});
