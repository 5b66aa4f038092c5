/** The package change with each fault of the stand-in: never done when it is not, and named by what went wrong. */
import { spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { workingIn } from "#agent/engines/kwdb/processes.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";
import { packages, target } from "./packages.ts";

let bench: Bench;
let old: BuiltPackage;
let next: BuiltPackage;
beforeAll(async () => {
  ({ bench, old, next } = await packages());
});
afterAll(() => bench.end());

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
