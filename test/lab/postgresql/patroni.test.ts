// Databases go from a Patroni cluster of two members to a newer server while an application writes to them: Patroni
// neither drops the slots nor fails over in between, and its configuration is at the end as it was before.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, until } from "../harness/index.ts";
import { PatroniHost, scope, startPatroniCluster } from "./patroni-host.ts";
import { leftOn, MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

async function begin(name: string): Promise<{ readonly old: PatroniHost; readonly replica: PatroniHost }> {
  story = await MoveStory.begin({ name, old: 15, new: 17, oldServers: (lab) => startPatroniCluster(lab) });
  const [old, replica] = [story.fleet.old, story.fleet.others[0]];
  if (!(old instanceof PatroniHost && replica instanceof PatroniHost)) throw new Error("not under Patroni");
  return { old, replica };
}

const slots = "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical' ORDER BY 1";

await describeLongLab("a move from PostgreSQL 15 under Patroni to 17", () => {
  it(
    "keeps its slot through a restart by Patroni, fails over nowhere, and leaves Patroni as it was",
    async () => {
      const { old, replica } = await begin("pg-patroni");
      const before = await old.configuration();
      await story?.untilReady();
      expect(await old.sql("postgres", slots)).toMatch(/^lockkeeper_\w+$/);
      expect(await old.configuration()).toContain("by: lockkeeper_");
      // the reader is away meanwhile, and Patroni looks for slots that it does not know
      await old.patronictl("restart", scope, old.host.name, "--force");
      await until(
        "the replica has the slot too",
        async () => (await replica.sql("postgres", slots)) !== "",
        60_000,
      );
      expect(await story?.writesOn(30, 60_000)).toBe("old");
      expect(await old.sql("postgres", slots)).toMatch(/^lockkeeper_\w+$/);
      await story?.approve(8);
      expect(await story?.writesOn(50)).toBe("new");
      expect(await old.configuration()).toContain("pause: true");
      // nothing of the old cluster takes a row, whatever Patroni does with its server
      await old.patronictl("restart", scope, old.host.name, "--force");
      await expect(story?.as("old", "app", (client) => client.query("SELECT 1"))).rejects.toThrow(
        "too many connections",
      );
      for (const member of [old, replica]) expect(await member.sql("postgres", slots)).toBe("");
      await story?.approve(0);
      await story?.writesOn(20);
      const log = await story?.prove("new");
      expect(log?.longestPauseMs).toBeLessThan(60_000);
      expect(await story?.fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
      expect(await old.configuration()).toBe(before);
      for (const server of [old, story?.fleet.new ?? old])
        expect((await leftOn(server)).filter((each) => each !== "slot pg_old2")).toEqual([]);
    },
    caseMs,
  );

  it(
    "is gone back from after the cut-over, and Patroni is as it was",
    async () => {
      const { old, replica } = await begin("pg-patroni-back");
      const before = await old.configuration();
      await story?.untilReady();
      await story?.approve(8);
      expect(await story?.writesOn(50)).toBe("new");
      await story?.goBack();
      expect(await story?.writesOn(50)).toBe("old");
      const log = await story?.prove("old");
      expect(log?.longestPauseMs).toBeLessThan(noticedMs);
      expect(await old.configuration()).toBe(before);
      expect(await replica.sql("postgres", slots)).toBe("");
      expect((await leftOn(old)).filter((each) => each !== "slot pg_old2")).toEqual([]);
    },
    caseMs,
  );

  it(
    "is refused after a failover, and the way back clears it",
    async () => {
      const { old, replica } = await begin("pg-patroni-over");
      const before = await old.configuration();
      await story?.untilReady();
      await until(
        "the replica has the slot too",
        async () => (await replica.sql("postgres", slots)) !== "",
        60_000,
      );
      await old.patronictl("switchover", scope, "--candidate", replica.host.name, "--force");
      await until("the replica leads", () => replica.leads(), 60_000);
      expect(await replica.sql("postgres", slots)).toMatch(/^lockkeeper_\w+$/);
      await until(
        "the old leader follows",
        async () => (await old.members()).every(({ State }) => State !== "stopped"),
        60_000,
      );
      await old.patronictl("switchover", scope, "--candidate", old.host.name, "--force");
      await until("it leads again", () => old.leads(), 60_000);
      expect(await old.sql("postgres", slots)).toMatch(/^lockkeeper_\w+$/);
      expect(await story?.writesOn(30, 60_000)).toBe("old");
      await story?.approve(5);
      const why = await story?.fleet.must("why", story.fleet.clusterName);
      expect(why).toContain("has failed over since the copy began");
      expect(await story?.writesOn(20, 60_000)).toBe("old");
      await story?.goBack();
      expect(await story?.writesOn(20)).toBe("old");
      await story?.prove("old");
      expect(await old.configuration()).toBe(before);
      for (const member of [old, replica]) expect(await member.sql("postgres", slots)).toBe("");
    },
    caseMs,
  );
});
