// The new server of a move is made on a host that has no PostgreSQL at all: its agent's own file names the package, the plan installs
// it, and the way back takes it away with everything that came along.
import { afterEach, expect, it } from "vitest";
import { typed } from "#test/contract/documents/page.ts";
import type { madeScenes } from "#test/flow/documents/scenes.ts";
import { describeLongLab, until } from "../harness/index.ts";
import { typePrinted, whyOf } from "../product/typed.ts";
import { beginMade, type MadeStory, typedLine } from "./made-fleet.ts";
import { packagesOn } from "./package-archive.ts";

const caseMs = 590_000;
const linesOf = (wanted: (typeof madeScenes)[number]) => typed.filter(({ scene }) => scene === wanted);
let begun: MadeStory | undefined;

afterEach(async () => {
  await begun?.story[Symbol.asyncDispose]();
  begun = undefined;
}, 60_000);

await describeLongLab("a PostgreSQL 17 that is made on a host without PostgreSQL", () => {
  it(
    "whose host dies while dpkg is at work is made by the command that is printed; led back, no package is left",
    async () => {
      const here = await beginMade({ name: "pg-made-bare", major: 17, isBare: true });
      begun = here;
      const { young, story } = here;
      const before = await packagesOn(young.host);
      const [check, plan, apply] = linesOf("made");
      if (check === undefined || plan === undefined || apply === undefined)
        throw new Error("the page has no line");
      const checked = await typedLine(here, check);
      console.log(checked.stdout);
      for (const told of ["the plan installs on new1: postgresql-17 17.", "postgresql-common", "n/a"])
        expect(checked.stdout).toContain(told);
      await typedLine(here, plan);
      const applied = typedLine(here, { ...apply, exitCode: 5 });
      const early = applied.then(async (ended) => {
        throw new Error(`it ended before: ${await story.fleet.explained(ended)}`);
      });
      const isAtWork = async () => / i[UFHW] /.test(await packagesOn(young.host));
      await Promise.race([until("dpkg is at work", isAtWork, 120_000), early]);
      early.catch(() => undefined);
      await young.host.powerOff();
      await young.host.powerOn();
      await applied;
      console.log((await whyOf(story.fleet)).text);
      const again = await typePrinted(story.fleet);
      expect(again.code, await story.fleet.explained(again)).toBe(0);
      expect(await young.serves()).toBe(true);
      story.rollout = (await story.fleet.rollout()).id;
      const clusters = await young.host.must(["sh", "-c", "ls -d /etc/postgresql/*/*"]);
      expect(clusters.trim()).toBe("/etc/postgresql/17/main");
      expect(await young.host.read("/usr/sbin/policy-rc.d")).toBeNull();
      const planned = await story.fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
      for (const line of linesOf("unmade")) await typedLine(here, line);
      expect(await packagesOn(young.host)).toBe(before);
      expect(await young.left()).toEqual([]);
      expect((await young.host.exec(["test", "-e", "/etc/postgresql-common"])).code).toBe(1);
      expect(await story.writesOn(20)).toBe("old");
    },
    caseMs,
  );
});
