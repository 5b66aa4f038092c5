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
  story = await MoveStory.begin({
    name,
    old: 15,
    new: 17,
    oldServers: (lab) => startPatroniCluster(lab),
    // the old one has a replica, and the new one stands alone
    settings: "new-standbys: 0",
  });
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
      // the reader is away meanwhile, and Patroni drops what it was not told of
      await old.sql("postgres", "SELECT pg_create_logical_replication_slot('of_nobody', 'pgoutput')");
      await old.patronictl("restart", scope, old.host.name, "--force");
      await until(
        "Patroni has dropped a slot of nobody's",
        async () => !(await old.sql("postgres", slots)).includes("of_nobody"),
        60_000,
      );
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
    "goes through two switchovers: contents are compared once more, and a difference stops it",
    async () => {
      const { old, replica } = await begin("pg-patroni-over");
      const before = await old.configuration();
      await story?.untilReady();
      const kept = async (member: PatroniHost) => (await member.sql("postgres", slots)) !== "";
      await until("the replica has the slot too", () => kept(replica), 60_000);
      await old.patronictl("switchover", scope, "--candidate", replica.host.name, "--force");
      await until("the replica leads", () => replica.leads(), 60_000);
      expect(await replica.sql("postgres", slots)).toMatch(/^lockkeeper_\w+$/);
      await until(
        "the old leader follows",
        async () => (await old.members()).every(({ State, TL }) => State !== "stopped" && TL === 2),
        60_000,
      );
      await old.patronictl("switchover", scope, "--candidate", old.host.name, "--force");
      await until("it leads again", () => old.leads(), 60_000);
      expect(await old.sql("postgres", slots)).toMatch(/^lockkeeper_\w+$/);
      expect(await story?.writesOn(30, 60_000)).toBe("old");
      const asOwner = (text: string) =>
        story?.fleet.new.sql("shop", `SET default_transaction_read_only = off; ${text}`);
      await asOwner("DELETE FROM bare WHERE a = 7");
      await story?.approve(5);
      expect(await story?.fleet.must("why", story.fleet.clusterName)).toContain("bare: other content");
      expect(await story?.writesOn(20, 60_000)).toBe("old");
      await asOwner("INSERT INTO bare VALUES (7, 'x7')");
      await story?.typed(8, "retry", story.rollout);
      expect(await story?.writesOn(30)).toBe("new");
      await story?.approve(0);
      await story?.prove("new");
      expect(await old.configuration()).toBe(before);
      for (const member of [old, replica]) expect(await member.sql("postgres", slots)).toBe("");
    },
    caseMs,
  );
});
