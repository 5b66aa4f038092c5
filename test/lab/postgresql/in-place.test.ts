// pg_upgrade in place between real servers of one host, with an application that writes before and after.
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { type TypedCommand, typed } from "#test/contract/documents/page.ts";
import type { inPlaceScenes } from "#test/flow/documents/scenes.ts";
import { describeLongLab, type RunResult, until } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { typePrinted, whyOf } from "../product/typed.ts";
import { InPlaceFleet, lackOfBoth } from "./in-place-fleet.ts";

const caseMs = 580_000;
const linesOf = (wanted: (typeof inPlaceScenes)[number]) => typed.filter(({ scene }) => scene === wanted);
let fleet: InPlaceFleet | undefined;

afterEach(async () => {
  await fleet?.[Symbol.asyncDispose]();
  fleet = undefined;
}, 60_000);

async function begin(...given: Parameters<typeof InPlaceFleet.start>): Promise<InPlaceFleet> {
  fleet = await InPlaceFleet.start(...given);
  return fleet;
}

/** About 200 MB, so that copying takes long enough to be hit. */
const big = `
  CREATE TABLE big (id int PRIMARY KEY, body text);
  ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
  INSERT INTO big SELECT i, repeat(md5(i::text), 12) FROM generate_series(1, 400000) AS i`;

const folders = { old: "/var/lib/postgresql/17/main", new: "/var/lib/postgresql/18/main" };

async function serves({ old }: InPlaceFleet): Promise<string> {
  return (await old.sql("postgres", "SHOW server_version_num")).slice(0, 2);
}

async function isThere({ host }: InPlaceFleet, path: string): Promise<boolean> {
  return (await host.exec(["test", "-e", path])).code === 0;
}

async function unitFile({ host }: InPlaceFleet, major: 17 | 18): Promise<string> {
  return (await host.exec(["systemctl", "is-enabled", `postgresql@${major}-main`])).stdout.trim();
}

/** As if nothing had been: the old one serves and is open to all, and nothing of ours is on the host. */
async function isAsBefore(here: InPlaceFleet): Promise<void> {
  expect(await serves(here)).toBe("17");
  expect(await here.old.sql("postgres", "SHOW default_transaction_read_only")).toBe("off");
  expect(await here.old.sql("postgres", "SELECT count(*) FROM pg_database WHERE datconnlimit <> -1")).toBe(
    "0",
  );
  for (const path of [folders.new, `${folders.new}.lockkeeper`, "/etc/postgresql/18/main"])
    expect(await isThere(here, path), path).toBe(false);
  expect(await isThere(here, `${folders.old}/global/pg_control`)).toBe(true);
  expect(await unitFile(here, 17)).toBe("enabled");
  expect(await unitFile(here, 18)).not.toContain("masked");
}

