// The new server of a move is made by us, on a host that has nothing but packages and an agent, and then moved into.
import { afterEach, expect, it } from "vitest";
import { typed } from "#test/contract/documents/page.ts";
import type { madeScenes } from "#test/flow/documents/scenes.ts";
import { describeLongLab, until } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { typePrinted, whyOf } from "../product/typed.ts";
import { beginMade, debianPlace, type MadeStory, typedLine } from "./made-fleet.ts";
import { lackOf } from "./pg-host.ts";
import { leftOn, noticedMs } from "./story.ts";

const caseMs = 580_000;
const linesOf = (wanted: (typeof madeScenes)[number]) => typed.filter(({ scene }) => scene === wanted);
let begun: MadeStory | undefined;

afterEach(async () => {
  await begun?.story[Symbol.asyncDispose]();
  begun = undefined;
}, 60_000);

async function begin(...given: Parameters<typeof beginMade>): Promise<MadeStory> {
  begun = await beginMade(...given);
  return begun;
}

const latin = { major: 17, checksums: true, encoding: "LATIN1", locale: "C" } as const;

/** The page's commands; what the last of them has said. */
async function make(here: MadeStory): Promise<string> {
  let said = "";
  for (const line of linesOf("made")) {
    const { stdout, stderr } = await typedLine(here, line);
    said = stdout + stderr;
  }
  here.story.rollout = (await here.story.fleet.rollout()).id;
  return said;
}

/** Through the move itself, which finds the server as it wants one. */
async function moveInto({ story, young }: MadeStory): Promise<void> {
  // where the old server archives, the cut-over waits until the new one does
  await young.sql("postgres", "ALTER SYSTEM SET archive_mode = on");
  await young.host.powerOff();
  await young.host.powerOn();
  await young.untilServes();
  await story.fleet.untilAttached();
  await young.sql("postgres", "SELECT pg_switch_wal()");
  const made = story.rollout;
  await story.untilReady();
  expect(await story.writesOn(20)).toBe("old");
  const back = await story.fleet.cli("plan", "--back", made, "-o", story.fleet.lab.file("back.json"));
  expect(back.code).not.toBe(0);
  expect(back.stderr).toContain("is not taken away: it holds database shop");
  await story.approve(8);
  expect(await story.writesOn(50)).toBe("new");
  await story.approve(0);
  expect((await story.prove("new")).longestPauseMs).toBeLessThan(noticedMs);
  const spaces = "SELECT tablespace FROM pg_tables WHERE tablename = 'quick'";
  expect(await young.sql("shop", spaces)).toBe("fast");
  expect(await young.sql("shop", "SELECT count(*), min(ascii(body)) FROM quick")).toBe("100|228");
  expect(await leftOn(young)).toEqual([]);
}

const shown = (...names: readonly string[]) =>
  `SELECT ${names.map((name) => `current_setting('${name}')`).join(", ")}`;
const alike = shown("data_checksums", "work_mem", "shared_preload_libraries", "max_replication_slots");
const ownWords = shown("archive_mode", "listen_addresses", "wal_level");

