// KWDB compiled from source, on real systemd: by hand and by a unit of the operator's own; refused before anything
// stops; an agent killed between stop and exchange, and between exchange and start.
import { open, rm } from "node:fs/promises";
import { afterEach, expect, it } from "vitest";
import { hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { describeLongLab, type RunResult, until } from "../harness/index.ts";
import { type CompiledCluster, secret, startCompiledCluster, unit } from "./compiled-cluster.ts";
import { type CompiledNode, folder } from "./compiled-node.ts";
import { clusterName, type FleetSpec, type LabFleet, startFleet } from "./fleet.ts";

const canBuild = await hasCompiler();

await describeLongLab("KWDB compiled from source", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  async function begun(by: "unit" | "hand", spec: FleetSpec): Promise<LabFleet> {
    const agentSettings = `program: { folder: ${folder}${by === "unit" ? `, unit: ${unit}` : ""} }`;
    fleet = await startFleet({
      deployment: "compiled",
      agentSettings,
      start: startCompiledCluster(by),
      ...spec,
    });
    return fleet;
  }

  const clusterOf = (of: LabFleet) => of.cluster as CompiledCluster;

  async function expectCode(of: LabFleet, ended: RunResult, code: number): Promise<void> {
    expect(ended.code, await of.explained(ended)).toBe(code);
  }

  it.skipIf(!canBuild)(
    "takes a standalone node that was started by hand, keeps its start, and takes it again",
    async () => {
      const of = await begun("hand", {
        ...{ name: "hand", names: ["db1"], topology: "single", version: "3.0.0", to: "3.1.0" },
      });
      const [db1] = clusterOf(of).nodes;
      if (db1 === undefined) throw new Error("no node");
      const words = await db1.told("cmdline");
      await expectCode(of, await of.upgrade(), 0);
      await expectAt(of, "3.1.0");
      expect((await db1.told("cmdline")).split("\0").slice(1)).toEqual(words.split("\0").slice(1));
      expect((await db1.told("environ")).split("\0")).toContain(`SECRET=${secret}-x`);
      expect(await db1.told("limits")).toMatch(/^Max open files\s+4000\s+5000/m);
      expect(await db1.told("status")).toMatch(/^Umask:\s+0027$/m);
      expect(await db1.host.must(["stat", "--format=%U", `/proc/${await db1.mainPid()}`])).toBe("kwdb\n");
      expect(await db1.told("cgroup")).toContain("lockkeeper-kwdb.service");
      expect(await db1.host.read("/var/log/kwdb.out")).toContain("restarted pre-existing node");

      const pid = await db1.mainPid();
      await db1.host.must(["systemctl", "restart", "lockkeeper-agent"]);
      expect(await db1.mainPid()).toBe(pid);
      await of.untilAttached();

      await of.aim("3.1.1");
      await expectCode(of, await of.upgrade(), 0);
      await expectAt(of, "3.1.1");
      expect((await db1.folders()).map((name) => name.replace(/-[^-]*-[^-]*-[^-]*$/, ""))).toEqual([
        "kwdb",
        "kwdb.kept-3.0.0",
        "kwdb.kept-3.1.0",
      ]);
      for (const view of [
        ["status", clusterName],
        ["snapshot", "list"],
        ["plan", ...of.targetWords],
      ])
        expect((await of.cli(...view, "-o", "json")).stdout).not.toContain(secret);
    },
  );

  it.skipIf(!canBuild)("refuses what would not run here, with the database as it was", async () => {
    const of = await begun("unit", {
      ...{ name: "refused", names: ["db1"], topology: "single", version: "3.0.0", to: "3.1.0" },
    });
    const cluster = clusterOf(of);
    const [db1] = cluster.nodes;
    const pid = await db1?.mainPid();
    for (const [spoil, words] of [
      [{ spoil: (at: string) => ofOtherMachine(`${at}/bin/kwbase`) }, "the build is for"],
      [{ spoil: (at: string) => rm(`${at}/lib/libcommon.so`) }, "libcommon.so"],
      [{ manifest: { version: "3.1.1" } }, "the plan wants 3.1.0"],
    ] as const) {
      cluster.spoil = spoil;
      await of.aim("3.1.0");
      const ended = await of.upgrade();
      await expectCode(of, ended, 5);
      expect(`${ended.stdout}${ended.stderr}${await of.must("why", clusterName)}`).toContain(words);
      expect(await db1?.mainPid()).toBe(pid);
      await of.cli("abort", clusterName, "--reason", "the build is bad");
      await until("it is aborted", async () => (await of.rollout()).phase === "aborted");
    }
    expect(await db1?.folders()).toEqual(["kwdb"]);
  });

  it.skipIf(!canBuild)("takes a multi-replica cluster node by node, also with an agent killed", async () => {
    const of = await begun("unit", { name: "units", version: "3.0.0", to: "3.1.0" });
    const db2 = of.node("db2") as CompiledNode;
    const stopped = db2.killAgentWhen("stopped");
    await expectCode(of, await of.upgrade(), 0);
    expect(await stopped).toEqual({ kept: false, runs: false });
    await expectAt(of, "3.1.0");

    await of.aim("3.1.1");
    await db2.host.must(["sh", "-c", `rm -r ${folder}.kept-*`]);
    const exchanged = db2.killAgentWhen("exchanged");
    await expectCode(of, await of.upgrade(), 0);
    expect(await exchanged).toEqual({ kept: true, runs: false });
    await expectAt(of, "3.1.1");
  });
});

async function expectAt(of: LabFleet, version: string): Promise<void> {
  const rows = await of.node("db1").status();
  expect(rows.map(({ build, isLive }) => `${build} ${isLive}`)).toEqual(
    of.nodes.map(() => `${version} true`),
  );
  for (const node of of.nodes) expect(await node.versionFile()).toBe(version);
  expect(await of.lock()).toMatchObject({ state: "free" });
}

/** e_machine of its header. */
async function ofOtherMachine(file: string): Promise<void> {
  const handle = await open(file, "r+");
  await handle.write(Buffer.from([process.arch === "arm64" ? 62 : 183, 0]), 0, 2, 18);
  await handle.close();
}
