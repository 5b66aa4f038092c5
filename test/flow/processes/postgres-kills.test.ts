/**
 * A PostgreSQL move with real processes: coordinator, agents, nats-server and both servers killed at each boundary of the way to its
 * cut-over, of the cut-over and of the way back, while one application writes to the old server and another tries to write to the
 * new one. At no instant do both take rows, and at the end one does.
 */
import { describe, expect, it } from "vitest";
import { proveRows, type WriterLog } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { Killer, type Plot, type Victim, victims } from "./harness/killer.ts";
import { Matrix } from "./harness/matrix.ts";
import { type Node, PostgresFleet } from "./harness/postgres-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";
import { playedUnder } from "./harness/story.ts";

const skipUnlessFull = onlyFull("takes a quarter of an hour");

const dist = bundle();
let fleet: PostgresFleet;
let writers: readonly Writer[] = [];

stoppedAfterEach(() => [...writers, fleet]);

/** One for each server, told apart by their numbers. */
async function bothWrite(): Promise<void> {
  await fleet.on("old1", "postgres", async (client) => {
    await client.query("CREATE ROLE app LOGIN");
    await client.query("CREATE DATABASE shop OWNER app");
  });
  await fleet.on("old1", "shop", async (client) => {
    await client.query("CREATE TABLE written (id bigint PRIMARY KEY, body text)");
    await client.query("GRANT ALL ON written TO app");
    await client.query(
      "SELECT lo_from_bytea(70001, 'there'), lo_from_bytea(70002, decode(repeat('ab', 500000), 'hex'))",
    );
  });
  writers = (["old1", "new1"] as const).map((node, index) =>
    startWriter({
      urls: [fleet.server(node).urlOf("shop", "app")],
      table: "written",
      startAt: index * 1_000_000 + 1,
      everyMs: 5,
    }),
  );
  await writers[0]?.accepted(20);
}

/** Of some stages alone. */
const within =
  (stages: RegExp, plot: Plot): Plot =>
  (boundary) =>
    stages.test(boundary.name) ? plot(boundary) : undefined;

const noneIsKilled: Plot = () => undefined;

async function beginMove(): Promise<readonly string[]> {
  fleet = await PostgresFleet.start(dist(), { old: 15, new: 18, settings: { "fence-limit": "20s" } });
  await bothWrite();
  const { code, stderr, file } = await fleet.plan();
  expect(code, stderr).toBe(0);
  return ["apply", file, "-y"];
}

/** Types what it is told to until that wait, or the end, under these kills. */
async function play(what: string, words: readonly string[], plot: Plot, until = ""): Promise<void> {
  const killer = new Killer(fleet, plot);
  const stops = await playedUnder(fleet, killer, (hear) => fleet.follow(words, hear), {
    cluster: "orders",
    until,
  });
  expect(stops).not.toContain("stopped without a word");
  // nobody writes behind the fence here
  expect(stops).not.toContain("postgresql.rows-left-behind");
  console.log(`${what}: ${killer.deeds.length} kills; stopped: ${stops.join(", ") || "never"}`);
}

async function areOn(log: WriterLog, ...nodes: readonly Node[]): Promise<void> {
  for (const node of nodes)
    await fleet.until(`all rows are on ${node}`, async () => {
      const proof = await fleet.on(node, "shop", (client) => proveRows(log, client));
      return Object.values(proof).every((found) => found.length === 0);
    });
}

/** Whatever was killed while they were carried. */
async function objectsAreOn(...nodes: readonly Node[]): Promise<void> {
  const query =
    "SELECT string_agg(oid || ' ' || md5(lo_get(oid)), ', ' ORDER BY oid) AS are FROM pg_largeobject_metadata";
  for (const node of nodes) {
    const { rows } = await fleet.on(node, "shop", (client) => client.query(query));
    expect([node, rows[0].are]).toEqual([node, objects]);
  }
}

async function locksAreFree(): Promise<void> {
  // the last kill of all may have been its own
  await fleet.until("a coordinator leads", async () => (await fleet.cli(["lock", "list"])).code === 0);
  const locks = await fleet.json<readonly { readonly state: string }[]>(["lock", "list"]);
  expect(locks.map(({ state }) => state)).toEqual(["free", "free"]);
}

