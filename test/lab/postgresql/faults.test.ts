// Hosts and servers that die in the middle of a move between real ones: it goes on, or the old server does.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { describeLongLab, until } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { typePrinted, whyOf } from "../product/typed.ts";
import { leftOn, MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
const fenceLimitMs = 15_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

/** About 200 MB, so that the copy takes some seconds. */
const big = `
  CREATE TABLE big (id int PRIMARY KEY, body text);
  ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
  INSERT INTO big SELECT i, repeat(md5(i::text), 12) FROM generate_series(1, 400000) AS i`;

await describeLongLab("a move from PostgreSQL 15 to 17 whose hosts die", () => {
  it(
    "the old host, while a person is waited for: replication goes on by itself, and the cut-over works",
    async () => {
      story = await MoveStory.begin({ name: "pg-off-ready", old: 15, new: 17 });
      const { fleet } = story;
      await story.untilReady();
      await fleet.old.powerOff();
      await sleep(3_000);
      await fleet.old.powerOn();
      await fleet.untilAttached();
      expect(await story.writesOn(30, 60_000)).toBe("old");
      await story.approve(8);
      expect(await story.writesOn(30)).toBe("new");
      await story.approve(0);
      await story.prove("new");
      await fleet.old.takeBack();
      for (const server of [fleet.old, fleet.new]) expect(await leftOn(server)).toEqual([]);
    },
    caseMs,
  );

  it(
    "the new server, in the middle of the copy: it goes on when it is started again",
    async () => {
      story = await MoveStory.begin({ name: "pg-kill-copy", old: 15, new: 17 });
      const { fleet } = story;
      await fleet.old.sql("shop", big);
      const ready = story.untilReady();
      const ended = ready.then(() => Promise.reject(new Error("it was ready before the copy was seen")));
      const copying = until("rows of the big table are copied", () => isCopying(), 120_000);
      await Promise.race([copying, ended]);
      await fleet.new.killServer();
      await fleet.new.startServer();
      ended.catch(() => undefined);
      await ready;
      await story.approve(8);
      expect(await story.writesOn(30)).toBe("new");
      await story.prove("new");
      expect(await fleet.new.sql("shop", "SELECT count(*) FROM big")).toBe("400000");
    },
    caseMs,
  );

  it(
    "the new host, between the fence and the opening: the old one opens by itself and serves on",
    async () => {
      story = await MoveStory.begin({
        name: "pg-off-cut",
        old: 15,
        new: 17,
        settings: `fence-limit: ${fenceLimitMs}ms`,
      });
      const { fleet } = story;
      await story.untilReady();
      const moment = "set-sequences started";
      await using watch = await AgentWatch.holding(fleet.new.host, [moment]);
      const approved = fleet.longCli(300_000, "approve", story.rollout);
      await watch.held(moment);
      await fleet.new.powerOff();
      expect(await story.writesOn(30, 60_000)).toBe("old");
      console.log(`until the old server takes rows again: ${Math.round(story.writer.log.longestPauseMs)} ms`);
      expect(story.writer.log.longestPauseMs).toBeLessThan(fenceLimitMs + noticedMs);
      const stopped = await approved;
      expect(stopped.code, await fleet.explained(stopped)).toBe(5);
      await fleet.new.powerOn();
      const { text } = await whyOf(fleet);
      expect(text).toContain("new1 does not answer");
      expect(text).toMatch(/old1: .*fence-writes.*all of it undone/);
      const again = await typePrinted(fleet);
      expect(again.code, await fleet.explained(again)).toBe(8);
      expect(await story.writesOn(30)).toBe("new");
      await story.prove("new");
    },
    caseMs,
  );
});

/** A table's first copy is state d. */
async function isCopying(): Promise<boolean> {
  const asked =
    "SELECT count(*) FROM pg_subscription_rel WHERE srrelid = to_regclass('big') AND srsubstate = 'd'";
  return (await story?.server("new").psql("shop", asked))?.stdout.trim() === "1";
}
