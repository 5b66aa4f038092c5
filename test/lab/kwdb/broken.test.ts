// What befalls a host while its node is in work: switched off, cut off, a database that does not come back. Each
// ends well by itself or stops with the command to type, and that command mends it.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, expect, it } from "vitest";
import { describeLongLab, type RunResult } from "../harness/index.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";
import { untilMoment } from "./moments.ts";
import { outagesOf, overlaps, startsOf } from "./records.ts";

await describeLongLab("a rollout on hosts that break", () => {
  let fleet: LabFleet | undefined;
  let patch = 0;
  let isClean = false;

  // What a failed test leaves behind is nobody's ground: the next one gets hosts of its own.
  beforeEach(async () => {
    if (!isClean) {
      await fleet?.[Symbol.asyncDispose]();
      patch = 0;
      fleet = await startFleet({ name: "broken", version: "3.0.0", to: "3.0.1" });
    }
    patch += 1;
    if (isClean) await fleet?.aim(`3.0.${patch}`);
    isClean = false;
  });

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it("ends well when a host is cut off in mid deploy.sh and joined again", async () => {
    const { db2, began } = await prepared(fleet);
    await db2.faults({ install_ms: "2000" });
    const upgrading = fleet?.upgrade();
    await untilMoment(db2, "in mid deploy.sh");
    await db2.host.cutNetwork();
    await sleep(20_000);
    // alone, it has gone on to the end of what it can do alone
    expect(await db2.versionFile()).toBe(`3.0.${patch}`);
    await db2.host.joinNetwork();
    await expectCode(await upgrading, 0);
    await expectDone(began);
    isClean = true;
  });

  it("stops when a host is switched off in mid deploy.sh, and the printed command mends it", async () => {
    const { db2, began } = await prepared(fleet);
    await db2.faults({ install_ms: "2000" });
    const upgrading = fleet?.upgrade(400_000);
    await untilMoment(db2, "in mid deploy.sh");
    await db2.host.powerOff();
    await sleep(5_000);
    await db2.host.powerOn();
    await db2.faults({});
    await expectCode(await upgrading, 5);
    expect(await startsOf(fleet?.node("db3") as never, "upgrade-package", began)).toEqual([]);
    expect(await fleet?.lock()).toMatchObject({ state: "entered", nodes: ["db2"] });
    await expectCode(await typePrintedCommand(), 0);
    await expectDone(began);
    isClean = true;
  });

  it("stops when a node does not come back, the others untouched, and the printed command mends it", async () => {
    const { db2, began } = await prepared(fleet);
    await db2.faults({ die_after_ms: "300" });
    await expectCode(await fleet?.upgrade(400_000), 5);
    expect(await startsOf(fleet?.node("db3") as never, "kaiwudb.service", began)).toEqual([]);
    expect(await fleet?.lock()).toMatchObject({ state: "entered", nodes: ["db2"] });
    await db2.faults({});
    await expectCode(await typePrintedCommand(), 0);
    await expectDone(began);
    isClean = true;
  });

  /** Reads the command out of `why`, as a person would, and types it. */
  async function typePrintedCommand(): Promise<RunResult | undefined> {
    const why = (await fleet?.must("why", clusterName)) ?? "";
    const [, command = ""] = /command: lockkeeper (.+)$/m.exec(why) ?? [];
    expect(command, why).not.toBe("");
    return fleet?.longCli(240_000, ...command.trim().split(/\s+/));
  }

  async function expectDone(began: Date): Promise<void> {
    if (fleet === undefined) throw new Error("no fleet");
    const outages = (await Promise.all(fleet.nodes.map((node) => outagesOf(node, began)))).flat();
    expect(overlaps(outages)).toEqual([]);
    const rows = await fleet.node("db1").status();
    expect(rows.map(({ build, isLive }) => `${build} ${isLive}`)).toEqual(
      rows.map(() => `3.0.${patch} true`),
    );
    for (const node of fleet.nodes) expect(await node.versionFile()).toBe(`3.0.${patch}`);
    expect(await fleet.lock()).toMatchObject({ state: "free" });
  }

  async function expectCode(ended: RunResult | undefined, code: number): Promise<void> {
    if (ended === undefined || fleet === undefined) throw new Error("no fleet");
    expect(ended.code, await fleet.explained(ended)).toBe(code);
  }
});

async function prepared(fleet: LabFleet | undefined) {
  if (fleet === undefined) throw new Error("no fleet");
  // an outage that began before a power-off must be in the host's records after it
  for (const { host } of fleet.nodes)
    await host.must(["sh", "-ec", "mkdir -p /var/log/journal; journalctl --flush"]);
  return { db2: fleet.node("db2"), began: new Date() };
}
