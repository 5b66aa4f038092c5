/**
 * Every verb of KWDB on demo hosts, well and with each fault of the stand-in. What a user would lose: a step that
 * says done and is not, or a failure that names something else than what went wrong.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { workingIn } from "#agent/engines/kwdb/processes.ts";
import { startCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { Bench } from "../kwdb-double/fixture.ts";
import { KwdbDriver } from "./kwdb-driver.ts";

const bench = new Bench();
let old: BuiltPackage;
let next: BuiltPackage;
beforeAll(async () => {
  old = await bench.package("3.0.0");
  next = await bench.package("3.1.0");
});
afterAll(() => bench.end());

/** A package's copy, changed, packed again: what it is called by is the digest of what it then is. */
function packed(
  built: BuiltPackage,
  change: (folder: string) => void,
): { readonly file: string; readonly digest: string } {
  const folder = mkdtempSync(path.join(bench.dir, "packed-"));
  const tree = path.join(folder, path.basename(built.folder));
  cpSync(built.folder, tree, { recursive: true });
  change(tree);
  const file = path.join(folder, "package.tar.gz");
  execFileSync("tar", ["-czf", file, "-C", folder, path.basename(tree)]);
  return { file, digest: digestOf(file) };
}

function digestOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function debIn(folder: string, part: string): string {
  const name = readdirSync(path.join(folder, "packages")).find((each) => each.includes(part)) ?? "";
  return path.join(folder, "packages", name);
}

const target = { version: "3.1.0" };

