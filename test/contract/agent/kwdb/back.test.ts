/** The way back at the agent: the old package and the saved configuration, on a host that an upgrade has changed. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

const before = { version: "3.0.0" };
const label = "db1-3.0.0-to-3.1.0";
const saved = { label, rollout: "r1" };
const backPackage = () => ({ digest: old.sha256, ...before });

interface Staged {
  readonly agent: KwdbDriver;
  readonly host: DemoHost;
}

/** Both packages on the node, its configuration saved, and nothing changed yet. */
async function staged(): Promise<Staged> {
  const host = await bench.host(old);
  const agent = new KwdbDriver(host, bench.dir);
  for (const built of [old, next]) agent.artefacts.set(built.sha256, built.tarball);
  await agent.run("stage-package", backPackage());
  await agent.run("stage-package", { digest: next.sha256, ...target });
  writeFileSync(host.path("/etc/kaiwudb/certs/node.key"), "secret", { mode: 0o600 });
  expect(await agent.outcome("save-configuration", { label })).toBe("done");
  return { agent, host };
}

async function upgraded(faults: Readonly<Record<string, string>> = {}): Promise<Staged> {
  const both = await staged();
  await both.host.faults(faults);
  await both.agent.run("upgrade-package", { digest: next.sha256, ...target });
  await both.host.faults({});
  return both;
}

describe("the old package, put back", () => {
  it("is there after an upgrade, by version file and binary, and its probe knows before and after", async () => {
    const { agent } = await upgraded();
    expect(await agent.outcome("prove-files", target)).toBe("done");
    expect(await agent.probe("restore-package", backPackage())).toEqual({ state: "not-done" });
    expect(await agent.run("restore-package", backPackage())).toMatchObject({
      result: "done",
      outputs: { file: "3.0.0", binary: "3.0.0" },
    });
    expect(await agent.probe("restore-package", backPackage())).toMatchObject({ state: "done" });
    expect(await agent.outcome("prove-files", before)).toBe("done");
  });

  it.each([
    ["libcommon did not install", { install_fails: "libcommon" }],
    ["the server did not install", { install_fails: "server" }],
    ["the version file was not copied", { version_copy: "fails" }],
  ])("is there after an upgrade in which %s", async (_, faults) => {
    const { agent } = await upgraded(faults);
    expect(await agent.outcome("restore-package", backPackage())).toBe("done");
    expect(await agent.outcome("prove-files", before)).toBe("done");
  });

  it("takes the tool that the script takes, in the script's order, and leaves data and configuration alone", async () => {
    const { agent, host } = await upgraded();
    writeFileSync(host.path("/var/lib/kaiwudb/data"), "rows");
    const log = host.path("/tmp/dpkg.log");
    const dpkg = host.path("/host-bin/dpkg");
    const real = readFileSync(dpkg, "utf8");
    writeFileSync(dpkg, real.replace("#!/bin/bash\n", `#!/bin/bash\necho "$*" >>${log}\n`));
    expect(await agent.outcome("restore-package", backPackage())).toBe("done");
    const asked = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => /^-[ri] /.test(line));
    expect(asked.slice(0, 4)).toEqual([
      "-r kaiwudb-server",
      "-r kaiwudb-libcommon",
      "-r kwdb-server",
      "-r kwdb-libcommon",
    ]);
    expect(asked.slice(4).map((line) => /^-i \.\/kaiwudb-(\w+)/.exec(line)?.[1])).toEqual([
      "libcommon",
      "server",
    ]);
    expect(readFileSync(host.path("/var/lib/kaiwudb/data"), "utf8")).toBe("rows");
    expect(readFileSync(host.path("/etc/kaiwudb/certs/node.key"), "utf8")).toBe("secret");
  });

  it("is not said to be there when its server does not install; both ways are open from there", async () => {
    const { agent, host } = await upgraded();
    await host.faults({ install_fails: "server once" });
    expect(await agent.run("restore-package", backPackage())).toMatchObject({
      result: "failed",
      failure: {
        code: "kwdb.old-package-not-installed",
        facts: { versionFile: "3.0.0", binary: "none", cause: expect.stringMatching(/No space left|error/) },
      },
    });
    expect(await agent.probe("restore-package", backPackage())).toEqual({ state: "not-done" });
    expect(await agent.outcome("upgrade-package", { digest: next.sha256, ...target })).toBe("done");
    expect(await agent.outcome("restore-package", backPackage())).toBe("done");
  });

  it("touches nothing while the database runs", async () => {
    const { agent, host } = await upgraded();
    await host.run("systemctl", ["start", "kaiwudb"]);
    try {
      expect(await agent.outcome("restore-package", backPackage())).toBe("kwdb.upgrade-of-running");
      expect(await agent.outcome("prove-files", target)).toBe("done");
    } finally {
      await host.run("systemctl", ["stop", "kaiwudb"]);
    }
  });

  it("is not taken from a package that was changed since it was kept", async () => {
    const { agent } = await upgraded();
    appendFileSync(
      path.join(agent.stateDir, "packages", old.sha256, "tree/kwdb_install/packages/.version"),
      "beta1\n",
    );
    expect(await agent.outcome("restore-package", backPackage())).toBe("kwdb.package-changed");
    expect(await agent.outcome("prove-files", target)).toBe("done");
  });
});

