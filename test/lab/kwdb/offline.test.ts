// A cluster that may not serve mixed versions: by the hosts' own records all are down before the first is changed,
// and none is started before the last is changed.
import { afterEach, expect, it } from "vitest";
import type { Topology } from "#test/doubles/host/create-host.ts";
import { describeLongLab, type RunResult, until } from "../harness/index.ts";
import { archiveDir, clusterName, type LabFleet, startFleet } from "./fleet.ts";
import { type Outage, outagesOf, versionWrittenAt } from "./records.ts";

await describeLongLab("an offline upgrade of real hosts", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  async function begun(
    name: string,
    spec: {
      topology: Topology;
      version: string;
      to: string;
      archives?: boolean;
      packages?: readonly string[];
    },
  ) {
    const names = spec.topology === "single" ? ["db1"] : ["db1", "db2", "db3"];
    fleet = await startFleet({ name, names, ...spec });
    return { fleet, began: new Date() };
  }

  async function expectCode(of: LabFleet, ended: RunResult, code: number): Promise<void> {
    expect(ended.code, await of.explained(ended)).toBe(code);
  }

  it("takes a standalone node from 2.2.0 to 2.2.1", async () => {
    const { fleet: of, began } = await begun("alone", { topology: "single", version: "2.2.0", to: "2.2.1" });
    await expectCode(of, await of.upgrade(), 0);
    await expectDone(of, "2.2.1");
    const outages = await outagesOf(of.node("db1"), began);
    expect(outages.map(({ to }) => to !== null)).toEqual([true]);
  });

  it("takes a single-replica cluster from 3.0.0 to 3.1.0 with no moment of mixed versions, archived in one stop", async () => {
    const { fleet: of, began } = await begun("offline", {
      topology: "single-replication",
      version: "3.0.0",
      to: "3.1.0",
      archives: true,
      packages: ["attr"],
    });
    // what tar and a walk could each get wrong: a hole, another owner and mode, attributes, a strange name, a link
    const odd = `set -e; cd /var/lib/kaiwudb; mkdir odd; cd odd
      truncate -s 64M hole; echo data | dd of=hole bs=1 seek=1M conv=notrunc status=none
      echo own >own; chown 1234:4321 own; chmod 2604 own; setfattr -n user.note -v hi own
      echo x >'a b=c'; ln -s own link; ln own hard; mkfifo pipe`;
    for (const { host } of of.nodes) await host.must(["sh", "-c", odd]);
    await expectCode(of, await of.upgrade(), 0);
    await expectDone(of, "3.1.0");
    await expectNeverMixed(of, began);
    for (const { host } of of.nodes) {
      const must = (command: string) => host.must(["sh", "-ec", `cd ${archiveDir}; ${command}`]);
      const names = (await must("ls -A")).trim().split("\n").sort();
      const [tar = ""] = names;
      expect(names).toEqual([tar, `${tar}.json`, `${tar}.manifest`]);
      const record = JSON.parse(await must("cat *.json"));
      expect(record).toMatchObject({ node: host.name, kind: "cluster-stop", manifest: { attributes: true } });
      expect(record.proven).not.toBeNull();
      const manifest = (await must("grep odd/ *.manifest"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const entry = (name: string) => manifest.find(({ path }) => path === `odd/${name}`);
      expect(entry("own")).toMatchObject({
        ...{ uid: 1234, gid: 4321, mode: "2604", attributes: { "user.note": "0x6869" } },
      });
      expect(entry("hole")).toMatchObject({ type: "file", size: 64 * 1024 ** 2 });
      expect(manifest.map(({ path }) => path).sort()).toEqual(
        ["a b=c", "hard", "hole", "link", "own", "pipe"].map((name) => `odd/${name}`),
      );
      expect(Number(await must("stat -c %s *.tar"))).toBeLessThan(32 * 1024 ** 2);
    }
    const [taken] = await of.json<readonly { readonly id: string }[]>("snapshot", "list", clusterName);
    const shown = await of.must("snapshot", "show", taken?.id ?? "");
    expect(shown).toMatch(/db3: archive .*of 3\.0\.0 .*part of a cluster's backup, proven/);
  });

  it("stays down when one node cannot be changed, says so, and goes on with the printed command", async () => {
    const { fleet: of, began } = await begun("offline-fails", {
      topology: "single-replication",
      version: "3.0.0",
      to: "3.0.1",
    });
    const db2 = of.node("db2");
    await db2.faults({ install_fails: "server" });
    await expectCode(of, await of.upgrade(), 5);
    expect(await Promise.all(of.nodes.map((node) => node.mainPid()))).toEqual([0, 0, 0]);
    expect(await of.node("db3").versionFile()).toBe("3.0.0");
    const why = await of.must("why", clusterName);
    expect(why).toContain("not serving: db1, db2, db3");
    await db2.faults({});
    const [, command = ""] = /command: lockkeeper (.+)$/m.exec(why) ?? [];
    await expectCode(of, await of.longCli(240_000, ...command.trim().split(/\s+/)), 0);
    await expectDone(of, "3.0.1");
    await expectNeverMixed(of, began);
  });

  it("starts all again at the old version when it is aborted before the first deploy.sh", async () => {
    const { fleet: of } = await begun("offline-abort", {
      topology: "single-replication",
      version: "3.0.0",
      to: "3.0.1",
    });
    // takes the port as soon as the database has left it, so that db3 is not proven stopped
    const squat =
      "setInterval(() => require('net').createServer().on('error', () => {}).listen(26257, '127.0.0.1'), 20)";
    const { host } = of.node("db3");
    await host.must(["systemd-run", "--quiet", "--unit=squatter", "node", "--eval", squat]);
    await expectCode(of, await of.upgrade(), 5);
    expect(await of.must("why", clusterName)).toContain("port 26257");
    await host.must(["systemctl", "stop", "squatter"]);
    await expectCode(of, await of.cli("abort", clusterName, "--reason", "the port is taken"), 5);
    await until("it is aborted", async () => (await of.rollout()).phase === "aborted", 120_000);
    await of.cluster.untilHealthy();
    await expectDone(of, "3.0.0");
  });
});

async function expectDone(fleet: LabFleet, version: string): Promise<void> {
  const rows = await fleet.node("db1").status();
  expect(rows.map(({ build, isLive }) => `${build} ${isLive}`)).toEqual(
    fleet.nodes.map(() => `${version} true`),
  );
  for (const node of fleet.nodes) expect(await node.versionFile()).toBe(version);
  expect(await fleet.lock()).toMatchObject({ state: "free" });
}

async function expectNeverMixed(fleet: LabFleet, began: Date): Promise<void> {
  const outages = (await Promise.all(fleet.nodes.map((node) => outagesOf(node, began)))).flat();
  const written = await Promise.all(fleet.nodes.map(versionWrittenAt));
  expect(outages.map(({ node }) => node)).toEqual(fleet.nodes.map(({ host }) => host.name));
  const end = ({ to }: Outage) => to?.getTime() ?? 0;
  const [first, last] = [Math.min(...written.map(Number)), Math.max(...written.map(Number))];
  for (const outage of outages) {
    expect(outage.from.getTime()).toBeLessThan(first);
    expect(end(outage)).toBeGreaterThan(last);
  }
}
