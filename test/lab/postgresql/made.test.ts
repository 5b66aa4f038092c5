// The new server of a move is made by us, on a host that has nothing but packages and an agent, and then moved into.
import { afterEach, expect, it } from "vitest";
import { typed } from "#test/contract/documents/page.ts";
import type { madeScenes } from "#test/flow/documents/scenes.ts";
import { describeLongLab } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { beginMade, places, typedLine } from "./made-fleet.ts";
import { leftOn, type MoveStory, noticedMs } from "./story.ts";

const caseMs = 580_000;
const linesOf = (wanted: (typeof madeScenes)[number]) => typed.filter(({ scene }) => scene === wanted);
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

async function begin(name: string) {
  const begun = await beginMade(name);
  story = begun.story;
  return begun;
}

async function make(here: MoveStory): Promise<string> {
  let said = "";
  for (const line of linesOf("made")) {
    const { stdout, stderr } = await typedLine(here, line);
    said = stdout + stderr;
  }
  here.rollout = (await here.fleet.rollout()).id;
  return said;
}

const shown = (...names: readonly string[]) =>
  `SELECT ${names.map((name) => `current_setting('${name}')`).join(", ")}`;

await describeLongLab("a PostgreSQL 17 that is made for a move from 15", () => {
  it(
    "by the page's commands: as the old one was made and configured; then moved into while applications write",
    async () => {
      const { story: here, young } = await begin("pg-made");
      const { old } = here.fleet;
      const said = await make(here);
      console.log(said);
      for (const told of [
        "archive_mode",
        "vacuum_defer_cleanup_age (/etc/postgresql/17/main/conf.d/lab.conf:",
      ])
        expect(said).toContain(told);
      const born =
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = 'template0'";
      expect(await young.sql("postgres", born)).toBe("LATIN1|C|C");
      const alike = shown("data_checksums", "work_mem", "shared_preload_libraries", "max_replication_slots");
      expect(await young.sql("postgres", alike)).toBe(await old.sql("postgres", alike));
      expect(await young.sql("postgres", shown("archive_mode", "listen_addresses", "wal_level"))).toBe(
        `off|${young.host.ip}|logical`,
      );
      // where the old server archives, the cut-over waits until the new one does
      await young.sql("postgres", "ALTER SYSTEM SET archive_mode = on");
      await young.host.powerOff();
      await young.host.powerOn();
      await young.untilServes();
      await here.fleet.untilAttached();
      await young.sql("postgres", "SELECT pg_switch_wal()");
      const made = here.rollout;
      await here.untilReady();
      expect(await here.writesOn(20)).toBe("old");
      const back = await here.fleet.cli("plan", "--back", made, "-o", here.fleet.lab.file("back.json"));
      expect(back.code).not.toBe(0);
      expect(back.stderr).toContain("is not taken away: it holds database shop");
      await here.approve(8);
      expect(await here.writesOn(50)).toBe("new");
      await here.approve(0);
      expect((await here.prove("new")).longestPauseMs).toBeLessThan(noticedMs);
      const spaces = "SELECT tablespace FROM pg_tables WHERE tablename = 'quick'";
      expect(await young.sql("shop", spaces)).toBe("fast");
      expect(await young.sql("shop", "SELECT count(*), min(ascii(body)) FROM quick")).toBe("100|228");
      expect(await leftOn(young)).toEqual([]);
    },
    caseMs,
  );

  it(
    "whose agent is killed between initdb and start goes on; led back, the host is as it was, and it may be made again",
    async () => {
      const { story: here, young } = await begin("pg-made-back");
      const moments = [
        "make-data tool 0 begins",
        "make-data done",
        "take-configuration started",
        "start-server started",
      ];
      {
        await using watch = await AgentWatch.killingAt(young.host, moments);
        await make(here);
        expect(await watch.deeds()).toEqual(expect.arrayContaining(moments));
      }
      for (const line of linesOf("unmade")) await typedLine(here, line);
      expect(await young.left()).toEqual([]);
      expect(await here.writesOn(20)).toBe("old");
      await young.host.must(["install", "-d", places.data]);
      await young.host.write(`${places.data}/somebody's`, "x");
      const [check] = linesOf("made");
      if (check === undefined) throw new Error("the page has no line");
      const taken = await typedLine(here, { ...check, exitCode: 3 });
      expect(taken.stdout).toContain(`not empty: ${places.data}`);
      await young.host.must(["rm", `${places.data}/somebody's`]);
      const wrong = await here.fleet.cli(
        ...["plan", "orders", "--to", "16", "--into", "orders-new"],
        "--method",
        "make-server",
      );
      expect(wrong.stderr).toContain("the programs on the new host are 17: that is no way to 16");
      await make(here);
      expect(await young.serves()).toBe(true);
      // the folder was there before: it stays, and is empty
      for (const line of linesOf("unmade")) await typedLine(here, line);
      expect(await young.left()).toEqual([places.data, "/var/lib/postgresql/17"]);
      expect((await young.host.must(["ls", "-A", places.data])).trim()).toBe("");
    },
    caseMs,
  );

  it(
    "that does not start: told, aborted, and the host is as it was",
    async () => {
      const { story: here, young } = await begin("pg-made-abort");
      const [, plan, apply] = linesOf("made");
      if (plan === undefined || apply === undefined) throw new Error("the page has no line");
      await typedLine(here, plan);
      await using watch = await AgentWatch.holding(young.host, ["start-server started"]);
      const applied = typedLine(here, { ...apply, exitCode: 5 });
      await watch.held("start-server started");
      await young.host.write(`${places.config}/conf.d/zz.conf`, "max_connections = 0\n");
      await watch.letGo("start-server started");
      const stopped = await applied;
      expect(stopped.stdout + stopped.stderr).toContain(`systemctl start ${young.unit}: `);
      const { id } = await here.fleet.rollout();
      const aborted = await here.fleet.longCli(200_000, "abort", id);
      expect(aborted.stdout, await here.fleet.explained(aborted)).toContain("aborted");
      expect(await young.left()).toEqual([]);
      expect(await here.writesOn(20)).toBe("old");
    },
    caseMs,
  );
});
