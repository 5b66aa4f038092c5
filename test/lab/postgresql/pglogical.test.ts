// The same move through pglogical: two real servers of Debian's with its packages, an application that writes the whole time, the way
// there and the way back, and nothing of the extension left where nobody had it before.
import { readFile } from "node:fs/promises";
import { afterEach, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { describeLongLab, until } from "../harness/index.ts";
import type { PgFleetSpec } from "./fleet.ts";
import { lackOf, type PgHost } from "./pg-host.ts";
import { counts, everythingLeftOn, far, shop, throughPglogical, unreplicated } from "./pglogical-story.ts";
import { MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

const trustedNow = "test_decoding, pgoutput, pglogical_output";

/** Where this minor version has the setting: in an order of somebody's own, which must come back. */
async function trust(server: PgHost): Promise<boolean> {
  const there = "SELECT count(*) FROM pg_settings WHERE name = 'output_plugin_libraries'";
  if ((await server.sql("postgres", there)) === "0") return false;
  await server.sql("postgres", "ALTER SYSTEM SET output_plugin_libraries = test_decoding, pgoutput");
  await server.sql("postgres", "SELECT pg_reload_conf()");
  return true;
}

async function pluginsOf(server: PgHost): Promise<string> {
  const [last = ""] = (await server.sql("postgres", "SHOW output_plugin_libraries")).split("\n").slice(-1);
  return last;
}

/** About 200 MB, so that the copy takes some seconds. */
const big = `
  CREATE TABLE big (id int PRIMARY KEY, body text);
  ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
  INSERT INTO big SELECT i, repeat(md5(i::text), 12) FROM generate_series(1, 400000) AS i`;

async function movesWhole(pair: Pick<PgFleetSpec, "old" | "new">): Promise<void> {
  story = await MoveStory.begin(throughPglogical(`pg-pglogical-${pair.old}-${pair.new}`, pair), shop);
  const { fleet } = story;
  await story.untilReady();
  expect(await story.writesOn(20)).toBe("old");
  // changes of every kind, after the copy
  await fleet.old.sql("shop", "UPDATE chosen SET b = 'y' WHERE a <= 100; DELETE FROM chosen WHERE a > 450");
  await fleet.old.sql("shop", `INSERT INTO made (n) VALUES ('NaN'), (1e-300); TRUNCATE "Mixed Case"`);
  await fleet.old.sql(
    "shop",
    "SELECT lo_unlink(70002), lo_from_bytea(70003, 'late'); DELETE FROM quick WHERE a > 90",
  );
  const before = await fleet.old.sql("shop", counts);
  await story.approve(8);
  expect(await story.writesOn(50)).toBe("new");
  expect(await fleet.new.sql("shop", counts)).toBe(before);
  expect(await fleet.new.sql("shop", unreplicated)).toBe("70001 there, 70003 late|90 4095");
  await story.approve(0);
  await story.writesOn(20);
  const log = await story.prove("new");
  expect(log.longestPauseMs).toBeLessThan(noticedMs);
  expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
  expect(await fleet.new.sql(far, "SELECT nextval('s'), count(*) FROM t")).toBe("2|1000");
  await fleet.old.takeBack();
  for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
}

async function goesBack(pair: Pick<PgFleetSpec, "old" | "new">): Promise<void> {
  story = await MoveStory.begin(throughPglogical(`pg-pglogical-back-${pair.new}`, pair), shop);
  const { fleet } = story;
  await story.untilReady();
  await story.approve(8);
  expect(await story.writesOn(50)).toBe("new");
  await fleet.new.sql(
    "shop",
    "UPDATE chosen SET b = 'z' WHERE a <= 10; INSERT INTO parts VALUES (1, '2021-05-05')",
  );
  await fleet.new.sql(
    "shop",
    "SELECT lo_unlink(70002), lo_from_bytea(70004, 'new'); DELETE FROM quick WHERE a > 80",
  );
  const after = await fleet.new.sql("shop", counts);
  expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
  await story.goBack();
  expect(await story.writesOn(30)).toBe("old");
  const log = await story.prove("old");
  expect(log.longestPauseMs).toBeLessThan(noticedMs);
  expect(await fleet.old.sql("shop", counts)).toBe(after);
  expect(await fleet.old.sql("shop", unreplicated)).toBe("70001 there, 70004 new|80 3240");
  expect(await fleet.old.sql("shop", "SELECT nextval('free')")).toBe("49");
  for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
}

const whole = "no row is lost or doubled, sequences go on, and nothing is left of it";
const rowsOfBoth = "the old server has the rows of both, and goes on with them";

await describeLongLab(
  "a PostgreSQL server of Debian's, moved through pglogical while it is written to",
  () => {
    it(`15 to 17: ${whole}`, () => movesWhole({ old: 15, new: 17 }), caseMs);
  },
);

await describeLongLab(
  "a move through pglogical to 18",
  () => {
    it.each([17, 15] as const)(`from %i: ${whole}`, (old) => movesWhole({ old, new: 18 }), caseMs);

    it(`from 17, and back: ${rowsOfBoth}`, () => goesBack({ old: 17, new: 18 }), caseMs);
  },
  () => lackOf(18),
);

await describeLongLab("a move through pglogical that a person goes back from", () => {
  it(`after the cut-over: ${rowsOfBoth}`, () => goesBack({ old: 15, new: 17 }), caseMs);

  it(
    "before the cut-over: nothing is left on either server, and it can be planned once more",
    async () => {
      story = await MoveStory.begin(throughPglogical("pg-pglogical-early"), shop);
      const { fleet } = story;
      const trusted = await trust(fleet.new);
      await story.untilReady();
      expect(trusted ? await pluginsOf(fleet.new) : trustedNow).toBe(trustedNow);
      await story.goBack();
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      const settings = trusted ? ["setting output_plugin_libraries"] : [];
      expect(await everythingLeftOn(fleet.old)).toEqual([]);
      expect([...new Set(await everythingLeftOn(fleet.new))]).toEqual(settings);
      if (trusted) expect(await pluginsOf(fleet.new)).toBe("test_decoding, pgoutput");
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
    },
    caseMs,
  );

  it(
    "whose first copy is cut: nothing is waited for in vain, and the way back clears everything",
    async () => {
      story = await MoveStory.begin(throughPglogical("pg-pglogical-cut"), shop);
      const { fleet } = story;
      await fleet.old.sql("shop", big);
      const planned = await fleet.plan();
      expect(planned.code, await fleet.explained(planned)).toBe(0);
      const { asks } = JSON.parse(await readFile(fleet.planFile, "utf8")) as Plan;
      const applied = fleet.applyFile(fleet.planFile, 300_000, ...asks.flatMap((check) => ["--ack", check]));
      const copying = "SELECT count(*) FROM pg_stat_progress_copy WHERE relid = to_regclass('big')";
      await until(
        "rows of the big table are copied",
        async () => (await fleet.new.psql("shop", copying)).stdout.trim() === "1",
        120_000,
      );
      await fleet.new.killServer();
      await fleet.new.startServer();
      const stopped = await applied;
      expect(stopped.code, await fleet.explained(stopped)).toBe(5);
      expect(await fleet.must("why", fleet.clusterName)).toContain("plan --back");
      story.rollout = (await fleet.rollout()).id;
      await story.goBack();
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
    },
    caseMs,
  );
});