/** Both writers, the old server's first, ended. */
async function written(): Promise<readonly [WriterLog, WriterLog]> {
  const [old, young] = await Promise.all(writers.map((writer) => writer.stop()));
  if (old === undefined || young === undefined) throw new Error("no writers");
  return [old, young];
}

/** As md5 has them. */
const objects = "70001 d850f04cdb48312a9be171e214c0b4ee, 70002 f64e805c194d70dc634614e3a4570fc1";

const firstOf = (rows: WriterLog["accepted"]) => Math.min(...rows.map(({ before }) => before));
const lastOf = (rows: WriterLog["accepted"]) => Math.max(...rows.map(({ at }) => at));

/** The old server serves all the time, and the new one nobody. */
async function wayThere(plot: Plot): Promise<void> {
  await play(
    "the way to the cut-over",
    await beginMove(),
    within(/^(?!cut-over|opened|settle|soak|retire)/, plot),
    "ready",
  );
  const [old] = writers;
  await old?.accepted(old.log.accepted.length + 20);
  const [before, after] = await written();
  expect(after.accepted).toEqual([]);
  await areOn(before, "old1", "new1");
  await locksAreFree();
}

async function cutOver(plot: Plot): Promise<void> {
  await play("a cut-over", await beginMove(), within(/^(cut-over|settle)\//, plot), "soak");
  await writers[1]?.accepted(20);
  const [before, after] = await written();
  expect(lastOf(before.accepted)).toBeLessThanOrEqual(firstOf(after.accepted));
  console.log(`writes stood still for ${firstOf(after.accepted) - lastOf(before.accepted)} ms under kills`);
  for (const log of [before, after]) await areOn(log, "new1", "old1");
  await objectsAreOn("new1", "old1");
  await locksAreFree();
}

/** After the new server has taken rows: they are on the old one at the end, which takes more of its own. */
async function wayBack(plot: Plot): Promise<void> {
  await play("there", await beginMove(), noneIsKilled, "soak");
  const [old, young] = writers;
  await young?.accepted(20);
  const back = `${fleet.folder}/back.json`;
  await fleet.must("plan", "--back", "orders", "-o", back);
  await play("the way back", ["apply", back, "-y"], plot);
  await old?.accepted(old.log.accepted.length + 20);
  const [before, after] = await written();
  const again = before.accepted.filter((row) => row.before > firstOf(after.accepted));
  expect(lastOf(after.accepted)).toBeLessThanOrEqual(firstOf(again));
  for (const log of [before, after]) await areOn(log, "old1");
  await objectsAreOn("old1");
  await locksAreFree();
}

describe.each([
  [
    "the way to the cut-over of a PostgreSQL server",
    wayThere,
    ["connect/peers/publish-forward", "subscribe-1/subscribe/subscribe-forward"],
  ],
  [
    "the cut-over of a PostgreSQL server",
    cutOver,
    [
      "cut-over/fence/fence-writes",
      "cut-over/fence/drain-forward",
      "cut-over/fence/write-unreplicated",
      "cut-over/take-over/set-sequences",
      "cut-over/take-over/load-unreplicated",
      "cut-over/follow/subscribe-back",
      "cut-over/open/open-writes",
      "settle/slots/drop-slots-forward",
    ],
  ],
  [
    "the way back of a PostgreSQL server",
    wayBack,
    [
      "return/fence/fence-writes",
      "return/take-over/set-sequences",
      // what is there already is the same
      "return/take-over/compare-unreplicated",
      "return/open/open-writes",
    ],
  ],
] as const)("killed at every boundary: %s", (name, story, steps) => {
  const whom: readonly Victim[] = [...victims, "server"];
  const matrix = new Matrix(["old1", "new1"], whom);

  for (const turn of whom.keys())
    it(`victims turned by ${turn}: writes are open on one side only, and no row is lost`, async (context) => {
      skipUnlessFull(context);
      await story(matrix.plot(turn));
    }, 1_200_000);

  it("none is left out", (context) => {
    skipUnlessFull(context);
    console.log(
      `${name}: ${matrix.boundaries.length} boundaries; only some: ${matrix.occasional.join(", ")}`,
    );
    // one whose probe finds nothing to do is not started
    const done = steps.map((step) => `${step} done`);
    expect(matrix.boundaries).toEqual(expect.arrayContaining(done));
    expect(matrix.missing).toEqual([]);
  });
});
