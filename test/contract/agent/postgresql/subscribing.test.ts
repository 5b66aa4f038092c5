/** A subscription that copies, as a move makes it: what the younger server asks of the older one, and which rows then go over. */
import { afterEach, describe, expect, it } from "vitest";
import { type Major, whyLeft } from "#test/postgres/binaries.ts";
import { stopAll } from "./asked-server.ts";
import { followedPair, untilRows } from "./followed-pair.ts";

afterEach(stopAll);

const tables = ["CREATE TABLE kept (id int PRIMARY KEY)"];
const caseMs = 60_000;

const pairs: readonly (readonly [Major, Major])[] = [
  [10, 18],
  [11, 16],
  [12, 18],
];

describe("a subscription with a copy", () => {
  it.for(pairs)(
    "asks a server of %i for nothing that it does not have, on one of %i",
    { timeout: caseMs },
    async ([old, young], { skip }) => {
      const why = whyLeft(old);
      if (why !== undefined) skip(why);
      const { old: left, young: taken } = await followedPair([old, young], tables);
      await left.run("INSERT INTO kept VALUES (1)");
      await untilRows(taken.server, "SELECT FROM kept");
    },
  );

  it(
    "takes along what the old server gets by replication from elsewhere",
    async () => {
      const { old: left, young: taken } = await followedPair([16, 18], tables);
      await left.run(
        "SELECT pg_replication_origin_create('elsewhere')",
        "SELECT pg_replication_origin_session_setup('elsewhere')",
        "INSERT INTO kept VALUES (1)",
      );
      await left.run("INSERT INTO kept VALUES (2)");
      await untilRows(taken.server, "SELECT FROM kept WHERE id = 2");
      expect(await taken.rows("SELECT id FROM kept ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);
    },
    caseMs,
  );
});
