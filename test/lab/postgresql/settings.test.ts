// An old server that could not replicate yet: the plan sets what it lacks and restarts it under its lock, while an
// application writes to it, and goes on from there.
import { readFile } from "node:fs/promises";
import { afterEach, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { describeLongLab } from "../harness/index.ts";
import { PatroniHost, startPatroniCluster } from "./patroni-host.ts";
import { type PgHost, startPgHost } from "./pg-host.ts";
import { leftOn, MoveStory } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

const inForce =
  "SELECT name || '=' || setting FROM pg_settings WHERE name = ANY ($$ {wal_level,max_replication_slots} $$) ORDER BY 1";
const written =
  "SELECT name || '=' || setting FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' ORDER BY 1";

/** Stages of the plan that restart a server, in their order. */
async function restarts(): Promise<readonly string[]> {
  const { stages } = JSON.parse(await readFile(story?.fleet.planFile ?? "", "utf8")) as Plan;
  return stages.filter(({ kind }) => kind === "node").map(({ id }) => id);
}

async function inForceOn(server: PgHost): Promise<readonly string[]> {
  return (await server.sql("postgres", inForce)).split("\n");
}

await describeLongLab("a move from PostgreSQL 15 whose settings are too low", () => {
  it(
    "sets them, restarts the server once and goes on; the way back writes back what was",
    async () => {
      const settings = ["wal_level = replica", "max_replication_slots = 1"];
      story = await MoveStory.begin({
        name: "pg-settings",
        old: 15,
        new: 17,
        oldServers: async (lab) => [
          await startPgHost({ lab, name: "pg-old", major: 15, number: 11, settings }),
        ],
      });
      const { old } = story.fleet;
      expect(await inForceOn(old)).toEqual(["max_replication_slots=1", "wal_level=replica"]);
      await story.untilReady();
      expect(await restarts()).toEqual(["settings-old1"]);
      expect((await inForceOn(old))[1]).toBe("wal_level=logical");
      expect(await story.writesOn(30)).toBe("old");
      await story.goBack();
      expect(await old.sql("postgres", written)).toBe("");
      await old.host.must(["systemctl", "restart", old.unit], { timeoutMs: 60_000 });
      await old.untilServes();
      expect(await inForceOn(old)).toEqual(["max_replication_slots=1", "wal_level=replica"]);
      expect(await story.writesOn(30)).toBe("old");
      await story.prove("old");
      expect(await leftOn(old)).toEqual([]);
    },
    caseMs,
  );

  it(
    "under Patroni: the replica first, then the leader, and the move goes to its end with the settings kept",
    async () => {
      const parameters = ["wal_level: replica", "max_replication_slots: 3", "max_wal_senders: 20"];
      story = await MoveStory.begin({
        name: "pg-settings-pat",
        old: 15,
        new: 17,
        oldServers: (lab) => startPatroniCluster(lab, { parameters }),
        // the old one has a replica, and the new one stands alone
        settings: "new-standbys: 0",
      });
      const [old, replica] = [story.fleet.old, story.fleet.others[0]];
      if (!(old instanceof PatroniHost && replica instanceof PatroniHost))
        throw new Error("not under Patroni");
      const before = await old.configuration();
      await story.untilReady();
      expect(await restarts()).toEqual(["settings-old2", "settings-old1"]);
      for (const member of [old, replica]) expect((await inForceOn(member))[1]).toBe("wal_level=logical");
      expect((await old.members()).map(({ Role }) => Role)).toEqual(["Leader", "Replica"]);
      expect(await story.writesOn(30)).toBe("old");
      await story.approve(8);
      expect(await story.writesOn(30)).toBe("new");
      await story.approve(0);
      await story.prove("new");
      const kept = before.replace("wal_level: replica", "wal_level: logical");
      expect(
        (await old.configuration()).replace(/max_replication_slots: \d+/, "max_replication_slots: 3"),
      ).toBe(kept);
      for (const member of [old, replica])
        expect((await leftOn(member)).filter((each) => !/^slot pg_old/.test(each))).toEqual([]);
    },
    caseMs,
  );
});
