// 2.2.0 to 2.2.1 at the real pace: gates every ten seconds with half a minute of dwell, as the inventory has them
// when it says nothing, and a database whose seconds last a second.
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";
import { runsFrom } from "./looking.ts";
import { outagesOf, overlaps } from "./records.ts";

const dwellMs = 30_000;

await describeLongLab("a rolling upgrade 2.2.0 to 2.2.1 with production dwell", () => {
  let fleet: LabFleet;

  beforeAll(async () => {
    const spec = { name: "production", version: "2.2.0", to: "2.2.1", gates: null, tickScale: 1 };
    fleet = await startFleet(spec);
  }, 300_000);

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it("is no way to 3.x, which the script would not refuse", async () => {
    const [, , , ...digest] = fleet.targetWords;
    const refused = await fleet.cli("plan", clusterName, "--to", "3.1.0", ...digest);
    expect(refused.stderr).toMatch(/2\.2\.0 to 3\.1\.0 crosses a major version/);
    expect(refused.code).toBe(3);
    expect(await fleet.lock()).toMatchObject({ epoch: 0 });
  });

  it("lets the cluster be well for the dwell between two nodes, by the hosts' own records", async () => {
    const began = new Date();
    const applied = await fleet.upgrade(900_000);
    expect(applied.code, await fleet.explained(applied)).toBe(0);
    const outages = (await Promise.all(fleet.nodes.map((node) => outagesOf(node, began)))).flat();
    expect(outages.map(({ node }) => node)).toEqual(["db1", "db2", "db3"]);
    expect(overlaps(outages)).toEqual([]);
    const quietMs = outages
      .slice(1)
      .map(({ from }, at) => from.getTime() - (outages[at]?.to?.getTime() ?? 0));
    expect(Math.min(...quietMs)).toBeGreaterThan(dwellMs);
    await fleet.must("snapshot", "take", "--reason", "after");
    const versions = Object.values(await runsFrom(fleet)).map(({ version }) => version);
    expect(versions).toEqual(["2.2.1", "2.2.1", "2.2.1"]);
  }, 1_200_000);
});