describe("the saved configuration, put back", () => {
  const env = "/etc/kaiwudb/script/kaiwudb_env";
  const unit = "/etc/systemd/system/kaiwudb.service";

  it("is as it was saved: content and mode, and what came since is gone", async () => {
    const { agent, host } = await upgraded();
    const was = [env, unit].map((file) => readFileSync(host.path(file), "utf8"));
    await agent.run("restore-package", backPackage());
    writeFileSync(host.path(env), 'KAIWUDB_START_ARG="--upgrade-complete "\n');
    appendFileSync(host.path(unit), "# new\n");
    writeFileSync(host.path("/etc/kaiwudb/script/kaiwudb_envq"), "left over");
    rmSync(host.path("/etc/kaiwudb/certs"), { recursive: true });
    expect((await agent.fullFacts()).saved).toMatchObject({
      value: [
        {
          rollout: "r1",
          differs: expect.arrayContaining([env, unit, "/etc/kaiwudb/certs/node.key", `${env}q`]),
        },
      ],
    });
    agent.rollout = "r2";
    expect(await agent.probe("restore-configuration", saved)).toEqual({ state: "not-done" });
    expect(await agent.outcome("restore-configuration", saved)).toBe("done");
    expect([env, unit].map((file) => readFileSync(host.path(file), "utf8"))).toEqual(was);
    const key = host.path("/etc/kaiwudb/certs/node.key");
    expect([readFileSync(key, "utf8"), statSync(key).mode & 0o777]).toEqual(["secret", 0o600]);
    expect(existsSync(host.path(`${env}q`))).toBe(false);
    expect(await agent.probe("restore-configuration", saved)).toMatchObject({ state: "done" });
  });

  it("stays from its proof to its use, however much the same rollout saves", async () => {
    const { agent } = await staged();
    const saves = async (rollout: string, node: string) => {
      agent.rollout = rollout;
      expect(await agent.outcome("save-configuration", { label: `${node}-3.1.0-to-3.0.0` })).toBe("done");
    };
    agent.rollout = "r2";
    expect(await agent.outcome("prove-saved", saved)).toBe("done");
    for (const node of ["a", "b", "c", "d", "e", "f", "g", "h"]) await saves("r2", node);
    expect(await agent.outcome("restore-configuration", saved)).toBe("done");
  });

  it("is no original where somebody had left the node half-changed before it was saved", async () => {
    const { agent } = await staged();
    agent.rollout = "r2";
    expect(await agent.run("save-configuration", { label, halfWay: "yes" })).toMatchObject({
      result: "done",
      outputs: { "not-seen.old-configuration": expect.any(String) },
    });
    expect(await agent.outcome("prove-saved", { label, rollout: "r2" })).toBe("kwdb.saved-not-original");
  });

  it("is of the rollout that one goes back from, or it is refused", async () => {
    const { agent, host } = await upgraded();
    const folder = path.join(agent.stateDir, "saved", `${label}-r1`);
    const origin = path.join(folder, "origin.json");
    const text = readFileSync(origin, "utf8");
    const unitText = readFileSync(host.path(unit), "utf8");
    const refused = async (changed: string) => {
      writeFileSync(origin, changed);
      const codes = [
        await agent.outcome("prove-saved", saved),
        await agent.outcome("restore-configuration", saved),
      ];
      expect(readFileSync(host.path(unit), "utf8")).toBe(unitText);
      return codes;
    };
    appendFileSync(host.path(unit), "");
    expect(await agent.outcome("prove-saved", saved)).toBe("done");
    expect(await agent.outcome("prove-saved", { label, rollout: "r7" })).toBe("kwdb.saved-missing");
    expect(await refused(text.replace('"r1"', '"r9"'))).toEqual([
      "kwdb.saved-of-another",
      "kwdb.saved-of-another",
    ]);
    expect(await refused(text.replace('"nothing"', '"irreversible"'))).toEqual([
      "kwdb.saved-not-original",
      "kwdb.saved-not-original",
    ]);
    expect(await refused("")).toEqual(["kwdb.saved-missing", "kwdb.saved-missing"]);
    writeFileSync(origin, text);
    writeFileSync(path.join(folder, "kaiwudb/certs/node.key"), "another");
    expect(await agent.outcome("restore-configuration", saved)).toBe("kwdb.saved-changed");
  });

  it("is not put under a running database", async () => {
    const { agent, host } = await staged();
    mkdirSync(host.path("/etc/kaiwudb/certs"), { recursive: true });
    appendFileSync(host.path(env), "# changed\n");
    await host.run("systemctl", ["start", "kaiwudb"]);
    try {
      expect(await agent.outcome("restore-configuration", saved)).toBe("kwdb.restore-of-running");
      expect(readFileSync(host.path(env), "utf8")).toContain("# changed");
    } finally {
      await host.run("systemctl", ["stop", "kaiwudb"]);
    }
  });
});
