// The way back between real servers: before the cut-over as if nothing had been, after it with every row that the new
// server has taken meanwhile.
import { afterEach, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import { leftOn, MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

await describeLongLab("a move from PostgreSQL 15 to 17 that a person goes back from", () => {
  it(
    "after the cut-over: the old server has the rows of both, and goes on with them",
    async () => {
      story = await MoveStory.begin({ name: "pg-back", old: 15, new: 17 });
      const { fleet } = story;
      await story.untilReady();
      await story.approve(8);
      expect(await story.writesOn(50)).toBe("new");
      expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
      await story.goBack();
      expect(await story.writesOn(30)).toBe("old");
      const log = await story.prove("old");
      expect(log.longestPauseMs).toBeLessThan(noticedMs);
      expect(await fleet.old.sql("shop", "SELECT nextval('free')")).toBe("49");
      for (const server of [fleet.old, fleet.new]) expect(await leftOn(server)).toEqual([]);
      await expect(story.as("new", "app", (client) => client.query("SELECT 1"))).rejects.toThrow(
        "too many connections",
      );
    },
    caseMs,
  );

  it(
    "before the cut-over: nothing is left on either server, and it can be planned once more",
    async () => {
      story = await MoveStory.begin({ name: "pg-back-early", old: 15, new: 17 });
      const { fleet } = story;
      await story.untilReady();
      await story.goBack();
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      for (const server of [fleet.old, fleet.new]) expect(await leftOn(server)).toEqual([]);
      const made =
        "SELECT datname FROM pg_database WHERE datname = 'shop' UNION ALL SELECT rolname FROM pg_roles WHERE rolname = 'app'";
      expect(await fleet.new.sql("postgres", made)).toBe("");
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
    },
    caseMs,
  );
});
