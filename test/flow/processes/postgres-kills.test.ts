/**
 * The cut-over of a PostgreSQL move with real processes: coordinator, agents, nats-server and both servers killed at each of its
 * boundaries, while one application writes to the old server and another tries to write to the new one. At no instant do both
 * take rows, and at the end one does.
 */
import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { proveRows } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { bundled } from "./harness/fleet.ts";
import { Killer, type Plot, type Victim, victims } from "./harness/killer.ts";
import { Matrix } from "./harness/matrix.ts";
import { PostgresFleet } from "./harness/postgres-fleet.ts";
import { playedUnder } from "./harness/story.ts";

const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";
const onlyFull = (context: TestContext) =>
  full || context.skip("takes a quarter of an hour; make test-full runs it");

let dist = "";
let fleet: PostgresFleet;
let writers: readonly Writer[] = [];

beforeAll(async () => {
  dist = await bundled();
}, 120_000);

afterEach(async () => {
  await Promise.all(writers.map((writer) => writer.stop()));
  await fleet?.stop();
}, 60_000);

afterAll(() => rm(dist, { recursive: true, force: true }));

/** One for each server, told apart by their numbers. */
async function bothWrite(): Promise<void> {
  await fleet.on("old1", "postgres", async (client) => {
    await client.query("CREATE ROLE app LOGIN");
    await client.query("CREATE DATABASE shop OWNER app");
  });
  await fleet.on("old1", "shop", async (client) => {
    await client.query("CREATE TABLE written (id bigint PRIMARY KEY, body text)");
    await client.query("GRANT ALL ON written TO app");
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

/** Of a cut-over alone. */
const ofCutOver =
  (plot: Plot): Plot =>
  (boundary) =>
    boundary.name.startsWith("cut-over/") ? plot(boundary) : undefined;

async function cutOverUnder(matrix: Matrix, turn: number): Promise<void> {
  fleet = await PostgresFleet.start(dist, { old: 15, new: 18, settings: { "fence-limit": "20s" } });
  await bothWrite();
  const { code, stderr, file } = await fleet.plan();
  expect(code, stderr).toBe(0);
  const killer = new Killer(fleet, ofCutOver(matrix.plot(turn)));
  const stops = await playedUnder(fleet, killer, (hear) => fleet.follow(["apply", file, "-y"], hear), {
    cluster: "orders",
    until: "soak",
  });
  console.log(`a cut-over: ${killer.deeds.length} kills; stopped: ${stops.join(", ") || "never"}`);
  const [old, young] = writers;
  await young?.accepted(20);
  const [before, after] = [await old?.stop(), await young?.stop()];
  if (before === undefined || after === undefined) throw new Error("no writers");
  const lastOld = Math.max(...before.accepted.map(({ at }) => at));
  const firstYoung = Math.min(...after.accepted.map((row) => row.before));
  expect(lastOld).toBeLessThanOrEqual(firstYoung);
  console.log(`writes stood still for ${firstYoung - lastOld} ms under kills`);
  for (const log of [before, after])
    for (const node of ["new1", "old1"] as const)
      await fleet.until(`all rows are on ${node}`, async () => {
        const proof = await fleet.on(node, "shop", (client) => proveRows(log, client));
        return Object.values(proof).every((found) => found.length === 0);
      });
  const locks = await fleet.json<readonly { readonly state: string }[]>(["lock", "list"]);
  expect(locks.map(({ state }) => state)).toEqual(["free", "free"]);
}

describe("killed at every boundary: the cut-over of a PostgreSQL server", () => {
  const whom: readonly Victim[] = [...victims, "server"];
  const matrix = new Matrix(["old1", "new1"], whom);

  for (const turn of whom.keys())
    it(`victims turned by ${turn}: writes are open on one side only, and no row is lost`, async (context) => {
      onlyFull(context);
      await cutOverUnder(matrix, turn);
    }, 1_200_000);

  it("none is left out", (context) => {
    onlyFull(context);
    console.log(
      `a cut-over: ${matrix.boundaries.length} boundaries; not struck: ${matrix.missing.join(", ")}`,
    );
    expect(matrix.missing).toEqual([]);
  });
});