describe("a package on its way to the node", () => {
  async function driver(): Promise<KwdbDriver> {
    const made = new KwdbDriver(await bench.host(old), bench.dir);
    made.artefacts.set(next.sha256, next.tarball);
    return made;
  }

  it("is staged, proven, left as it is when it is there, and mended when a file was changed", async () => {
    const agent = await driver();
    const given = { digest: next.sha256, ...target };
    expect(await agent.run("stage-package", given)).toMatchObject({ result: "done" });
    expect(await agent.run("prove-package", { ...given, extended: "" })).toMatchObject({ result: "done" });
    expect(await agent.run("stage-package", given)).toMatchObject({ outputs: { found: "staged before" } });
    expect(await agent.outcome("prove-digest", { digest: next.sha256 })).toBe("done");
    expect((await agent.fullFacts()).keptPackages).toMatchObject({
      value: [{ version: "3.1.0", sha256: next.sha256 }],
    });

    const deb = debIn(path.join(agent.stateDir, "packages", next.sha256, "tree/kwdb_install"), "server");
    writeFileSync(deb, "changed");
    expect(await agent.run("prove-digest", { digest: next.sha256 })).toMatchObject({
      failure: { code: "kwdb.package-changed", facts: { file: expect.stringContaining("server") } },
    });
    expect(await agent.outcome("stage-package", given)).toBe("done");
    expect(await agent.outcome("prove-digest", { digest: next.sha256 })).toBe("done");
  });

  it("of the old version is kept by its digest, and only as what it is", async () => {
    const agent = await driver();
    agent.artefacts.set(old.sha256, old.tarball);
    const kept = { digest: old.sha256, version: "3.0.0" };
    expect(await agent.outcome("prove-kept", kept)).toBe("kwdb.old-package-differs");
    expect(await agent.outcome("stage-package", kept)).toBe("done");
    expect(await agent.outcome("stage-package", { digest: next.sha256, ...target })).toBe("done");
    expect(await agent.outcome("prove-kept", kept)).toBe("done");
    expect(await agent.outcome("prove-kept", { ...kept, version: "2.2.0" })).toBe("kwdb.old-package-differs");
  });

  it("is not staged under a digest that it has not", async () => {
    const agent = await driver();
    agent.artefacts.set(next.sha256, old.tarball);
    expect(await agent.outcome("stage-package", { digest: next.sha256, ...target })).toBe(
      "artefact.digest-differs",
    );
    expect(await agent.outcome("prove-package", { digest: next.sha256, ...target, extended: "" })).toBe(
      "kwdb.package-without-script",
    );
  });

  it.each<[string, string, (file: string) => void]>([
    ["truncated", "kwdb.package-not-unpacked", (file) => truncateSync(file, 4_000)],
    ["no archive", "kwdb.package-not-unpacked", (file) => writeFileSync(file, "hello")],
    ["empty", "kwdb.package-not-unpacked", (file) => writeFileSync(file, "")],
  ])("that is %s is not staged", async (_, code, spoil) => {
    const agent = await driver();
    const { file } = packed(next, () => undefined);
    spoil(file);
    const digest = digestOf(file);
    agent.artefacts.set(digest, file);
    expect(await agent.outcome("stage-package", { digest, ...target })).toBe(code);
    expect(existsSync(path.join(agent.stateDir, "packages", digest))).toBe(false);
  });

  it("without the vendor's script is not staged", async () => {
    const agent = await driver();
    const { file, digest } = packed(next, (folder) => rmSync(path.join(folder, "deploy.sh")));
    agent.artefacts.set(digest, file);
    expect(await agent.outcome("stage-package", { digest, ...target })).toBe("kwdb.package-without-script");
  });

  it.each<[string, string, (folder: string) => void]>([
    [
      "of another version",
      "kwdb.package-version",
      (folder) => writeFileSync(path.join(folder, "packages/.version"), "3.0.1\n"),
    ],
    [
      "of a tag that nobody asked for",
      "kwdb.package-version",
      (folder) => writeFileSync(path.join(folder, "packages/.version"), "3.1.0\nbeta1\n"),
    ],
    [
      "that tells no version",
      "kwdb.package-without-version",
      (folder) => rmSync(path.join(folder, "packages/.version")),
    ],
    [
      "without its packages",
      "kwdb.package-without-packages",
      (folder) => rmSync(path.join(folder, "packages"), { recursive: true }),
    ],
    ["without libcommon", "kwdb.package-part", (folder) => rmSync(debIn(folder, "libcommon"))],
    [
      "with two servers",
      "kwdb.package-part",
      (folder) => cpSync(debIn(folder, "server"), path.join(folder, "packages/kaiwudb-server-2.deb")),
    ],
    [
      "with a truncated .deb",
      "kwdb.package-not-installable",
      (folder) => truncateSync(debIn(folder, "server"), 900),
    ],
    [
      "for containers",
      "kwdb.package-is-container",
      (folder) => writeFileSync(path.join(folder, "packages/KaiwuDB.tar"), ""),
    ],
    [
      "for the other package tool",
      "kwdb.package-of-other-kind",
      (folder) => {
        for (const part of ["server", "libcommon"]) {
          rmSync(debIn(folder, part));
          writeFileSync(path.join(folder, `packages/kaiwudb-${part}.rpm`), "");
        }
      },
    ],
  ])("%s is not proven", async (_, code, spoil) => {
    const agent = await driver();
    const { file, digest } = packed(next, spoil);
    agent.artefacts.set(digest, file);
    expect(await agent.outcome("stage-package", { digest, ...target })).toBe("done");
    expect(await agent.outcome("prove-package", { digest, ...target, extended: "" })).toBe(code);
  });

  it("built for containers is not proven", async () => {
    const agent = await driver();
    const built = await bench.package("3.1.0", { kind: "container" });
    agent.artefacts.set(built.sha256, built.tarball);
    const given = { digest: built.sha256, ...target };
    expect(await agent.outcome("stage-package", given)).toBe("done");
    expect(await agent.outcome("prove-package", { ...given, extended: "" })).toBe(
      "kwdb.package-is-container",
    );
  });

  it("is kept beside a few before it, and the oldest go", async () => {
    const agent = await driver();
    const digests: string[] = [];
    for (const note of ["1", "2", "3", "4", "5", "6"]) {
      const { file, digest } = packed(next, (folder) => writeFileSync(path.join(folder, "note"), note));
      agent.artefacts.set(digest, file);
      digests.push(digest);
      expect(await agent.outcome("stage-package", { digest, ...target })).toBe("done");
      await sleep(20);
    }
    const kept = readdirSync(path.join(agent.stateDir, "packages"));
    expect(kept).toContain(digests.at(-1));
    expect(kept).toHaveLength(5);
    expect(kept).not.toContain(digests[0]);
  });
});