await describeLongLab("a PostgreSQL 17 that is made for a move from 15", () => {
  it(
    "by the page's commands: as the old one was made and configured; then moved into while applications write",
    async () => {
      const here = await begin({ name: "pg-made", ...latin });
      const { young, story } = here;
      const early = await story.fleet.plan();
      expect(early.stdout).toContain("--method make-server");
      expect(early.stderr).toContain("no server is made yet in /var/lib/postgresql/17/main");
      const said = await make(here);
      for (const told of [
        "archive_mode",
        "vacuum_defer_cleanup_age (/etc/postgresql/17/main/conf.d/lab.conf:",
      ])
        expect(said).toContain(told);
      const born =
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = 'template0'";
      expect(await young.sql("postgres", born)).toBe("LATIN1|C|C");
      expect(await young.sql("postgres", alike)).toBe(await story.fleet.old.sql("postgres", alike));
      expect(await young.sql("postgres", ownWords)).toBe(`off|${young.host.ip}|logical`);
      await moveInto(here);
    },
    caseMs,
  );

  it(
    "whose agent is killed between initdb and start goes on; led back, the host is as it was, and it may be made again",
    async () => {
      const here = await begin({ name: "pg-made-back", ...latin });
      const { young, story } = here;
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
      expect(await story.writesOn(20)).toBe("old");
      const { data } = debianPlace;
      await young.host.must(["install", "-d", data]);
      await young.host.write(`${data}/somebody's`, "x");
      const [check] = linesOf("made");
      if (check === undefined) throw new Error("the page has no line");
      const taken = await typedLine(here, { ...check, exitCode: 3 });
      expect(taken.stdout).toContain(`not empty: ${data}`);
      await young.host.must(["rm", `${data}/somebody's`]);
      const wish = ["--to", "16", "--into", "orders-new", "--method", "make-server"];
      const wrong = await story.fleet.cli("plan", "orders", ...wish);
      expect(wrong.stderr).toContain("the programs on the new host are 17: that is no way to 16");
      await make(here);
      expect(await young.serves()).toBe(true);
      // the folder was there before: it stays, and is empty
      for (const line of linesOf("unmade")) await typedLine(here, line);
      expect(await young.left()).toEqual([data, "/var/lib/postgresql/17"]);
      expect((await young.host.must(["ls", "-A", data])).trim()).toBe("");
    },
    caseMs,
  );

  it(
    "whose host dies while initdb runs stops with a reason; the command that is printed makes it",
    async () => {
      const here = await begin({ name: "pg-made-off", ...latin });
      const { young, story } = here;
      const [, plan, apply] = linesOf("made");
      if (plan === undefined || apply === undefined) throw new Error("the page has no line");
      await typedLine(here, plan);
      const applied = typedLine(here, { ...apply, exitCode: 5 });
      await until(
        "initdb is at work",
        async () => (await young.host.exec(["test", "-e", `${debianPlace.data}/base`])).code === 0,
        120_000,
      );
      await young.host.powerOff();
      await young.host.powerOn();
      await applied;
      console.log((await whyOf(story.fleet)).text);
      expect(await young.serves()).toBe(false);
      const again = await typePrinted(story.fleet);
      expect(again.code, await story.fleet.explained(again)).toBe(0);
      expect(await young.serves()).toBe(true);
      story.rollout = (await story.fleet.rollout()).id;
      for (const line of linesOf("unmade")) await typedLine(here, line);
      expect(await young.left()).toEqual([]);
    },
    caseMs,
  );

  it(
    "that does not start: told, aborted, and the host is as it was",
    async () => {
      const here = await begin({ name: "pg-made-abort", ...latin });
      const { young, story } = here;
      const [, plan, apply] = linesOf("made");
      if (plan === undefined || apply === undefined) throw new Error("the page has no line");
      await typedLine(here, plan);
      await using watch = await AgentWatch.holding(young.host, ["start-server started"]);
      const applied = typedLine(here, { ...apply, exitCode: 5 });
      await watch.held("start-server started");
      await young.host.write(`${debianPlace.config}/conf.d/zz.conf`, "max_connections = 0\n");
      await watch.letGo("start-server started");
      const stopped = await applied;
      expect(stopped.stdout + stopped.stderr).toContain(`systemctl start ${young.unit}: `);
      const { id } = await story.fleet.rollout();
      const aborted = await story.fleet.longCli(200_000, "abort", id);
      expect(aborted.stdout, await story.fleet.explained(aborted)).toContain("aborted");
      expect(await young.left()).toEqual([]);
      expect(await story.writesOn(20)).toBe("old");
    },
    caseMs,
  );
});

await describeLongLab(
  "a PostgreSQL 18 that is made for a move from 15",
  () => {
    it(
      "under a unit of one's own, with the configuration in its data folder and icu's locale; then moved into",
      async () => {
        const here = await begin({
          name: "pg-made-18",
          major: 18,
          initdb: ["--locale-provider=icu", "--icu-locale=de"],
        });
        const { young, story } = here;
        await make(here);
        const born = "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'template0'";
        expect(await young.sql("postgres", born)).toBe("i|de");
        // the default of 18 is another one
        expect(await young.sql("postgres", alike)).toBe(await story.fleet.old.sql("postgres", alike));
        expect(await young.sql("postgres", shown("data_directory", "data_checksums"))).toBe(
          "/srv/pg/data|off",
        );
        await moveInto(here);
      },
      caseMs,
    );
  },
  () => lackOf(18),
);
