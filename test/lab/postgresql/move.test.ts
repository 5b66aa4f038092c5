// Databases go from one real server to a newer one on another host while an application writes to them, from the plan
// to the day on which the old one is let go.
import { afterEach, expect, it } from "vitest";
import { describeLab, describeLongLab } from "../harness/index.ts";
import type { PgFleetSpec } from "./fleet.ts";
import { lackOf } from "./pg-host.ts";
import { leftOn, MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const before = performance.now();
  const result = await work();
  console.log(`${what}: ${Math.round(performance.now() - before)} ms`);
  return result;
}

/** Of the database itself, in no schema of its own. */
const saidOfIt = `
  SELECT (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database')
    FROM pg_database WHERE datname = 'shop'`;

/** The whole of it, with a writer, a sequence, and what is left at the end. */
async function moved(spec: PgFleetSpec): Promise<void> {
  story = await timed("two hosts, their agents and a writer", () => MoveStory.begin(spec));
  const { fleet } = story;
  const said = await fleet.old.sql("postgres", saidOfIt);
  await timed("plan and copy, until it waits", async () => story?.untilReady());
  expect(await story.writesOn(20)).toBe("old");
  await timed("cut-over", async () => story?.approve(8));
  expect(await story.writesOn(50)).toBe("new");
  await timed("retire", async () => story?.approve(0));
  await story.writesOn(20);
  const log = await story.prove("new");
  expect(log.longestPauseMs).toBeLessThan(noticedMs);
  expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
  expect(await fleet.new.sql("postgres", saidOfIt)).toBe(said);
  expect(await leftOn(fleet.new)).toEqual([]);
  expect((await fleet.old.unitStanding()).trim().split(/\s+/)).toEqual(["masked", "inactive"]);
  await fleet.old.takeBack();
  expect(await leftOn(fleet.old)).toEqual([]);
  // it is as it was, closed
  await expect(story.as("old", "app", (client) => client.query("SELECT 1"))).rejects.toThrow(
    "too many connections",
  );
}

await describeLab("a PostgreSQL server of Debian's, moved while it is written to", () => {
  it(
    "15 to 17: no row is lost or doubled, and nothing is left behind",
    () => moved({ name: "pg-move", old: 15, new: 17 }),
    caseMs,
  );
});

await describeLongLab(
  "a PostgreSQL server of Debian's, moved to 18 while it is written to",
  () => {
    it.each([15, 17] as const)(
      "%i to 18: no row is lost or doubled, and nothing is left behind",
      (old) => moved({ name: `pg-move-${old}-18`, old, new: 18 }),
      caseMs,
    );
  },
  () => lackOf(18),
);