await describeLongLab(
  "pg_upgrade from PostgreSQL 17 to 18 in place",
  () => {
    it(
      "by copy: nothing is lost, what the new version does not know is told, and a boot starts the new one alone",
      async () => {
        const here = await begin({ name: "pg-place-copy" });
        const lines = linesOf("place");
        const [last] = lines.slice(-1) as [TypedCommand];
        for (const line of lines.slice(0, 3)) await here.typedLine(line);
        here.rolloutId = (await here.rollout()).id;
        await here.writesOn(20);
        expect(await serves(here)).toBe("17");
        for (const line of lines.slice(3, -1)) await here.typedLine(line);
        await here.writesOn(30);
        expect(await serves(here)).toBe("18");
        expect(await here.new.sql("shop", "SELECT last_value, is_called FROM free")).toBe("43|t");
        expect(await here.new.sql("shop", "SELECT count(*) FROM pg_largeobject_metadata")).toBe("1");
        expect(await here.new.sql("postgres", "SHOW data_checksums")).toBe("off");
        await here.host.powerOff();
        await here.host.powerOn();
        await here.new.untilServes();
        await here.untilAttached();
        await here.writesOn(30, 60_000);
        expect(await serves(here)).toBe("18");
        expect(await unitFile(here, 17)).toBe("masked");
        const ended = await here.typedLine(last);
        expect(ended.stdout + ended.stderr).toContain(
          "extension_destdir (/etc/postgresql/18/main/conf.d/lab.conf:",
        );
        expect(await isThere(here, `${folders.old}/PG_VERSION`)).toBe(true);
        expect(await isThere(here, `${folders.new}.lockkeeper`)).toBe(false);
        const after = await here.cli("plan", "--back", here.rolloutId);
        expect(after.stderr).toContain("has let the old data go");
        await here.prove();
      },
      caseMs,
    );

    it(
      "by copy, and back after it was opened: the rows since are asked for, and lost; the new data stays",
      async () => {
        const here = await begin({ name: "pg-place-back" });
        await here.planned();
        await here.applied(8);
        await here.approve(8);
        await here.writesOn(20);
        await here.writer.stop();
        await here.new.sql("shop", "INSERT INTO bare VALUES (-1, 'since')");
        const [plan, apply] = linesOf("placed") as [TypedCommand, TypedCommand];
        const planned = await here.typedLine(plan);
        expect(planned.stdout).toContain("EVERY ROW THAT WAS WRITTEN SINCE THE UPGRADE IS LOST");
        const unasked = await here.longCli(60_000, "apply", here.lab.file("back.json"), "-y");
        expect(unasked.code, unasked.stdout + unasked.stderr).toBe(3);
        expect(await serves(here)).toBe("18");
        await here.typedLine(apply);
        expect(await serves(here)).toBe("17");
        expect(await here.old.sql("shop", "SELECT count(*), min(a) FROM bare")).toBe("500|1");
        await here.old.sql("shop", "INSERT INTO bare VALUES (0, 'open again')");
        expect(
          await here.old.sql("postgres", "SELECT count(*) FROM pg_database WHERE datconnlimit <> -1"),
        ).toBe("0");
        expect(await isThere(here, `${folders.new}/PG_VERSION`)).toBe(true);
        expect(await unitFile(here, 18)).toBe("masked");
        await here.host.powerOff();
        await here.host.powerOn();
        await here.old.untilServes();
        expect(await serves(here)).toBe("17");
      },
      caseMs,
    );

    it(
      "by clone, where files may share their blocks: in place of a copy, and back after it was opened",
      async (context) => {
        if (!/\txfs$/m.test(readFileSync("/proc/filesystems", "utf8")))
          return context.skip("this kernel has no xfs");
        const settings = "upgrade-mode: clone";
        const here = await begin({ name: "pg-place-clone", settings, isOnXfs: true });
        await here.old.sql("shop", big);
        const usedKb = async () =>
          Number(
            (await here.host.must(["df", "--output=used", "-k", "/var/lib/postgresql"]))
              .trim()
              .split("\n")
              .at(-1),
          );
        const beforeKb = await usedKb();
        await here.planned();
        await here.applied(8);
        await here.approve(8);
        await here.writesOn(30);
        expect(await serves(here)).toBe("18");
        // the large table alone has 150 MB and more
        expect((await usedKb()) - beforeKb).toBeLessThan(140_000);
        expect(await here.new.sql("shop", "SELECT count(*) FROM big")).toBe("400000");
        await here.goBack();
        expect(await serves(here)).toBe("17");
        expect(await here.old.sql("shop", "SELECT count(*) FROM big")).toBe("400000");
      },
      caseMs,
    );

    it(
      "by link: nothing leads back after the start; the old data goes when it was said so",
      async () => {
        const here = await begin({ name: "pg-place-link", settings: "upgrade-mode: link, old-data: remove" });
        await here.planned();
        await here.applied(8);
        await here.approve(8);
        await here.writesOn(30);
        expect(await serves(here)).toBe("18");
        const refused = await here.cli("plan", "--back", here.rolloutId);
        expect(refused.code).not.toBe(0);
        expect(refused.stderr).toContain("after --link the new server has changed the files of the old one");
        await here.approve(0);
        expect(await isThere(here, `${folders.old}/PG_VERSION`)).toBe(false);
        await here.writesOn(20);
        await here.prove();
      },
      caseMs,
    );

    it(
      "where configuration lies in the data folder, with checksums and long segments: all of it goes along",
      async () => {
        const here = await begin({ name: "pg-place-plain", isPlain: true });
        await here.old.sql("postgres", "ALTER SYSTEM SET work_mem = '7MB'");
        await here.planned();
        await here.applied(8);
        await here.old.sql("postgres", "ALTER SYSTEM SET maintenance_work_mem = '70MB'");
        await here.approve(8);
        await here.writesOn(30);
        expect(await serves(here)).toBe("18");
        const names = [
          "work_mem",
          "maintenance_work_mem",
          "data_checksums",
          "wal_segment_size",
          "data_directory",
        ];
        const shown = names.map((name) => `current_setting('${name}')`).join(", ");
        expect(await here.new.sql("postgres", `SELECT ${shown}`)).toBe("7MB|70MB|on|32MB|/srv/new/data");
        await here.host.powerOff();
        await here.host.powerOn();
        await here.new.untilServes();
        expect(await serves(here)).toBe("18");
        await here.untilAttached();
        await here.approve(0);
        await here.prove();
      },
      caseMs,
    );

    it(
      "refused by pg_upgrade --check: in its own words, while the old server serves; mended, it goes on",
      async () => {
        const here = await begin({ name: "pg-place-check" });
        const libraries = "/usr/lib/postgresql/17/lib";
        await here.host.must(["cp", `${libraries}/dict_int.so`, `${libraries}/only_here.so`]);
        await here.old.sql(
          "shop",
          "CREATE FUNCTION only_here(internal) RETURNS internal AS '$libdir/only_here', 'dintdict_init' LANGUAGE C STRICT",
        );
        await here.planned();
        const stopped = await here.applied(5);
        expect(stopped.stdout + stopped.stderr).toContain("required libraries");
        expect(stopped.stdout + stopped.stderr).toContain("only_here");
        await here.writesOn(20);
        const { text } = await whyOf(here);
        expect(text).toContain("nothing was changed on the old server");
        await here.old.sql("shop", "DROP FUNCTION only_here(internal)");
        const again = await typePrinted(here);
        expect(again.code, await here.explained(again)).toBe(8);
        await here.goBack();
        await here.writesOn(20);
        await isAsBefore(here);
        await here.prove();
      },
      caseMs,
    );

    it(
      "whose new server holds other rows, or does not start: aborted, the old one is as it was, and it may be tried again",
      async () => {
        const here = await begin({ name: "pg-place-open" });
        await here.planned();
        await here.applied(8);
        const written = await stoppedAt(here, "prove-fenced-still done", () =>
          here.old.sql(
            "shop",
            "SET default_transaction_read_only = off; INSERT INTO bare VALUES (-1, 'late')",
          ),
        );
        expect(written.stdout + written.stderr).toContain("public.bare: 500 rows there, 501 here");
        await abortedAndCleared(here);
        expect(await here.old.sql("shop", "SELECT count(*) FROM bare")).toBe("501");
        await here.planned();
        await here.applied(8);
        const failing = await stoppedAt(here, "start-new started", () =>
          here.host.write("/etc/postgresql/18/main/conf.d/zz.conf", "max_connections = 0\n"),
        );
        expect(failing.stdout + failing.stderr).toContain("systemctl start postgresql@18-main: ");
        await abortedAndCleared(here);
        await here.prove();
      },
      caseMs,
    );

    it(
      "whose agent is killed while pg_upgrade runs goes on by itself",
      async () => {
        const here = await begin({ name: "pg-place-kill" });
        await here.old.sql("shop", big);
        await here.planned();
        await here.applied(8);
        const moments = [
          "run-upgrade started",
          "run-upgrade tool 0 begins",
          "start-new started",
          "open-writes started",
        ];
        await using watch = await AgentWatch.killingAt(here.host, moments);
        await here.approve(8);
        expect(await watch.deeds()).toEqual(expect.arrayContaining(moments));
        await here.writesOn(30);
        expect(await serves(here)).toBe("18");
        expect(await here.new.sql("shop", "SELECT count(*) FROM big")).toBe("400000");
        await here.prove();
      },
      caseMs,
    );

    it.each(["copy", "link"])(
      "whose host dies in the middle of pg_upgrade --%s stops with a reason; the command that is printed goes on",
      async (mode) => {
        const here = await begin({ name: `pg-place-off-${mode}`, settings: `upgrade-mode: ${mode}` });
        await here.old.sql("shop", big);
        await here.planned();
        await here.applied(8);
        const approved = here.longCli(400_000, "approve", here.rolloutId);
        await inTheMiddle(here, mode);
        await here.host.powerOff();
        await here.host.powerOn();
        const stopped = await approved;
        expect(stopped.code, await here.explained(stopped)).toBe(5);
        const { text, command } = await whyOf(here);
        console.log(text);
        expect(command[0]).toBe("retry");
        expect((await here.old.psql("postgres", "SELECT 1", { timeoutMs: 5_000 })).code).not.toBe(0);
        const again = await typePrinted(here);
        expect(again.code, await here.explained(again)).toBe(8);
        await here.writesOn(30, 60_000);
        expect(await serves(here)).toBe("18");
        expect(await here.new.sql("shop", "SELECT count(*) FROM big")).toBe("400000");
        await here.prove();
      },
      caseMs,
    );

    it.each(["copy", "link"])(
      "aborted after a host that died in the middle of pg_upgrade --%s: the old server is as it was",
      async (mode) => {
        const here = await begin({ name: `pg-place-abort-${mode}`, settings: `upgrade-mode: ${mode}` });
        await here.old.sql("shop", big);
        await here.planned();
        await here.applied(8);
        const approved = here.longCli(400_000, "approve", here.rolloutId);
        await inTheMiddle(here, mode);
        await here.host.powerOff();
        await here.host.powerOn();
        expect((await approved).code).toBe(5);
        await here.untilAttached();
        const aborted = await here.longCli(200_000, "abort", here.rolloutId);
        console.log(aborted.code, aborted.stdout, aborted.stderr);
        await here.writesOn(30, 60_000);
        await here.goBack();
        await isAsBefore(here);
        await here.prove();
      },
      caseMs,
    );
  },
  lackOfBoth,
);

