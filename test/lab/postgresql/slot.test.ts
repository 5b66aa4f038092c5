// The old server gives up the WAL of a slot whose reader has fallen too far behind: no move goes on over that hole, and
// the way back clears it all.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, until } from "../harness/index.ts";
import type { PgHost } from "./pg-host.ts";
import { leftOn, MoveStory } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

/** 200 MB of WAL, in pieces; what a slot may keep is looked at with each checkpoint. */
async function writeWal(server: PgHost): Promise<void> {
  const megabytes =
    "SELECT count(pg_logical_emit_message(false, 'lab', repeat('x', 1048576))) FROM generate_series(1, 25)";
  for (let piece = 0; piece < 8; piece += 1)
    await server.sql("postgres", `${megabytes}; SELECT pg_switch_wal(); CHECKPOINT`);
}

async function slotStatus(server: PgHost): Promise<string> {
  return server.sql(
    "postgres",
    "SELECT wal_status FROM pg_replication_slots WHERE slot_name LIKE 'lockkeeper%'",
  );
}

await describeLongLab("a move from PostgreSQL 15 to 17 whose slot is given up", () => {
  it(
    "stops with its name, and the way back clears everything",
    async () => {
      const servers = { settings: ["max_slot_wal_keep_size = '64MB'"] };
      story = await MoveStory.begin({ name: "pg-slot", old: 15, new: 17, servers });
      const { fleet } = story;
      await story.untilReady();
      // the worker waits for the table, and its server stays whole
      const held = fleet.new.psql(
        "shop",
        "SET default_transaction_read_only = off; BEGIN; LOCK TABLE written; SELECT pg_sleep(60)",
        { timeoutMs: 90_000 },
      );
      await writeWal(fleet.old);
      await until("the slot is lost", async () => (await slotStatus(fleet.old)) === "lost");
      await until("its watch stops the move", async () => (await fleet.rollout()).phase === "stopped");
      const { stop } = await fleet.rollout();
      expect(JSON.stringify(stop)).toContain("slots-1");
      const why = await fleet.must("why", fleet.clusterName);
      expect(why).toContain("plan --back");
      expect(await story.writesOn(20)).toBe("old");
      await story.goBack();
      await held;
      expect(await story.writesOn(20)).toBe("old");
      await story.prove("old");
      for (const server of [fleet.old, fleet.new]) expect(await leftOn(server)).toEqual([]);
      expect(await fleet.new.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'shop'")).toBe(
        "0",
      );
    },
    caseMs,
  );
});
