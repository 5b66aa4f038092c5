// Going back on real hosts: packages by the real dpkg, units by the real systemd, data unpacked by the real tar. What
// was there at the common stop is there again, what came since stands aside, and each node runs the old version.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, type RunResult } from "../harness/index.ts";
import { clusterName, type FleetSpec, type LabFleet, startFleet } from "./fleet.ts";
import type { KwdbNode } from "./node.ts";

const data = "/var/lib/kaiwudb";

let fleet: LabFleet | undefined;

afterEach(async () => {
  await fleet?.[Symbol.asyncDispose]();
  fleet = undefined;
});

async function begun(spec: FleetSpec): Promise<LabFleet> {
  fleet = await startFleet(spec);
  await fleet.keepOldPackage();
  for (const { host } of fleet.nodes) {
    await host.write(`${data}/rows`, "before");
    await host.write("/etc/kaiwudb/certs/node.key", `secret of ${host.name}`, "0600");
    await host.must(["chown", "kaiwudb:kaiwudb", `${data}/rows`, "/etc/kaiwudb/certs/node.key"]);
  }
  await setDead(fleet, "40m");
  return fleet;
}

await describeLongLab("a way back on real hosts", () => {
  it("takes a standalone node back to the data of the common stop, and keeps what came since aside", () =>
    goThereAndBack({
      name: "back-alone",
      names: ["db1"],
      topology: "single",
      version: "2.2.0",
      to: "2.2.1",
      archives: true,
    }));
});

await describeLongLab("a way back of a cluster on real hosts", () => {
  it("takes a single-replica cluster back to the data of the common stop", () =>
    goThereAndBack({
      name: "back-single",
      topology: "single-replication",
      version: "3.0.0",
      to: "3.1.0",
      archives: true,
    }));

  it("takes a half-upgraded multi-replica cluster back on the data that it has, with the printed command", async () => {
    const of = await begun({ name: "back-rolling", version: "3.0.0", to: "3.0.1" });
    const db2 = of.node("db2");
    await db2.faults({ install_fails: "server" });
    await expectCode(of, await of.upgrade(), 5);
    await db2.faults({});
    expect(await db2.packageVersion("kaiwudb-server")).toBe("");
    await of.node("db1").host.write(`${data}/since`, "since");
    const why = await of.must("why", clusterName);
    expect(why).toMatch(/command: lockkeeper retry \S+ -n db2/);
    const [, command = ""] = /or back: lockkeeper (.+)$/m.exec(why) ?? [];
    const back = of.lab.file("back.json");
    const printed = await of.must(
      ...command
        .trim()
        .split(/\s+/)
        .map((word) => (word === "back.json" ? back : word)),
    );
    expect(printed).toContain("db2: the packages of 3.0.0 were removed");
    await expectCode(of, await of.applyFile(back, 300_000, "--ack", "kwdb.back-on-kept-data"), 0);
    await expectVersion(of, "3.0.0");
    for (const node of of.nodes) {
      await expectOldNode(node);
      expect(await node.host.read(`${data}/rows`)).toBe("before");
    }
    expect(await of.node("db1").host.read(`${data}/since`)).toBe("since");
    expect(await dead(of)).toContain("40");
  });
});

async function goThereAndBack(spec: FleetSpec): Promise<void> {
  const of = await begun(spec);
  await expectCode(of, await of.upgrade(), 0);
  await setDead(of, "50m");
  for (const { host } of of.nodes) {
    await host.write(`${data}/rows`, "after");
    await host.write(`${data}/since`, "since");
    await host.write("/etc/kaiwudb/script/kaiwudb_env", 'KAIWUDB_START_ARG="--cache=2GiB"\n');
  }
  const back = of.lab.file("back.json");
  const printed = await of.must("plan", "--back", clusterName, "-o", back);
  expect(printed).toContain("kwdb.writes-lost");
  expect(printed).toContain("Point of no return: all-back/restore/restore-package");
  // without the word nothing is begun
  await expectCode(of, await of.applyFile(back), 3);
  await expectCode(of, await of.applyFile(back, 300_000, "--ack", "kwdb.writes-lost"), 0);
  await expectVersion(of, spec.version);
  for (const node of of.nodes) {
    await expectOldNode(node);
    expect(await node.host.read(`${data}/rows`)).toBe("before");
    expect(await node.host.read(`${data}/since`)).toBeNull();
    expect((await node.host.must(["stat", "-c", "%U:%G", `${data}/rows`])).trim()).toBe("kaiwudb:kaiwudb");
    const [aside = ""] = (await node.host.must(["sh", "-c", `ls -d ${data}.before-*`])).trim().split("\n");
    expect(await node.host.read(`${aside}/since`)).toBe("since");
    expect((await node.host.must(["sh", "-c", `ls -d ${data}.restored-* 2>/dev/null || true`])).trim()).toBe(
      "",
    );
  }
  expect(await dead(of)).toContain("40");
  expect(await of.must("status", clusterName)).toContain(`${data}.before-`);
}

async function expectOldNode({ host }: KwdbNode): Promise<void> {
  expect(await host.read("/etc/kaiwudb/script/kaiwudb_env")).toBe('KAIWUDB_START_ARG=""\n');
  expect(await host.read("/etc/kaiwudb/certs/node.key")).toBe(`secret of ${host.name}`);
  const key = await host.must(["stat", "-c", "%U:%G %a", "/etc/kaiwudb/certs/node.key"]);
  expect(key.trim()).toBe("kaiwudb:kaiwudb 600");
}

async function expectVersion(fleet: LabFleet, version: string): Promise<void> {
  for (const node of fleet.nodes) {
    expect(await node.versionFile()).toBe(version);
    expect(await node.packageVersion("kaiwudb-server")).toBe(version);
    expect(await node.packageVersion("kaiwudb-libcommon")).toBe(version);
  }
  const rows = (await fleet.nodes[0]?.status()) ?? [];
  expect(rows.map(({ build, isLive }) => `${build} ${isLive}`)).toEqual(
    fleet.nodes.map(() => `${version} true`),
  );
  expect(await fleet.lock()).toMatchObject({ state: "free" });
}

async function expectCode(of: LabFleet, ended: RunResult, code: number): Promise<void> {
  expect(ended.code, await of.explained(ended)).toBe(code);
}

/** A row of the database itself, in its store. */
async function setDead(fleet: LabFleet, value: string): Promise<void> {
  const set = `SET CLUSTER SETTING server.time_until_store_dead = '${value}'`;
  const ran = await fleet.nodes[0]?.kwbase("sql", "-e", set);
  expect(ran?.code, `${ran?.stdout}${ran?.stderr}`).toBe(0);
}

async function dead(fleet: LabFleet): Promise<string> {
  const ran = await fleet.nodes[0]?.kwbase(
    "sql",
    "--format=csv",
    "-e",
    "SHOW CLUSTER SETTING server.time_until_store_dead",
  );
  return ran?.stdout ?? "";
}
