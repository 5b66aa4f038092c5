/**
 * What the vendor's tools do wrong, one fault after the other, on the second of three nodes: never a success that was
 * none, never a node beyond it touched, the message names the real cause, and the printed command mends it.
 */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { render } from "#proto/catalogue/render.ts";
import { type Follow, ProcessFleet } from "./harness/fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";
import { allIsWell, nextCommand, stopOf } from "./harness/story.ts";

const longMs = 900_000;
const stoppedSafely = 5;

const dist = bundle();
let fleet: ProcessFleet;

stoppedAfterEach(() => [fleet]);

type Faults = Readonly<Record<string, string>>;

/** From the moment on when the first node is in work, db2 has the fault. */
async function upgradeWith(faults: Faults): Promise<Follow> {
  fleet = await ProcessFleet.start(dist(), { coordinators: 1 });
  let isSet = false;
  const hear = ({ fact }: RolloutEvent) => {
    if (fact.kind !== "entered" || isSet) return;
    isSet = true;
    void fleet.hosts[1]?.faults({ ...faults });
  };
  const follow = fleet.apply(await fleet.plan(), hear);
  await follow.ended;
  expect(isSet).toBe(true);
  return follow;
}

async function mended(): Promise<void> {
  await fleet.hosts[1]?.faults({});
  let follow = fleet.follow(await nextCommand(fleet), () => undefined);
  // a killed script may have left a half that shows only when it is tried again
  if ((await follow.ended).code === stoppedSafely)
    follow = fleet.follow(await nextCommand(fleet), () => undefined);
  const { code, stderr } = await follow.ended;
  const why = stopOf(follow)?.why;
  expect(code, why === undefined ? stderr : render(why).says).toBe(0);
  await allIsWell(fleet);
}

async function stopsWith(follow: Follow, code: string, says: RegExp): Promise<void> {
  const { code: exit, stderr } = await follow.ended;
  expect(exit, stderr).toBe(stoppedSafely);
  const stop = stopOf(follow);
  expect(stop?.why.code).toBe(code);
  expect(stop === undefined ? "" : render(stop.why).says).toMatch(says);
  const [db1, , db3] = await fleet.versions();
  expect([db1, db3]).toEqual(["3.1.0 ready", "3.0.0 ready"]);
}

const skipUnlessFull = onlyFull("a rollout for each fault takes a quarter of an hour");

interface Case {
  readonly when: string;
  readonly faults: Faults;
  readonly code: string;
  readonly says: RegExp;
}

const cases: readonly Case[] = [
  {
    when: "libcommon does not install, told as another error",
    faults: { install_fails: "libcommon" },
    code: "kwdb.upgrade-not-done",
    says: /package installation failed/,
  },
  {
    when: "the server does not install, told as another error",
    faults: { install_fails: "server" },
    code: "kwdb.upgrade-not-done",
    says: /package installation failed/,
  },
  {
    when: "success is printed and nothing is changed",
    faults: { banner_only: "yes" },
    code: "kwdb.upgrade-not-done",
    says: /3\.0\.0/,
  },
  {
    when: "the disk is full when the version file is copied, and success is printed",
    faults: { version_copy: "disk_full" },
    code: "kwdb.upgrade-not-done",
    says: /3\.0\.0/,
  },
  { when: "sudo has no ticket", faults: { sudo: "broken" }, code: "kwdb.upgrade-not-done", says: /sudo/ },
  {
    when: "the node dies after its start",
    faults: { die_after_ms: "300" },
    code: "kwdb.node-not-running",
    says: /died after its start/,
  },
  {
    when: "the node never gets ready",
    faults: { never_ready: "yes" },
    code: "kwdb.node-not-ready",
    says: /is not ready/,
  },
];

describe("a fault of the vendor's tools on the second node", () => {
  for (const { when, faults, code, says } of cases)
    it(
      `${when}: stops and says so, and is mended`,
      async (context) => {
        skipUnlessFull(context);
        const follow = await upgradeWith(faults);
        await stopsWith(follow, code, says);
        await mended();
      },
      longMs,
    );

  it(
    "a slow installation is waited for",
    async (context) => {
      skipUnlessFull(context);
      const follow = await upgradeWith({ install_ms: "5000" });
      expect((await follow.ended).code).toBe(0);
      await allIsWell(fleet);
    },
    longMs,
  );
});

/** The bar of a node that was stopped before has these percentages; between 70 and 100 the packages are changed. */
const points = [10, 20, 30, 50, 60, 70, "removal", "libcommon", "server", 100] as const;

describe("deploy.sh killed at a point of its bar", () => {
  for (const point of points)
    for (const victim of ["main", "group"] as const)
      it(
        `${victim} at ${point}: done, or stopped with its name; and it is mended`,
        async (context) => {
          skipUnlessFull(context);
          const follow = await upgradeWith({
            [`kill_at_${point}`]: `${victim} once`,
            install_ms: "400",
          });
          const { code, stderr } = await follow.ended;
          const struck = fleet.hosts[1]?.path("/etc/kwdb-double/struck") ?? "";
          expect(await readFile(struck, "utf8")).toBe(`${point}\n`);
          if (code === 0) return allIsWell(fleet);
          expect(code, stderr).toBe(stoppedSafely);
          expect(stopOf(follow)?.why.code).toBe("kwdb.upgrade-not-done");
          expect((await fleet.versions())[2]).toBe("3.0.0 ready");
          await mended();
        },
        longMs,
      );
});
