/** Whether somebody has put something into a server, by its files: what real ones leave there. */
import { afterEach, expect, it } from "vitest";
import { usedIn } from "#agent/engines/postgresql/made/used.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

it.each([
  ["CREATE TABLE t (id int)", /tables in/],
  ["CREATE DATABASE shop", /database in/],
  ["SELECT lo_from_bytea(0, 'bytes of somebody')", /large objects in/],
] as const)("is seen on PostgreSQL 10 and 18: %s", async (statement, says) => {
  for (const major of [10, 18] as const) {
    const server = await serverOf(major);
    expect(await usedIn(hostOf(), server.data)).toEqual([]);
    await run(server, "postgres", statement);
    expect(await usedIn(hostOf(), server.data)).toEqual([expect.stringMatching(says)]);
  }
});
