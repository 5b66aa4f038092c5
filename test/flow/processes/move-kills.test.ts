/**
 * I5 for the move into a new cluster, with real processes and real rows: coordinator, agents and nats-server killed at
 * each boundary; at the end every row is there, and the old cluster is whole.
 */
import { describe, expect, it } from "vitest";
import { Killer } from "./harness/killer.ts";
import { Matrix, turns } from "./harness/matrix.ts";
import { MoveFleet } from "./harness/move-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";
import { playedUnder } from "./harness/story.ts";

const skipUnlessFull = onlyFull("takes a quarter of an hour");

const dist = bundle();
let fleet: MoveFleet;

stoppedAfterEach(() => [fleet]);

const data = [
  "CREATE DATABASE shop",
  "CREATE TABLE shop.orders (id INT PRIMARY KEY, note STRING)",
  "INSERT INTO shop.orders VALUES (1, 'a \"quoted\", b'), (2, ''), (3, NULL), (4, '两行')",
];
const read = "SELECT id, note FROM shop.orders ORDER BY id";

async function moved(matrix: Matrix, turn: number): Promise<void> {
  fleet = await MoveFleet.start(dist());
  expect(await fleet.sql("old1", ...data)).not.toContain("ERROR");
  const before = await fleet.sql("old1", read);
  const { code, stderr, file } = await fleet.plan();
  expect(code, stderr).toBe(0);
  const killer = new Killer(fleet, matrix.plot(turn));
  const stops = await playedUnder(fleet, killer, (hear) => fleet.follow(["apply", file, "-y"], hear));
  console.log(`a move: ${killer.deeds.length} kills; stopped: ${stops.join(", ") || "never"}`);
  expect(stops).not.toContain("stopped without a word");
  expect(before).toContain("两行");
  for (const node of ["old1", "new1"] as const) expect(await fleet.sql(node, read)).toBe(before);
  expect(await fleet.sql("old1", "DELETE FROM shop.orders WHERE id = 1")).toContain("read-only");
  expect(await fleet.sql("new1", "INSERT INTO shop.orders VALUES (5, 'new')")).toBe("INSERT 1");
  const locks = await fleet.json<readonly { readonly state: string }[]>(["lock", "list"]);
  expect(locks.map(({ state }) => state)).toEqual(["free", "free"]);
}

describe("killed at every boundary: a move into a new cluster", () => {
  const matrix = new Matrix(["old1", "new1"]);

  for (const turn of turns)
    it(`victims turned by ${turn}: it ends as it should`, async (context) => {
      skipUnlessFull(context);
      await moved(matrix, turn);
    }, 1_200_000);

  it("none is left out", (context) => {
    skipUnlessFull(context);
    console.log(`a move: ${matrix.boundaries.length} boundaries`);
    expect(matrix.missing).toEqual([]);
  });
});