describe("the archive of a stopped node's data", () => {
  const label = { label: "db1-3.0.0-to-3.1.0" };
  const file = `/backup/${label.label}.tar`;

  async function withFolder(): Promise<{ readonly agent: KwdbDriver; readonly host: DemoHost }> {
    const host = await bench.host(old);
    mkdirSync(host.path("/backup"));
    writeFileSync(host.path("/var/lib/kaiwudb/data"), "first");
    return { host, agent: new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } }) };
  }

  const dataIn = (host: DemoHost, name: string) =>
    execFileSync("tar", ["-xOf", host.path(name), "./data"], { encoding: "utf8" });

  it("is made whole, for no other eyes; one from before is kept beside it", async () => {
    const { agent, host } = await withFolder();
    expect((await agent.fullFacts()).archive).toMatchObject({
      value: { folder: "/backup", dataBytes: expect.any(Number) },
    });
    expect(await agent.run("archive-data", label)).toMatchObject({ result: "done", outputs: { file } });
    expect(dataIn(host, file)).toBe("first");
    expect(statSync(host.path(file)).mode & 0o777).toBe(0o600);
    expect(readdirSync(host.path("/backup"))).toEqual([path.basename(file)]);

    writeFileSync(host.path("/var/lib/kaiwudb/data"), "second");
    agent.attempt = 2;
    expect(await agent.run("archive-data", label)).toMatchObject({ outputs: { found: "archived before" } });
    expect(dataIn(host, file)).toBe("first");
    agent.attempt = 1;
    expect(await agent.outcome("archive-data", label)).toBe("done");
    expect([dataIn(host, file), dataIn(host, `${file}.before`)]).toEqual(["second", "first"]);
  });

  it("is not made without a folder, or where there is none", async () => {
    const plain = new KwdbDriver(await bench.host(old), bench.dir);
    expect(await plain.outcome("archive-data", label)).toBe("kwdb.archive-not-configured");
    const { agent, host } = await withFolder();
    rmSync(host.path("/backup"), { recursive: true });
    expect(await agent.outcome("archive-data", label)).toBe("file.unreadable");
    expect((await agent.fullFacts()).archive).toHaveProperty("unknown");
  });
});

/** A small file system of its own, where this user may mount one. */
function smallDisk(folder: string, kib: number): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "small", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("a full disk", () => {
  const mounted: string[] = [];
  const mayMount = process.getuid?.() === 0;
  afterEach(() => {
    for (const folder of mounted.splice(0)) execFileSync("umount", ["-l", folder]);
  });

  it.runIf(mayMount)("under the agent's folder keeps the package out, whole or not at all", async () => {
    const folder = path.join(bench.dir, "small-state");
    if (!smallDisk(folder, 512)) return;
    mounted.push(folder);
    const agent = new KwdbDriver(await bench.host(old), bench.dir, { stateDir: folder });
    agent.artefacts.set(next.sha256, next.tarball);
    expect(await agent.outcome("stage-package", { digest: next.sha256, ...target })).toBe("artefact.no-room");
  });

  it.runIf(mayMount)("under the programs is found before anything is removed", async () => {
    const host = await bench.host(old);
    const agent = new KwdbDriver(host, bench.dir);
    agent.artefacts.set(next.sha256, next.tarball);
    await agent.run("stage-package", { digest: next.sha256, ...target });
    if (!smallDisk(host.path("/usr/local"), 512)) return;
    mounted.push(host.path("/usr/local"));
    expect(await agent.outcome("prove-package", { digest: next.sha256, ...target, extended: "" })).toBe(
      "kwdb.package-no-room",
    );
  });
});