/** Approves, holds the agent at a moment, does the deed, and lets it go on to its stop. */
async function stoppedAt(
  here: InPlaceFleet,
  moment: string,
  deed: () => Promise<unknown>,
): Promise<RunResult> {
  await using watch = await AgentWatch.holding(here.host, [moment]);
  const approved = here.longCli(400_000, "approve", here.rolloutId);
  await watch.held(moment);
  await deed();
  await watch.letGo(moment);
  const stopped = await approved;
  expect(stopped.code, await here.explained(stopped)).toBe(5);
  return stopped;
}

async function abortedAndCleared(here: InPlaceFleet): Promise<void> {
  const aborted = await here.longCli(200_000, "abort", here.rolloutId);
  expect(aborted.stdout, await here.explained(aborted)).toContain("aborted");
  await here.writesOn(20, 60_000);
  await here.goBack();
  await isAsBefore(here);
}

/** Files of the new server are being made, by either way, and pg_upgrade has not come to its end. */
async function inTheMiddle(here: InPlaceFleet, mode: string): Promise<void> {
  const sign =
    mode === "link" ? `${folders.old}/global/pg_control.old` : `${folders.new}/pg_upgrade_output.d`;
  await until(
    "pg_upgrade is at work",
    async () =>
      (await isThere(here, sign)) &&
      (await here.host.exec(["pgrep", "-x", "pg_upgrade"])).code === 0 &&
      (mode === "link" || !(await isThere(here, `${folders.old}/postmaster.pid`))),
    120_000,
  );
}
