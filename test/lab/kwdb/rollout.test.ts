// The main job, whole: a cluster of real hosts goes to its next version by three commands, and the hosts' own
// records say that one node at a time was down.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CheckResult } from "#coordinator/domain/check.ts";
import { describeLab } from "../harness/index.ts";
import { type LabFleet, startFleet } from "./fleet.ts";
import { runsFrom } from "./looking.ts";
import { type Outage, outagesOf, overlaps, versionWrittenAt } from "./records.ts";

await describeLab("a rolling upgrade 3.0.0 to 3.1.0 of real hosts", () => {
  let fleet: LabFleet;

  beforeAll(async () => {
    fleet = await startFleet({ name: "rollout", version: "3.0.0", to: "3.1.0" });
  }, 180_000);

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it("is done by check, plan and apply, one node at a time by the hosts' own records", async () => {
    const checks = await fleet.cli("check", ...fleet.targetWords, "-o", "json");
    expect(checks.code).toBe(3); // what only a person knows is not acknowledged yet
    const found = JSON.parse(checks.stdout) as readonly CheckResult[];
    expect(found.filter(({ status }) => status === "ko")).toEqual([]);

    const began = new Date();
    const applied = await fleet.upgrade();
    expect(applied.code, await fleet.explained(applied)).toBe(0);

    const outages = (await Promise.all(fleet.nodes.map((node) => outagesOf(node, began)))).flat();
    expect(outages.map(({ node }) => node)).toEqual(["db1", "db2", "db3"]);
    expect(overlaps(outages)).toEqual([]);
    for (const node of fleet.nodes) {
      const { from, to } = outages.find(({ node: name }) => name === node.host.name) as Outage;
      const written = (await versionWrittenAt(node)).getTime();
      expect(written).toBeGreaterThan(from.getTime());
      expect(written).toBeLessThan(to?.getTime() ?? 0);
    }
    expect(outages.every(({ to }) => to !== null)).toBe(true);
    expect(outages.map(({ from }) => from.getTime())).toEqual(
      outages.map(({ from }) => from.getTime()).toSorted((left, right) => left - right),
    );
  });

  it("leaves the new version running everywhere, as each host and the snapshot say alike", async () => {
    await fleet.must("snapshot", "take", "--reason", "after");
    const told = await runsFrom(fleet);
    for (const node of fleet.nodes) {
      const pid = await node.mainPid();
      const digest = (await node.host.must(["sha256sum", `/proc/${pid}/exe`])).split(" ")[0] ?? "";
      expect(told[node.host.name]).toMatchObject({ pid, version: "3.1.0", executableSha256: digest });
      expect(await node.versionFile()).toBe("3.1.0");
      expect(await node.packageVersion("kaiwudb-server")).toBe("3.1.0");
    }
    expect(await fleet.lock()).toMatchObject({ state: "free", epoch: 3 });
  });

  it("leaves no unit of its own behind on any host", async () => {
    for (const { host } of fleet.nodes) {
      const units = await host.must([
        "systemctl",
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "lockkeeper-*",
      ]);
      expect(
        units
          .trim()
          .split("\n")
          .map((line) => line.split(" ")[0]),
      ).toEqual(["lockkeeper-agent.service"]);
    }
  });
});