describe("the package change", () => {
  const given = () => ({ digest: next.sha256, ...target });

  async function staged(): Promise<{
    readonly agent: KwdbDriver;
    readonly host: DemoHost;
    readonly folder: string;
  }> {
    const host = await bench.host(old);
    const agent = new KwdbDriver(host, bench.dir);
    agent.artefacts.set(next.sha256, next.tarball);
    await agent.run("stage-package", given());
    const folder = path.join(agent.stateDir, "packages", next.sha256, "tree/kwdb_install");
    return { agent, host, folder };
  }

  it("is done when version file and binary say so, and its probe knows", async () => {
    const { agent } = await staged();
    expect(await agent.probe("upgrade-package", given())).toEqual({ state: "not-done" });
    expect(await agent.outcome("prove-files", target)).toBe("kwdb.upgrade-not-done");
    expect(await agent.run("upgrade-package", given())).toMatchObject({
      result: "done",
      outputs: { file: "3.1.0", binary: "3.1.0", exitCode: "0" },
    });
    expect(await agent.probe("upgrade-package", given())).toMatchObject({ state: "done" });
    expect(await agent.outcome("prove-files", target)).toBe("done");
    expect(await agent.outcome("prove-digest", { digest: next.sha256 })).toBe("done");
  });

  it.each([
    [
      "libcommon does not install",
      { install_fails: "libcommon" },
      { versionFile: "3.0.0", binary: "none", exitCode: "1", cause: /^package installation failed: / },
    ],
    [
      "the server does not install",
      { install_fails: "server" },
      { versionFile: "3.0.0", binary: "none", exitCode: "1", cause: /^package installation failed: / },
    ],
    [
      "it prints success and has changed nothing",
      { banner_only: "yes" },
      { versionFile: "3.0.0", binary: "3.0.0", exitCode: "0", cause: /UPGRADE COMPLETED/ },
    ],
    [
      "the disk is full when the version file is copied",
      { version_copy: "fails" },
      { versionFile: "3.0.0", binary: "3.1.0", exitCode: "0", cause: /UPGRADE COMPLETED/ },
    ],
    [
      "sudo does not work",
      { sudo: "broken" },
      { versionFile: "3.0.0", binary: "3.0.0", exitCode: "1", cause: /sudo bash|Incorrect password/ },
    ],
    [
      "its main process is killed while packages are installed",
      { kill_at_70: "main", install_ms: "1500" },
      { versionFile: "3.0.0", exitCode: "137" },
    ],
    ["all of it is killed", { kill_at_70: "group", install_ms: "1500" }, { versionFile: "3.0.0" }],
  ])("is not done when %s; once that is mended it can be done again", async (_, faults, facts) => {
    const { agent, host, folder } = await staged();
    await host.faults(faults);
    const told = await agent.run("upgrade-package", given());
    expect(told).toMatchObject({ result: "failed", failure: { code: "kwdb.upgrade-not-done" } });
    for (const [name, wanted] of Object.entries(facts)) {
      const found = told.result === "failed" ? told.failure.facts[name] : undefined;
      expect(found).toMatch(wanted);
    }
    // the orphan of the progress bar, and children that go on, have ended with the step
    expect(await workingIn(folder)).toEqual([]);
    expect(await agent.probe("upgrade-package", given())).toEqual({ state: "not-done" });
    await host.faults({});
    expect(await agent.outcome("upgrade-package", given())).toBe("done");
  });

  it("with a package for containers fails by the script's own refusal and changes nothing", async () => {
    const { agent } = await staged();
    const built = await bench.package("3.1.0", { kind: "container" });
    agent.artefacts.set(built.sha256, built.tarball);
    await agent.run("stage-package", { digest: built.sha256, ...target });
    expect(await agent.run("upgrade-package", { digest: built.sha256, ...target })).toMatchObject({
      failure: {
        code: "kwdb.upgrade-not-done",
        facts: { binary: "3.0.0", cause: "Current use bare, but the package is container." },
      },
    });
  });

  it("is not begun while another installation is at work, and nothing was touched", async () => {
    const { agent, host } = await staged();
    const other = spawn("bash", ["-c", "exec -a dpkg sleep 60"], { cwd: host.root, stdio: "ignore" });
    try {
      await sleep(200);
      expect(await agent.run("upgrade-package", given())).toMatchObject({
        failure: { code: "kwdb.foreign-installer", facts: { found: `${other.pid} dpkg` } },
      });
      expect(await agent.outcome("prove-files", { version: "3.0.0" })).toBe("done");
    } finally {
      other.kill("SIGKILL");
    }
  });

  it("cannot be judged while a script of this package still works: its probe says so", async () => {
    const { agent, host, folder } = await staged();
    await host.faults({ install_ms: "2000" });
    const running = agent.run("upgrade-package", given());
    await expect.poll(() => workingIn(folder), { timeout: 10_000 }).not.toEqual([]);
    expect(await agent.probe("upgrade-package", given())).toMatchObject({
      state: "unknown",
      failure: { code: "kwdb.upgrade-still-running" },
    });
    expect(await running).toMatchObject({ result: "done" });
  });

  it("without its package, or with arguments that are none, does not begin", async () => {
    const { agent } = await staged();
    expect(await agent.outcome("upgrade-package", { digest: "0".repeat(64), ...target })).toBe(
      "kwdb.package-without-script",
    );
    await expect(agent.run("upgrade-package", { digest: "../..", ...target })).rejects.toThrow();
    await expect(agent.run("upgrade-package", { ...given(), version: "3.1.0; reboot" })).rejects.toThrow();
    await expect(agent.run("upgrade-package", { ...given(), flag: "-a" })).rejects.toThrow();
  });
});

