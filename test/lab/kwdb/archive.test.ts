// A rolling upgrade with archives, of a cluster that gives a node up sooner than one can be archived: the setting is
// raised while a node is away, and is to the letter what it was afterwards.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, until } from "../harness/index.ts";
import { archiveDir, clusterName, type LabFleet, startFleet } from "./fleet.ts";

await describeLongLab("a rolling upgrade with archives", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it("raises server.time_until_store_dead while a node is away, and puts it back", async () => {
    const versions = { version: "3.0.0", to: "3.0.1" };
    const settings = ", raise-store-dead: true";
    fleet = await startFleet({ name: "raise", ...versions, archives: true, settings });
    const of = fleet;
    const name = "server.time_until_store_dead";
    const db1 = of.node("db1");
    expect((await db1.kwbase("sql", "-e", `SET CLUSTER SETTING ${name} = '10m7s'`)).code).toBe(0);
    const shown = async () =>
      (await of.node("db3").kwbase("sql", "--format=csv", "-e", `SHOW CLUSTER SETTING ${name}`)).stdout;
    await until("db3 shows it", async () => (await shown()).includes("00:10:07"), 20_000);
    const upgraded = of.upgrade();
    await until("it is raised", async () => (await shown()).includes("01:00:00"), 120_000);
    const ended = await upgraded;
    expect(ended.code, await of.explained(ended)).toBe(0);
    expect(await shown()).toContain("00:10:07");
    for (const node of of.nodes) {
      expect(await node.versionFile()).toBe("3.0.1");
      expect((await node.host.exec(["ls", "/var/lib/lockkeeper-agent/store-dead.json"])).code).not.toBe(0);
      const record = JSON.parse(await node.host.must(["sh", "-c", `cat ${archiveDir}/*.json`]));
      expect(record).toMatchObject({
        kind: "node-image",
        label: expect.stringContaining("not a cluster backup"),
      });
    }
    expect((await of.rollout()).notSeen).toEqual([]);
    expect(await of.must("history", clusterName)).not.toContain("not seen yet");
  });
});
