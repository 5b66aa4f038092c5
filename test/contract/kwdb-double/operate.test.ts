/** The other commands of deploy.sh, and the demo host's own systemctl and dpkg. */
import { appendFileSync, readFileSync, truncateSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { Bench, until } from "./fixture.ts";

const bench = new Bench();
let old: BuiltPackage;
let next: BuiltPackage;
beforeAll(async () => {
  old = await bench.package("3.0.0");
  next = await bench.package("3.1.0");
});
afterAll(() => bench.end());

const ready = (host: DemoHost) => until("ready", 5000, async () => (await host.readyStatus()) === 200);
const journal = (host: DemoHost) => readFileSync(host.path("/var/log/journal/kaiwudb.log"), "utf8");

describe("deploy.sh status, start, stop, cluster", () => {
  it("says what the vendor's says, exit codes included", async () => {
    const host = await bench.host(old, "single");
    const say = async (...args: readonly string[]) => {
      const done = await bench.deploy(host, next, args);
      return [done.code, ...done.said];
    };
    expect(await say("status")).toEqual([0, "[STATUS COMPLETED]:KaiwuDB is not runnning."]);
    expect(await say("stop")).toEqual([1, "[ERROR] KaiwuDB is not runnning now."]);
    expect(await say("cluster", "-s")).toEqual([1, "[ERROR] KaiwuDB is not running."]);
    expect(await say("start")).toEqual([0, "[START COMPLETED]:KaiwuDB start successfully."]);
    expect(await say("status")).toEqual([0, "[STATUS COMPLETED]:KaiwuDB is runnning now."]);
    expect(await say("start")).toEqual([1, "[ERROR] KaiwuDB is runnning now."]);
    const [code, header] = await say("cluster", "-s");
    expect([code, header]).toEqual([0, expect.stringMatching(/^id\taddress\tsql_address\tbuild/)]);
    expect(await say("uninstall")).toEqual([1, "[ERROR] Please stop KaiwuDB first."]);
    expect(await say("stop")).toEqual([0, "[STOP COMPLETED]:KaiwuDB stop successfully."]);
    expect(await say("uninstall")).toEqual([
      0,
      "[UNINSTALL COMPLETED]:KaiwuDB has been uninstalled successfully.",
    ]);
    expect(await say("status")).toEqual([1, "[ERROR] KaiwuDB does not exist. Please install KaiwuDB first."]);
  });

  it("start of 3.1 fails when the node does not serve; that of 3.0 says it did not notice", async () => {
    const host = await bench.host(old, "single");
    await host.faults({ die_after_ms: "0" });
    const polls = { KWDB_DOUBLE_POLLS: "1" };
    const failed = await bench.deploy(host, next, ["start"], polls);
    expect([failed.code, ...failed.said]).toEqual([
      1,
      "[ERROR] Start KaiwuDB failed. For more information, check kwbase log.",
    ]);
    const unnoticed = await bench.deploy(host, old, ["start"], polls);
    expect([unnoticed.code, ...unnoticed.said]).toEqual([0, "[START COMPLETED]:KaiwuDB start successfully."]);
    expect(await host.mainPid()).toBe(0);
  });
});

describe("the demo host's systemctl", () => {
  it("returns from start at once, whatever becomes of the process; codes 0, 3, 4", async () => {
    const host = await bench.host(old, "single");
    await host.faults({ die_after_ms: "300" });
    expect((await host.run("systemctl", ["start", "kaiwudb"])).code).toBe(0);
    expect((await host.run("systemctl", ["is-active", "kaiwudb"])).stdout).toBe("active\n");
    expect((await host.run("systemctl", ["status", "kaiwudb"])).code).toBe(0);
    await until("it has died", 3000, async () => (await host.mainPid()) === 0);
    const shown = await host.run("systemctl", [
      "show",
      "kaiwudb",
      "-p",
      "ActiveState,SubState,MainPID,Result,ExecMainStatus",
    ]);
    expect(shown.stdout).toBe(
      "ActiveState=failed\nSubState=failed\nMainPID=0\nResult=exit-code\nExecMainStatus=2\n",
    );
    expect((await host.run("systemctl", ["is-active", "kaiwudb"])).code).toBe(3);
    expect((await host.run("systemctl", ["status", "nosuch"])).code).toBe(4);
    expect((await host.run("systemctl", ["start", "nosuch"])).code).toBe(5);
  });

  it("runs the unit it loaded last, and warns that the file is another one", async () => {
    const host = await bench.host(old, "single");
    appendFileSync(host.path("/etc/systemd/system/kaiwudb.service"), "# edited\n");
    const needs = () =>
      host.run("systemctl", ["show", "--property", "NeedDaemonReload", "--value", "kaiwudb"]);
    expect((await needs()).stdout).toBe("yes\n");
    expect((await host.run("systemctl", ["start", "kaiwudb"])).stderr).toContain(
      "changed on disk. Run 'systemctl daemon-reload'",
    );
    await host.run("systemctl", ["daemon-reload"]);
    expect((await needs()).stdout).toBe("no\n");
  });

  it("stops with two signals, which the node takes for a hard shutdown; one signal drains", async () => {
    const host = await bench.host(old, "single");
    await host.run("systemctl", ["start", "kaiwudb"]);
    await ready(host);
    await host.run("systemctl", ["stop", "kaiwudb"]);
    expect(journal(host)).toContain("received signal 'terminated' during shutdown, initiating hard shutdown");
    expect(journal(host)).not.toContain("server drained and shutdown completed");
    expect((await host.run("systemctl", ["is-active", "kaiwudb"])).stdout).toBe("inactive\n");
    truncateSync(host.path("/var/log/journal/kaiwudb.log"));
    await host.faults({ single_stop_signal: "yes" });
    await host.run("systemctl", ["start", "kaiwudb"]);
    await ready(host);
    await host.run("systemctl", ["stop", "kaiwudb"]);
    expect(journal(host)).toMatch(
      /status: +restarted pre-existing node\n[\s\S]*initiating graceful shutdown of server\nserver drained and shutdown completed\n$/,
    );
  });

  it("kills a node that does not go, after its patience; deactivating until then", async () => {
    const host = await bench.host(old, "single");
    await host.faults({ ignore_signals: "yes", stop_timeout_ms: "800" });
    await host.run("systemctl", ["start", "kaiwudb"]);
    await ready(host);
    const stopping = host.run("systemctl", ["stop", "kaiwudb"]);
    await sleep(300);
    expect((await host.run("systemctl", ["is-active", "kaiwudb"])).stdout).toBe("deactivating\n");
    expect(await host.mainPid()).toBeGreaterThan(0);
    await stopping;
    const shown = await host.run("systemctl", ["show", "kaiwudb", "-p", "ActiveState,Result,MainPID"]);
    expect(shown.stdout).toBe("ActiveState=failed\nResult=timeout\nMainPID=0\n");
  });
});

describe("the demo host's dpkg", () => {
  const deb = (built: BuiltPackage, name: string) =>
    path.join(built.folder, "packages", `kaiwudb-${name}-3.1.0-linux-amd64.deb`);

  it("refuses a truncated package before it touches anything", async () => {
    const [host, built] = [await bench.host(old), bench.copy(next)];
    truncateSync(deb(built, "server"), 4000);
    for (const args of [["--dry-run", "-i"], ["-i"]]) {
      expect((await host.run("dpkg", [...args, deb(built, "server")])).code).toBe(1);
    }
    expect((await host.run("dpkg", ["-s", "kaiwudb-server"])).stdout).toContain("Version: 3.0.0");
  });

  it("keeps a second dpkg out while one works", async () => {
    const host = await bench.host(old);
    await host.faults({ install_ms: "800" });
    const first = host.run("dpkg", ["-i", deb(next, "libcommon")]);
    await sleep(300);
    const second = await host.run("dpkg", ["-i", deb(next, "server")]);
    expect([second.code, second.stderr]).toEqual([
      2,
      expect.stringContaining("frontend lock was locked by another process"),
    ]);
    expect((await first).code).toBe(0);
  });

  it("wants libcommon before server, and server gone before libcommon", async () => {
    const host = await bench.host(old);
    expect((await host.run("dpkg", ["-r", "kaiwudb-libcommon"])).stderr).toContain(
      "dependency problems prevent removal",
    );
    await host.run("dpkg", ["-r", "kaiwudb-server"]);
    await host.run("dpkg", ["-r", "kaiwudb-libcommon"]);
    expect((await host.run("dpkg", ["-i", deb(next, "server")])).code).toBe(1);
    expect((await host.run("dpkg", ["-r", "nosuch"])).code).toBe(0);
  });
});

describe("the package", () => {
  it("is the same to the byte when it is built again", async () => {
    const again = await bench.package("3.1.0", { out: path.join(bench.dir, "again") });
    expect(again.sha256).toBe(next.sha256);
  });

  it("takes the vendor's scripts unchanged from a folder", async () => {
    const scripts = path.join(next.folder);
    const built = await bench.package("3.1.0", { out: path.join(bench.dir, "theirs"), scripts });
    expect(readFileSync(path.join(built.folder, "deploy.sh"), "utf8")).toBe(
      readFileSync(path.join(scripts, "deploy.sh"), "utf8"),
    );
  });
});