describe("a node of three", () => {
  const names = ["db1", "db2", "db3"] as const;
  let hosts: readonly DemoHost[] = [];
  let agents: readonly KwdbDriver[] = [];
  const versions = { version: "3.0.0", target: "3.1.0" };
  const ready = { waitMs: "20000", stableMs: "300" };

  beforeAll(async () => {
    hosts = await bench.hosts(old, names, 0.3);
    await startCluster(hosts);
    agents = hosts.map((host) => new KwdbDriver(host, bench.dir));
  }, 90_000);
  afterEach(async () => {
    await Promise.all(hosts.map((host) => host.faults({})));
  });

  function node(name: (typeof names)[number]): {
    readonly host: DemoHost;
    readonly agent: KwdbDriver;
    readonly peers: string;
  } {
    const at = names.indexOf(name);
    const [host, agent] = [hosts[at], agents[at]];
    if (host === undefined || agent === undefined) throw new Error("no cluster");
    return { host, agent, peers: peersOf(agent) };
  }

  function peersOf(agent: KwdbDriver): string {
    const others = hosts.filter((_, at) => agents[at] !== agent);
    return others.map(({ options: { ip, ports } }) => `${ip}:${ports.sql}`).join(",");
  }

  /** Until this node sees all as well again. */
  async function allWell(): Promise<void> {
    for (const agent of agents) {
      const look = () => agent.run("look-around", { ...versions, peers: peersOf(agent) });
      await expect.poll(look, { timeout: 40_000, interval: 300 }).toMatchObject({ result: "done" });
    }
  }

  it("says what it is, at three depths, and every value is measured", async () => {
    const { agent, host } = node("db1");
    await host.faults({ clients: "10.9.0.7:5001,10.9.0.7:5002" });
    expect(await agent.facts("pulse")).toMatchObject({ ready: { value: true } });
    const full = await agent.fullFacts();
    const unknown = Object.entries(full).filter(([, value]) => "unknown" in value);
    expect(unknown).toEqual([]);
    expect(full).toMatchObject({
      versionFile: { value: { basic: "3.0.0" } },
      running: { value: { version: "3.0.0", pid: await host.mainPid() } },
      ranges: { value: { unavailable: 0, underReplicated: 0 } },
      mode: { value: { topology: "multi-replication", address: "127.0.0.1" } },
      startModeFile: { value: "start" },
      sudo: { value: true },
      foreign: { value: [] },
      packageTool: { value: "dpkg" },
      upgradeCompleteFlag: { value: false },
      archive: { notApplicable: expect.any(String) },
    });
    expect("value" in full.nodes && full.nodes.value.map(({ id, draining }) => [id, draining])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect("value" in full.settings && full.settings.value["server.time_until_store_dead"]).toBe("30m0s");
    await expect
      .poll(async () => (await agent.fullFacts()).sessions, { timeout: 20_000 })
      .toMatchObject({ value: [{ nodeId: 1, client: "10.9.0.7", count: 2 }] });
  });

  it("tells sudo that does not work", async () => {
    const { agent, host } = node("db1");
    await host.faults({ sudo: "broken" });
    expect((await agent.fullFacts()).sudo).toMatchObject({ value: false });
  });

  it("looks around, and minds versions, replicas, and a drained or dead peer", async () => {
    const { agent } = node("db1");
    const other = node("db2");
    await allWell();
    expect(
      await agent.outcome("look-around", { version: "2.2.0", target: "2.2.1", peers: peersOf(agent) }),
    ).toBe("kwdb.cluster-not-healthy");
    await other.host.faults({ underreplicated_ranges: "3" });
    await expect
      .poll(() => agent.outcome("look-around", { ...versions, peers: peersOf(agent) }), { timeout: 20_000 })
      .toBe("kwdb.ranges-not-well");
    await other.host.faults({});
    await allWell();

    expect(await other.agent.outcome("drain", { waitMs: "20000" })).toBe("done");
    await expect
      .poll(() => agent.run("look-around", { ...versions, peers: peersOf(agent) }), { timeout: 10_000 })
      .toMatchObject({
        failure: { code: "kwdb.cluster-not-healthy", facts: { row: expect.stringContaining("draining") } },
      });
    expect(await other.agent.outcome("stop")).toBe("done");
    await expect
      .poll(() => agent.run("look-around", { ...versions, peers: peersOf(agent) }), { timeout: 20_000 })
      .toMatchObject({ failure: { facts: { row: expect.stringContaining("is_available false") } } });
    expect(await other.agent.outcome("restart")).toBe("done");
    await allWell();
  });

  it("is drained: not when it takes too long, again without harm, and a restart takes the mark away", async () => {
    const { agent, host } = node("db2");
    const wait = { waitMs: "1000" };
    expect(await agent.probe("drain", wait)).toEqual({ state: "not-done" });
    await host.faults({ drain_ms: "60000" });
    expect(await agent.outcome("drain", wait)).toBe("kwdb.drain-timeout");
    await host.faults({});
    expect(await agent.outcome("drain", { waitMs: "20000" })).toBe("done");
    // drained once more, it says so at once
    expect(await agent.outcome("drain", { waitMs: "20000" })).toBe("done");
    expect(await agent.probe("restart")).toEqual({ state: "not-done" });
    expect(await agent.outcome("restart")).toBe("done");
    await expect.poll(() => agent.probe("restart"), { timeout: 20_000 }).toMatchObject({ state: "done" });
    await allWell();
  });

  it("is not upgraded while it runs, whatever the script would do", async () => {
    const { agent } = node("db2");
    agent.artefacts.set(next.sha256, next.tarball);
    await agent.run("stage-package", { digest: next.sha256, ...target });
    expect(await agent.outcome("upgrade-package", { digest: next.sha256, ...target })).toBe(
      "kwdb.upgrade-of-running",
    );
    expect(await agent.outcome("prove-stopped")).toBe("kwdb.service-not-stopped");
    const archiving = new KwdbDriver(node("db2").host, bench.dir, { settings: { archiveDir: "/" } });
    expect(await archiving.outcome("archive-data", { label: "x" })).toBe("kwdb.archive-of-running");
    expect(await agent.probe("stop")).toEqual({ state: "not-done" });
    expect(await agent.probe("start")).toMatchObject({ state: "done" });
  });

  it("reports on good runs of COMPRESS and RETENTION, and fails for none", async () => {
    const { agent, host } = node("db1");
    const none = "no such job is known";
    expect(await agent.run("report-jobs", { waitMs: "0" })).toMatchObject({
      result: "done",
      outputs: { COMPRESS: none, RETENTION: none },
    });
    await host.faults({ compress_job: "failed", retention_job: "succeeded" });
    await expect
      .poll(() => agent.run("report-jobs", { waitMs: "0" }), { timeout: 20_000 })
      .toMatchObject({
        result: "done",
        outputs: {
          "not-seen.COMPRESS": expect.stringMatching(/^no good run yet since 20/),
          RETENTION: expect.stringMatching(/^a good run at 20/),
        },
      });
  });

  it("is not stopped while its port is open to anyone", async () => {
    const { agent, host } = node("db2");
    await agent.run("stop");
    const other = createServer().listen(host.options.ports.sql, "127.0.0.1");
    await once(other, "listening");
    expect(await agent.outcome("prove-stopped")).toBe("kwdb.port-open");
    other.close();
    await once(other, "close");
    expect(await agent.outcome("prove-stopped")).toBe("done");
    expect(await agent.outcome("start")).toBe("done");
    await allWell();
  });

  it("has its configuration saved, with certificates and unit, and again over the old one", async () => {
    const { agent } = node("db2");
    for (const _ of [1, 2]) {
      const saved = await agent.run("save-configuration", { label: "db2-3.0.0-to-3.1.0" });
      expect(saved).toMatchObject({ result: "done" });
      const folder = path.join(agent.stateDir, "saved/db2-3.0.0-to-3.1.0");
      const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8")) as object;
      expect(Object.keys(manifest)).toEqual(expect.arrayContaining(["kaiwudb/info/MODE", "kaiwudb.service"]));
    }
    await expect(agent.run("save-configuration", { label: "../../etc" })).rejects.toThrow();
  });

  it("goes the whole way, and each proof holds only once it is true", async () => {
    const { agent, host, peers } = node("db3");
    agent.artefacts.set(next.sha256, next.tarball);
    const given = { digest: next.sha256, ...target };
    expect(await agent.outcome("stage-package", given)).toBe("done");
    await allWell();
    expect(await agent.outcome("prove-seen", { ...target, peers, waitMs: "0" })).toBe("kwdb.row-not-well");
    expect(await agent.outcome("prove-version", target)).toBe("kwdb.node-version");
    expect(await agent.outcome("prove-ready", { ...target, waitMs: "0", stableMs: "0" })).toBe(
      "kwdb.row-not-well",
    );
    for (const [verb, args] of [
      ["drain", { waitMs: "20000" }],
      ["stop", {}],
      ["prove-stopped", {}],
      ["upgrade-package", given],
      ["prove-files", target],
      ["reload-units", {}],
    ] as const)
      expect([verb, await agent.outcome(verb, args)]).toEqual([verb, "done"]);
    expect(await agent.outcome("prove-version", target)).toBe("kwdb.not-running");
    expect(await agent.outcome("prove-seen", { ...target, peers, waitMs: "0" })).toBe("kwdb.row-not-well");

    await host.faults({ never_ready: "yes" });
    expect(await agent.outcome("start")).toBe("done");
    expect(await agent.outcome("prove-ready", { ...target, waitMs: "1500", stableMs: "300" })).toBe(
      "kwdb.node-not-ready",
    );
    expect(await agent.outcome("stop")).toBe("done");

    await host.faults({ die_after_ms: "300" });
    await agent.run("start");
    expect(await agent.outcome("prove-ready", { ...target, ...ready })).toBe("kwdb.node-not-running");
    await host.faults({});

    expect(await agent.outcome("start")).toBe("done");
    expect(await agent.outcome("prove-ready", { ...target, ...ready })).toBe("done");
    expect(await agent.outcome("prove-seen", { ...target, peers, waitMs: "20000" })).toBe("done");
    expect(await agent.run("prove-version", target)).toMatchObject({
      result: "done",
      outputs: { running: "3.1.0", executableSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    await allWell();
  });

  it("that is tried again while it is down by our own deed is brought back", async () => {
    const { agent, peers } = node("db3");
    await allWell();
    await agent.run("stop");
    expect(await agent.outcome("look-around", { ...versions, peers })).toBe("kwdb.client-failed");
    agent.attempt = 2;
    try {
      expect(await agent.run("look-around", { ...versions, peers })).toMatchObject({
        result: "done",
        outputs: { from: expect.stringContaining("127.0.0.") },
      });
      expect(await agent.probe("drain", { waitMs: "1000" })).toMatchObject({ state: "done" });
    } finally {
      agent.attempt = 1;
      await agent.run("start");
    }
    await allWell();
  });

  it("is not seen by peers that are not there", async () => {
    const { agent } = node("db3");
    const peers = "127.0.0.1:1";
    expect(await agent.run("prove-seen", { ...target, peers, waitMs: "0" })).toMatchObject({
      failure: { code: "kwdb.client-failed", facts: { from: peers } },
    });
  });

  it("whose binary is gone does not start, and is told so at once", async () => {
    const { agent, host } = node("db2");
    await agent.run("stop");
    const binary = host.path("/usr/local/kaiwudb/bin/kwbase");
    const aside = `${binary}.aside`;
    cpSync(binary, aside);
    rmSync(binary);
    expect(await agent.outcome("start")).toBe("kwdb.service-not-started");
    expect(await agent.outcome("prove-files", { version: "3.0.0" })).toBe("kwdb.upgrade-not-done");
    cpSync(aside, binary);
    expect(await agent.outcome("start")).toBe("done");
  });

  it("that does not hear signals is stopped all the same, by systemd's patience", async () => {
    const { agent, host } = node("db2");
    await host.faults({ ignore_signals: "yes", stop_timeout_ms: "500" });
    await agent.run("restart");
    expect(await agent.outcome("stop")).toBe("done");
    expect(await agent.outcome("prove-stopped")).toBe("done");
  });
});
