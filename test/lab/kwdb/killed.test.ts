// Coordinator, agent and nats-server are killed while a node is in work; the rollout goes on by itself, and nothing
// is started twice. One fleet goes from version to version, each time with another kill.
import { afterAll, beforeEach, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import type { Victim } from "../product/product.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";
import { type Moment, untilMoment } from "./moments.ts";
import type { KwdbNode } from "./node.ts";
import { outagesOf, overlaps, startsOf, versionWrittenAt } from "./records.ts";

const named: readonly (readonly [Victim, Moment])[] = [
  ["coordinator", "between stop and deploy.sh"],
  ["coordinator", "in mid deploy.sh"],
  ["agent", "in mid deploy.sh"],
  ["agent", "after start, before ready"],
  ["nats-server", "between stop and deploy.sh"],
  ["nats-server", "after start, before ready"],
];

await describeLongLab("a rollout whose processes are killed", () => {
  let fleet: LabFleet | undefined;
  let patch = 0;
  let isClean = false;

  // What a failed test leaves behind is nobody's ground: the next one gets hosts of its own.
  beforeEach(async () => {
    if (!isClean) {
      await fleet?.[Symbol.asyncDispose]();
      patch = 0;
      fleet = await startFleet({ name: "killed", version: "3.0.0", to: "3.0.1" });
    }
    patch += 1;
    if (isClean) await fleet?.aim(`3.0.${patch}`);
    isClean = false;
  });

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it.each(named)("goes on by itself when the %s is killed %s", async (victim, moment) => {
    if (fleet === undefined) throw new Error("no fleet");
    const db2 = fleet.node("db2");
    await db2.faults({ install_ms: "1500" });
    const began = new Date();
    const upgrading = fleet.upgrade();
    const killedAt = await Promise.race([
      untilMoment(db2, moment),
      upgrading.then(async (ended) => {
        throw new Error(`it ended before that: ${await fleet?.explained(ended)}`);
      }),
    ]);
    await fleet.kill(victim, db2.host);
    if (victim === "coordinator") await fleet.startCoordinator();
    const ended = await upgrading;
    expect(ended.code, await fleet.explained(ended)).toBe(0);

    await expectInMoment(db2, { moment, killedAt, began });
    const outages = (await Promise.all(fleet.nodes.map((node) => outagesOf(node, began)))).flat();
    expect(outages.map(({ node }) => node)).toEqual(["db1", "db2", "db3"]);
    expect(overlaps(outages)).toEqual([]);
    for (const node of fleet.nodes) {
      expect(await startsOf(node, "upgrade-package", began)).toHaveLength(1);
      expect(await node.versionFile()).toBe(`3.0.${patch}`);
    }
    expect((await fleet.cluster.nodes[0]?.status())?.map(({ build }) => build)).toEqual(
      Array.from({ length: 3 }, () => `3.0.${patch}`),
    );
    expect(await fleet.lock()).toMatchObject({ cluster: clusterName, state: "free" });
    isClean = true;
  });
});

interface Kill {
  readonly moment: Moment;
  readonly killedAt: Date;
  readonly began: Date;
}

/** The host's own records say that the moment was hit. */
async function expectInMoment(node: KwdbNode, { moment, killedAt, began }: Kill): Promise<void> {
  const [outage] = await outagesOf(node, began);
  const [deployed] = await startsOf(node, "upgrade-package", began);
  const [started] = await startsOf(node, "kaiwudb.service", began);
  const written = await versionWrittenAt(node);
  const between = {
    "between stop and deploy.sh": [outage?.from, deployed],
    "in mid deploy.sh": [deployed, written],
    "after start, before ready": [started, outage?.to],
  }[moment];
  const [from, to] = between.map((at) => at?.getTime() ?? Number.NaN) as [number, number];
  expect(killedAt.getTime()).toBeGreaterThan(from);
  expect(killedAt.getTime()).toBeLessThan(to);
}
