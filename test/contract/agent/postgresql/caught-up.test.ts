/** What looks caught up and is not, on real servers: neither gate nor drain lets it pass. */
import { afterEach, expect, it } from "vitest";
import { stopAll } from "./asked-server.ts";
import { database, followedPair, forward, rollout, subscription, untilRows } from "./followed-pair.ts";

afterEach(stopAll);

const tables = ["CREATE TABLE kept (id int PRIMARY KEY, note text)"];
const little = { maxLagBytes: "100000" };
const notDrained = {
  result: "failed",
  failure: { code: "postgresql.not-drained", facts: { databases: database } },
};

it("a frozen sender, of which the server says that nothing is on its way", async () => {
  const { old, young } = await followedPair([15, 18], tables);
  await old.must("drain", forward);
  expect(await old.gate("caught-up", little)).toMatchObject({ verdict: "pass" });
  const [sender] = await old.rows("SELECT pid::text FROM pg_stat_replication");
  const pid = Number(sender?.["pid"]);
  old.server.pause(pid);
  try {
    await old.run("INSERT INTO kept SELECT i, repeat('x', 100) FROM generate_series(1, 5000) AS i");
    const [told] = await old.rows(
      "SELECT pg_wal_lsn_diff(sent_lsn, flush_lsn)::text AS lag FROM pg_stat_replication",
    );
    expect(told).toEqual({ lag: "0" });
    expect(await old.gate("caught-up", little)).toMatchObject({
      verdict: "wait",
      why: { code: "postgresql.lagging" },
    });
    expect(await old.does("drain", forward, 1_500)).toMatchObject(notDrained);
  } finally {
    old.server.resume(pid);
  }
  expect(await old.does("drain", forward)).toMatchObject({ result: "done" });
  expect(await young.rows("SELECT count(*)::int AS n FROM kept")).toEqual([{ n: 5_000 }]);
});

it("a large transaction that is still open: no lag, and its rows come after a first drain", async () => {
  const { old, young } = await followedPair([15, 18], tables);
  const rows = "INSERT INTO kept SELECT i, 'open' FROM generate_series(1, 5000) AS i";
  const open = old.run("BEGIN", rows, "SELECT pg_sleep(20)", "COMMIT").then(
    () => "committed",
    (error: Error) => error.message,
  );
  await untilRows(
    old.server,
    "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)' AND pid <> pg_backend_pid()",
  );
  expect(await old.does("drain", forward)).toMatchObject({ result: "done" });
  expect(await old.gate("caught-up", little)).toMatchObject({ verdict: "pass" });
  // a fence that ends nobody
  await old.run("ALTER DATABASE postgres CONNECTION LIMIT 0");
  expect(await old.does("prove-fenced")).toMatchObject({
    failure: { facts: { found: expect.stringContaining("clients: 1; writing: 1") } },
  });
  await old.must("fence-writes", {});
  expect(await open).toMatch(/terminat/);
  await old.must("prove-fenced", {});
  await old.must("drain", forward);
  for (const side of [old, young]) expect(await side.rows("SELECT FROM kept")).toEqual([]);
});

it("a reader that is away, and a slot that is gone", async () => {
  const { old, young } = await followedPair([15, 18], tables);
  await young.run(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
  await untilRows(old.server, "SELECT FROM pg_replication_slots WHERE NOT active");
  expect(await old.gate("caught-up", little)).toMatchObject({ why: { code: "postgresql.slot-idle" } });
  expect(await old.does("drain", forward, 1_500)).toMatchObject(notDrained);
  await old.run(`SELECT pg_drop_replication_slot('${subscription}')`);
  const missing = { code: "postgresql.slot-missing" };
  expect(await old.gate("caught-up", little)).toMatchObject({ verdict: "wait", why: missing });
  expect(await old.does("drain", forward)).toMatchObject({
    failure: { ...missing, facts: { slots: expect.stringContaining(rollout) } },
  });
});
