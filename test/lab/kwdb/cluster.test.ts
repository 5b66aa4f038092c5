// The ground that the end-to-end upgrades stand on: the stand-in behaves on real systemd and real dpkg as KWDB's
// tools were measured to, when a person upgrades one node by hand.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLab, describeLab, type Lab, type RunResult, until } from "../harness/index.ts";
import { type KwdbCluster, startKwdbCluster } from "./cluster.ts";
import type { KwdbNode } from "./node.ts";

const INSTALL = "/opt/kwdb_install";

const OFFLINE_STEPS = [
  "install check 10",
  "verify packages 20",
  "verify install type 30",
  "version compare 50",
  "whether running 60",
  "upgrade 70",
  "upgrade complete 100",
];

/** "label percent" of each step that the progress bar has shown, without order or repetition lost. */
function barLabels(stdout: string): readonly string[] {
  return [...stdout.matchAll(/([a-z][a-zA-Z ]*?) +: \[[# ]{50}\] (\d+)%/g)].map(
    ([, label, at]) => `${label} ${at}`,
  );
}

function upgradeLocally(node: KwdbNode): Promise<RunResult> {
  return node.host.exec(["env", `--chdir=${INSTALL}`, "./deploy.sh", "upgrade", "-l"], {
    timeoutMs: 120_000,
  });
}

await describeLab("KWDB on real hosts", () => {
  describe.each([
    { from: "2.2.0", to: "2.2.1" },
    { from: "3.0.0", to: "3.1.0" },
  ])("a cluster of $from and its package $to", ({ from, to }) => {
    let lab: Lab;
    let cluster: KwdbCluster;
    let db1: KwdbNode;
    let db2: KwdbNode;
    let db3: KwdbNode;

    beforeAll(async () => {
      const before = performance.now();
      lab = await createLab({ name: `kwdb-${from}` });
      cluster = await startKwdbCluster(lab, { version: from });
      [db1, db2, db3] = cluster.nodes as [KwdbNode, KwdbNode, KwdbNode];
      console.log(`cluster of ${from} healthy in ${Math.round(performance.now() - before)} ms`);
    });

    afterAll(async () => {
      await lab?.[Symbol.asyncDispose]();
    });

    it("is seen whole from each node", async () => {
      for (const node of cluster.nodes) {
        const rows = await node.status();
        expect(rows.map(({ id, build }) => `${id} ${build}`)).toEqual(
          ["1", "2", "3"].map((id) => `${id} ${from}`),
        );
        expect(rows.every((row) => row.isAvailable && row.isLive)).toBe(true);
      }
    });

    it("takes the package of its version for installed, by dpkg, by its file and by its binary", async () => {
      expect(await db2.packageVersion("kaiwudb-server")).toBe(from);
      expect(await db2.versionFile()).toBe(from);
      expect((await db2.kwbase("version")).stdout).toMatch(new RegExp(`^KaiwuDB Version: +${from}$`, "m"));
    });

    it("is upgraded on one host by stop, deploy.sh upgrade -l, start, with the others serving", async () => {
      const began = new Date();
      const { folder } = await cluster.packageOf(to);
      await db2.host.copyIn(folder, INSTALL);
      const startedBefore = (await db1.status())[1]?.startedAt ?? "";

      await db2.host.must(["systemctl", "stop", "kaiwudb"], { timeoutMs: 100_000 });
      expect(await db2.mainPid()).toBe(0);
      await until("db1 sees db2 down", async () => (await db1.status())[1]?.isLive === false);
      expect(await db3.readyStatus()).toBe(200);

      const upgraded = await upgradeLocally(db2);
      expect(upgraded).toMatchObject({ code: 0, timedOut: false, stderr: "" });
      expect(barLabels(upgraded.stdout)).toEqual(OFFLINE_STEPS);
      expect(upgraded.stdout).toContain("[UPGRADE COMPLETED]:");
      expect(await db2.mainPid()).toBe(0); // the script starts nothing
      expect(await db2.versionFile()).toBe(to);
      for (const name of ["kaiwudb-server", "kaiwudb-libcommon"] as const) {
        expect(await db2.packageVersion(name)).toBe(to);
      }
      expect((await db2.host.exec(["test", "-e", "/etc/systemd/system/kaiwudb.serviceq"])).code).toBe(0);

      await db2.host.must(["systemctl", "daemon-reload"]);
      await db2.host.must(["systemctl", "start", "kaiwudb"]);
      await until("db2 serves", async () => (await db2.readyStatus()) === 200);
      await cluster.untilHealthy();
      const row = (await db1.status())[1];
      expect(row).toMatchObject({ id: "2", build: to, isAvailable: true, isLive: true });
      expect(row?.startedAt).not.toBe(startedBefore);
      expect((await db1.status()).map(({ build }) => build)).toEqual([from, to, from]);

      const said = (await db2.host.journal({ unit: "kaiwudb", since: began })).map(({ message }) => message);
      expect(said.join("\n")).toContain("restarted pre-existing node");
    });

    it("refuses a second upgrade to the same version and leaves the progress bar behind", async () => {
      await db2.host.must(["systemctl", "stop", "kaiwudb"], { timeoutMs: 100_000 });
      const again = await upgradeLocally(db2);
      expect(again.code).toBe(1);
      expect(again.stdout).toContain("UPGRADE ERROR:The upgrade conditions are not met.( --> )");
      const orphan = await db2.host.exec(["pgrep", "--full", "deploy.sh upgrade -l"]);
      expect(orphan.code).toBe(0);
      await db2.host.must(["kill", "-KILL", ...orphan.stdout.trim().split("\n")]);
      await db2.host.must(["systemctl", "start", "kaiwudb"]);
      await cluster.untilHealthy();
    });

    it("comes back with its data after a power-off, started by hand as the installer leaves it", async () => {
      await db3.host.powerOff();
      await until("db1 sees db3 down", async () => (await db1.status())[2]?.isLive === false);
      await db3.host.powerOn();
      expect(await db3.mainPid()).toBe(0); // the unit is not enabled
      await db3.host.must(["systemctl", "start", "kaiwudb"]);
      await cluster.untilHealthy();
      expect((await db3.status()).map(({ id }) => id)).toEqual(["1", "2", "3"]);
    });
  });
});
