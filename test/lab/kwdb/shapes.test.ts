// The documented rolling upgrade of clusters that are not three insecure nodes: one whose nodes and clients have
// certificates, and one of five.
import { afterEach, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import { type FleetSpec, type LabFleet, startFleet } from "./fleet.ts";
import { outagesOf, overlaps } from "./records.ts";

await describeLongLab("a rolling upgrade 3.0.0 to 3.1.0", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  const shapes: readonly (readonly [string, Omit<FleetSpec, "version" | "to">])[] = [
    ["a secure cluster", { name: "secure", secure: true }],
    ["five nodes", { name: "five", names: ["db1", "db2", "db3", "db4", "db5"] }],
  ];
  it.each(shapes)("of %s: one node after the other, all at the new version", async (_, shape) => {
    fleet = await startFleet({ ...shape, version: "3.0.0", to: "3.1.0" });
    const began = new Date();
    const ended = await fleet.upgrade(480_000);
    expect(ended.code, await fleet.explained(ended)).toBe(0);
    for (const node of fleet.nodes) {
      const rows = await node.status();
      expect(rows.map(({ build, isAvailable, isLive }) => `${build} ${isAvailable} ${isLive}`)).toEqual(
        fleet.nodes.map(() => "3.1.0 true true"),
      );
      expect(await node.versionFile()).toBe("3.1.0");
    }
    const outages = (await Promise.all(fleet.nodes.map((node) => outagesOf(node, began)))).flat();
    expect(outages.map(({ node }) => node).sort()).toEqual(fleet.nodes.map(({ host }) => host.name));
    expect(overlaps(outages)).toEqual([]);
    const insecure = await fleet
      .node("db1")
      .host.exec(["/usr/local/kaiwudb/bin/kwbase", "node", "status", "--insecure", "--host=127.0.0.1:26257"]);
    expect(insecure.code).toBe(shape.secure === true ? 1 : 0);
  });
});
