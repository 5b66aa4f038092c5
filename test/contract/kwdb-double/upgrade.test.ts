/** `deploy.sh upgrade -l` of the stand-in says and does what the vendor's was seen to say and do. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const bar = (label: string, percent: number) =>
  `${label.padEnd(25)}: [${"#".repeat(percent / 2).padEnd(50)}] ${percent}%\r`;
const installedVersion = (host: DemoHost) => readFileSync(host.path("/etc/kaiwudb/info/.version"), "utf8");
const binary = (host: DemoHost) => host.path("/usr/local/kaiwudb/bin/kwbase");
const binaryVersion = async (host: DemoHost) =>
  existsSync(binary(host))
    ? /Version: +(\S+)/.exec((await host.run(binary(host), ["version"])).stdout)?.[1]
    : "absent";

describe("an upgrade that succeeds", () => {
  it("prints these bytes, changes these things in this order, and leaves the service stopped", async () => {
    const host = await bench.host(old);
    const trace = bench.traced(host);
    const done = await bench.deploy(host, next, ["upgrade", "-l"], trace.env);
    expect(done.out).toBe(
      [
        bar("install check", 10),
        bar("verify packages", 20),
        bar("verify install type", 30),
        bar("version compare", 50),
        bar("whether running", 60),
        bar("upgrade", 70),
        bar("upgrade complete", 100),
        `${" ".repeat(116)}\r\u001b[1;32m[UPGRADE COMPLETED]:\u001b[0mLocal node upgrade successfully.\n`,
      ].join(""),
    );
    expect([done.code, done.err, done.orphan]).toEqual([0, "", false]);
    expect(trace.calls()).toEqual([
      "dpkg --help",
      "systemctl show --property MainPID --value kaiwudb",
      ...["kaiwudb-server", "kaiwudb-libcommon", "kwdb-server", "kwdb-libcommon"].map(
        (name) => `dpkg -r ${name}`,
      ),
      "dpkg -i ./kaiwudb-libcommon-3.1.0-linux-amd64.deb",
      "dpkg -i ./kaiwudb-server-3.1.0-linux-amd64.deb",
    ]);
    expect(installedVersion(host)).toBe("3.1.0\n");
    expect(await binaryVersion(host)).toBe("3.1.0");
    expect(existsSync(host.path("/etc/systemd/system/kaiwudb.serviceq"))).toBe(true);
    expect(await host.mainPid()).toBe(0);
    const today = readFileSync(path.join(next.folder, "log", new Date().toLocaleDateString("sv")), "utf8");
    expect(today).toBe("");
  });

  it("finds the demo host by its tools when no variable names it", async () => {
    const host = await bench.host(old);
    const running = bench.start(host, next, ["upgrade", "-l"], {}, ["KWDB_HOST_ROOT"]);
    expect([(await running.ended()).code, installedVersion(host)]).toEqual([0, "3.1.0\n"]);
  });

  it("is refused when it is run once more", async () => {
    const host = await bench.host(next);
    const again = await bench.deploy(host, next, ["upgrade", "-l"]);
    expect(again.code).toBe(1);
    expect(again.said).toEqual(["[ERROR] UPGRADE ERROR:The upgrade conditions are not met.( --> )"]);
  });
});

describe("the checks, in their order", () => {
  const refusals: readonly (readonly [string, (host: DemoHost, built: BuiltPackage) => void, string])[] = [
    [
      "no unit file",
      (host) => rmSync(host.path("/etc/systemd/system/kaiwudb.service")),
      "KaiwuDB does not exist. Please install KaiwuDB first.",
    ],
    [
      "no packages folder",
      (_, built) => rmSync(path.join(built.folder, "packages"), { recursive: true }),
      "PACKAGES: No such directory.",
    ],
    [
      "no server package",
      (_, built) => rmSync(path.join(built.folder, "packages/kaiwudb-server-3.1.0-linux-amd64.deb")),
      "Package server does not exist.",
    ],
    [
      "no libcommon package",
      (_, built) => rmSync(path.join(built.folder, "packages/kaiwudb-libcommon-3.1.0-linux-amd64.deb")),
      "Package libcommon does not exist.",
    ],
    [
      "container package",
      (_, built) => writeFileSync(path.join(built.folder, "packages/KaiwuDB.tar"), ""),
      "Current use bare, but the package is container.",
    ],
    [
      "no MODE",
      (host) => rmSync(host.path("/etc/kaiwudb/info/MODE")),
      "Current use , but the package is bare.",
    ],
    [
      "no .version in the package",
      (_, built) => rmSync(path.join(built.folder, "packages/.version")),
      "sed: can't read PACKAGES/.version: No such file or directory UPGRADE ERROR:The requested upgrade version is older than the current installed version.(current:3.0.0 new_version:)",
    ],
  ];
  it.each(refusals)(
    "%s: exit 1, said on standard output, and an orphan that keeps it open",
    async (_, spoil, message) => {
      const [host, built] = [await bench.host(old), bench.copy(next)];
      spoil(host, built);
      const done = await bench.deploy(host, built, ["upgrade", "-l"]);
      expect(done.said).toEqual([
        `[ERROR] ${message.replaceAll("PACKAGES", path.join(built.folder, "packages"))}`,
      ]);
      expect([done.code, done.err, done.orphan]).toEqual([1, "", true]);
      expect(await binaryVersion(host)).toBe("3.0.0");
      const log = readFileSync(path.join(built.folder, "log", new Date().toLocaleDateString("sv")), "utf8");
      expect(log).toMatch(/^\[ERROR\] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d /);
    },
  );

  it("writes an error as 123 blanks, CR, and a red line", async () => {
    const host = await bench.host(next);
    const done = await bench.deploy(host, old, ["upgrade", "-l"]);
    expect(done.out).toContain(
      `${" ".repeat(123)}\r\u001b[31m [ERROR] ${new Date().toLocaleDateString("sv")} `,
    );
    expect(done.out).toMatch(/new_version:3\.0\.0\) .\[0m\n$/);
  });

  it("reports a wrong version before it looks whether the node runs", async () => {
    const host = await bench.host(next, "single");
    await host.run("systemctl", ["start", "kaiwudb"]);
    const done = await bench.deploy(host, old, ["upgrade", "-l"]);
    expect(done.said).toEqual([
      expect.stringContaining("older than the current installed version.(current:3.1.0 new_version:3.0.0)"),
    ]);
  });

  it("refuses a running single node", async () => {
    const host = await bench.host(old, "single");
    await host.run("systemctl", ["start", "kaiwudb"]);
    const done = await bench.deploy(host, next, ["upgrade", "-l"]);
    expect(done.said).toEqual([
      "[ERROR] Current local node is not support online upgrade! Please stop KaiwuDB then try again.",
    ]);
    expect([done.code, installedVersion(host)]).toEqual([1, "3.0.0\n"]);
  });
});

describe("command lines", () => {
  it.each([["frobnicate"], ["upgrade", "--help"]])("%s %s: usage, exit 0", async (...args) => {
    const done = await bench.deploy(await bench.host(old), next, args);
    expect(done.code).toBe(0);
    expect(done.out).toMatch(/^Usage:/);
  });

  it("upgrade with neither -l nor -a does nothing and says nothing, exit 0", async () => {
    const host = await bench.host(old);
    const done = await bench.deploy(host, next, ["upgrade"]);
    expect([done.code, done.said, done.orphan]).toEqual([0, [], true]);
    expect(installedVersion(host)).toBe("3.0.0\n");
  });

  it("an option that getopt does not know is dropped, and the upgrade goes on", async () => {
    const host = await bench.host(old);
    const done = await bench.deploy(host, next, ["upgrade", "-l", "--bogus"]);
    expect([done.code, installedVersion(host)]).toEqual([0, "3.1.0\n"]);
  });

  it("an option that getopt knows and upgrade does not makes it spin, silent", async () => {
    const running = bench.start(await bench.host(old), next, ["upgrade", "-l", "-s"]);
    await sleep(600);
    expect(running.child.exitCode).toBeNull();
    const [user = 0] =
      readFileSync(`/proc/${running.child.pid}/stat`, "utf8")
        .split(") ")[1]
        ?.split(" ")
        .slice(11)
        .map(Number) ?? [];
    expect(user).toBeGreaterThan(10);
    running.child.kill("SIGKILL");
    expect((await running.ended()).out).toBe("");
  });

  it("--bypass-version-check downgrades", async () => {
    const host = await bench.host(next);
    const done = await bench.deploy(host, old, ["upgrade", "-l", "--bypass-version-check"]);
    expect([done.code, installedVersion(host), await binaryVersion(host)]).toEqual([0, "3.0.0\n", "3.0.0"]);
  });

  it("-a logs that the version is wrong, goes on, downgrades and calls it completed", async () => {
    const host = await bench.host(next, "single");
    await host.run("systemctl", ["start", "kaiwudb"]);
    await until("ready", 5000, async () => (await host.readyStatus()) === 200);
    const done = await bench.deploy(host, old, ["upgrade", "-a"]);
    expect([done.code, ...done.said]).toEqual([
      0,
      expect.stringContaining("older than the current installed version.(current:3.1.0 new_version:3.0.0)"),
      "[UPGRADE COMPLETED]:Cluster upgrade completed.",
    ]);
    expect([installedVersion(host), await binaryVersion(host)]).toEqual(["3.0.0\n", "3.0.0"]);
  });

  it("without a working sudo it stops on standard error", async () => {
    const host = await bench.host(old);
    await host.faults({ sudo: "broken" });
    const done = await bench.deploy(host, next, ["upgrade", "-l"]);
    const complaint = process.getuid?.() === 0 ? "Can not use command: 'sudo bash'." : "Incorrect password.";
    expect([done.code, done.err.endsWith(`${complaint}\n`)]).toEqual([1, true]);
  });
});

describe("when things go wrong", () => {
  it.each([
    ["libcommon", "absent"],
    ["server", "absent"],
  ])(
    "%s does not install: mislabelled, the old binary gone, and a second run mends it",
    async (part, left) => {
      const host = await bench.host(old);
      await host.faults({ install_fails: `${part} once` });
      const done = await bench.deploy(host, next, ["upgrade", "-l"]);
      expect([done.code, done.orphan]).toEqual([1, true]);
      expect(done.said).toEqual([
        expect.stringMatching(
          new RegExp(
            `^\\[ERROR\\] Pipe create failed: .*dpkg: error processing archive \\./kaiwudb-${part}.*\\.$`,
          ),
        ),
      ]);
      expect([await binaryVersion(host), installedVersion(host)]).toEqual([left, "3.0.0\n"]);
      expect((await bench.deploy(host, next, ["upgrade", "-l"])).code).toBe(0);
      expect([await binaryVersion(host), installedVersion(host)]).toEqual(["3.1.0", "3.1.0\n"]);
    },
  );

  it("a .version that cannot be copied is not noticed: exit 0, banner, new binary, old .version", async () => {
    const host = await bench.host(old);
    await host.faults({ version_copy: "fails once" });
    const done = await bench.deploy(host, next, ["upgrade", "-l"]);
    expect([done.code, done.said]).toEqual([0, ["[UPGRADE COMPLETED]:Local node upgrade successfully."]]);
    expect([await binaryVersion(host), installedVersion(host)]).toEqual(["3.1.0", "3.0.0\n"]);
    expect((await bench.deploy(host, next, ["upgrade", "-l"])).code).toBe(0);
    expect(installedVersion(host)).toBe("3.1.0\n");
  });

  it("a missing .version of the host reads as lower", async () => {
    const host = await bench.host(old);
    rmSync(host.path("/etc/kaiwudb/info/.version"));
    expect((await bench.deploy(host, next, ["upgrade", "-l"])).code).toBe(0);
    expect(installedVersion(host)).toBe("3.1.0\n");
  });

  it("the banner can lie", async () => {
    const host = await bench.host(old);
    await host.faults({ banner_only: "yes" });
    const done = await bench.deploy(host, next, ["upgrade", "-l"]);
    expect([done.code, done.said, installedVersion(host)]).toEqual([
      0,
      ["[UPGRADE COMPLETED]:Local node upgrade successfully."],
      "3.0.0\n",
    ]);
  });
});

describe("killed midway", () => {
  const inServerPackage = async (host: DemoHost) => {
    await host.faults({ install_ms: "600" });
    const running = bench.start(host, next, ["upgrade", "-l"]);
    await until("libcommon is in", 5000, async () =>
      existsSync(host.path("/var/lib/dpkg/installed/kaiwudb-libcommon")),
    );
    await until("the server package is being installed", 5000, async () => !existsSync(binary(host)));
    await sleep(150);
    return running;
  };

  it("SIGINT is ignored", async () => {
    const host = await bench.host(old);
    const running = await inServerPackage(host);
    running.child.kill("SIGINT");
    expect([(await running.ended()).code, installedVersion(host)]).toEqual([0, "3.1.0\n"]);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "%s to the script alone: it dies, its child goes on to the new .version",
    async (signal) => {
      const host = await bench.host(old);
      const running = await inServerPackage(host);
      running.child.kill(signal);
      await until("it is dead", 1000, async () => running.child.signalCode === signal);
      expect([installedVersion(host), await binaryVersion(host)]).toEqual(["3.0.0\n", "absent"]);
      await until("the child has finished", 5000, async () => installedVersion(host) === "3.1.0\n");
      expect(await binaryVersion(host)).toBe("3.1.0");
      expect((await running.ended()).orphan).toBe(true);
    },
  );

  it("SIGTERM to the group: stopped where it was", async () => {
    const host = await bench.host(old);
    const running = await inServerPackage(host);
    process.kill(-(running.child.pid ?? 0), "SIGTERM");
    await running.ended();
    await sleep(700);
    expect([installedVersion(host), await binaryVersion(host)]).toEqual(["3.0.0\n", "absent"]);
    await host.faults({ install_ms: "" });
    expect((await bench.deploy(host, next, ["upgrade", "-l"])).code).toBe(0);
  });

  it.each([
    [50, "3.0.0", "3.0.0"],
    [70, "3.0.0", "3.0.0"],
    ["removal", "3.0.0", "absent"],
    ["libcommon", "3.0.0", "absent"],
    ["server", "3.0.0", "3.1.0"],
    [100, "3.1.0", "3.1.0"],
  ])("the group killed at %s", async (point, version, binary) => {
    const host = await bench.host(old);
    await host.faults({ [`kill_at_${point}`]: "group" });
    expect((await bench.deploy(host, next, ["upgrade", "-l"])).signal).toBe("SIGKILL");
    expect([installedVersion(host), await binaryVersion(host)]).toEqual([`${version}\n`, binary]);
  });
});

describe("which versions may follow which", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["2.2.0", "2.2.1", ""],
    ["2.2.9", "2.2.10", ""],
    ["3.0.0", "3.1.0", ""],
    ["2.2.0", "3.0.0", ""],
    [
      "2.2.1",
      "2.2.0",
      "UPGRADE ERROR:The requested upgrade version is older than the current installed version.(current:2.2.1 new_version:2.2.0)",
    ],
    ["3.1.0", "3.1.0", "UPGRADE ERROR:The upgrade conditions are not met.( --> )"],
    [
      "3.1.0 hotfix1",
      "3.1.0 hotfix1",
      "UPGRADE ERROR:The upgrade conditions are not met.(hotfix1 --> hotfix1)",
    ],
    ["3.1.0", "3.1.0 beta1", "UPGRADE ERROR:Official version can not upgrade to beta1."],
    ["3.1.0 beta1", "3.1.0 alpha1", "UPGRADE ERROR:The upgrade conditions are not met.(beta1 --> alpha1)"],
    [
      "3.1.0 hotfix1",
      "3.1.0 enhance1",
      "WARNING:This version upgrade is not supported, and if you continue to upgrade, you can use the --bypass-version-check option to re-execute the upgrade command to skip the version comparison check.",
    ],
    [
      "3.1.0 hotfix1",
      "3.1.0 hotfix2",
      "WARNING:This version upgrade is not supported, and if you continue to upgrade, you can use the --bypass-version-check option to re-execute the upgrade command to skip the version comparison check.",
    ],
    ["3.1.0 alpha1", "3.1.0 beta1", ""],
    ["3.1.0 beta1", "3.1.0", ""],
    ["3.1.0", "3.1.0 hotfix1", ""],
    ["3.1.0 patch1", "3.1.0 patch2", ""],
    ["3.1.0 hotfix1", "3.1.0", ""],
    [
      "V3.0.0",
      "3.1.0",
      "UPGRADE ERROR:The requested upgrade version is older than the current installed version.(current:V3.0.0 new_version:3.1.0)",
    ],
  ];
  it("answers each row of the table", async () => {
    const [host, built] = [await bench.host(old), bench.copy(next)];
    await host.faults({ banner_only: "yes" });
    for (const [from, to, text] of rows) {
      writeFileSync(host.path("/etc/kaiwudb/info/.version"), `${from.replace(" ", "\n")}\n`);
      writeFileSync(path.join(built.folder, "packages/.version"), `${to.replace(" ", "\n")}\n`);
      const done = await bench.deploy(host, built, ["upgrade", "-l"]);
      const expected =
        text === "" ? [0, "[UPGRADE COMPLETED]:Local node upgrade successfully."] : [1, `[ERROR] ${text}`];
      expect([from, to, done.code, ...done.said]).toEqual([from, to, ...expected]);
    }
  });
});
