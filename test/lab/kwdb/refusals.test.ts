// What must not be done is refused in words that name the cause, and nothing on the hosts has changed: no service was
// started anew, no lock was granted.
import { open, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { describeLongLab, type RunResult, until } from "../harness/index.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";

const to = "3.1.0";

await describeLongLab("what is refused on real hosts", () => {
  let fleet: LabFleet;
  let pids: readonly number[];

  beforeAll(async () => {
    fleet = await startFleet({ name: "refusals", version: "3.0.0", to });
    await fleet.must("plan", ...fleet.targetWords, "-o", fleet.planFile);
  }, 180_000);

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    pids = await mainPids();
  });

  afterEach(async () => {
    expect(await mainPids()).toEqual(pids);
    expect(await fleet.lock()).toMatchObject({ epoch: 0 });
    for (const node of fleet.nodes) expect(await node.versionFile()).toBe("3.0.0");
  });

  const mainPids = () => Promise.all(fleet.nodes.map((node) => node.mainPid()));
  const target = (version: string, sha256: string) => [clusterName, "--to", version, "--sha256", sha256];

  function expectRefused(ended: RunResult, code: number, cause: RegExp): void {
    expect(ended.stdout + ended.stderr).toMatch(cause);
    expect(ended.code).toBe(code);
  }

  describe("by the plan", () => {
    it.each([
      ["the same version", "3.0.0", 3, /already runs 3\.0\.0/],
      ["a downgrade", "2.2.1", 3, /3\.0\.0 to 2\.2\.1 is a downgrade/],
    ])("%s", async (_, version, code, cause) => {
      const [, , , , sha256 = ""] = fleet.targetWords;
      expectRefused(await fleet.cli("plan", ...target(version, sha256)), code, cause);
    });

    it("a digest that nobody has pushed", async () => {
      const unknown = await fleet.cli("plan", ...target(to, "0".repeat(64)));
      expectRefused(unknown, 2, /nobody has pushed a package with digest 0{64}/);
    });

    it("a plan file that was edited", async () => {
      const text = await readFile(fleet.planFile, "utf8");
      const edited = fleet.lab.file("edited.json");
      await writeFile(edited, text.replaceAll("kwdb.drain", "kwdb.stop"));
      expectRefused(await fleet.cli("apply", edited, "-y"), 3, /was edited; nothing was done/);
    });

    it("a cluster and a node that nobody knows", async () => {
      expectRefused(await fleet.cli("check", "nowhere", "--to", to), 2, /nowhere/);
      expectRefused(await fleet.cli("node", "show", "db9"), 2, /db9/);
    });

    it("an inventory that names a node twice, with its place", async () => {
      const text = await readFile(fleet.lab.file("fleet.yaml"), "utf8");
      const file = fleet.lab.file("twice.yaml");
      const [, body = ""] = text.split("clusters:\n");
      await writeFile(file, `${text}${body.replace(clusterName, "shop")}`);
      expectRefused(await fleet.cli("cluster", "apply", file), 2, /twice\.yaml:\d+:\d+.*db1/);
    });
  });

  it("garbage on the ports of coordinator and NATS, which serve on", async () => {
    const running = await readFile(fleet.lab.file("coordinator/nats/running.json"), "utf8");
    const { port } = JSON.parse(running) as { readonly port: number };
    for (const place of [fleet.address.replace(":", "/"), `127.0.0.1/${port}`]) {
      const pour = `head -c 300000 /dev/urandom >/dev/tcp/${place}`;
      await fleet.lab.run(["bash", "-c", pour], { timeoutMs: 10_000 });
    }
    await fleet.untilAttached();
    await fleet.must("snapshot", "take");
  });

  describe("by a check, in check and in apply", () => {
    async function expectChecked(cause: RegExp, code = 3): Promise<void> {
      expectRefused(await fleet.cli("check", ...fleet.targetWords), code, cause);
      const applied = await fleet.apply();
      expect(applied.code, await fleet.explained(applied)).toBe(code);
    }

    /** A fault of the stand-in's shows in its answers a moment later. */
    async function expectFault(node: string, faults: Readonly<Record<string, string>>, cause: RegExp) {
      await fleet.node(node).faults(faults);
      await until(`the fault is seen: ${cause}`, async () =>
        cause.test((await fleet.cli("check", ...fleet.targetWords)).stdout),
      );
      await expectChecked(cause);
      await fleet.node(node).faults({});
      await until(
        "it is gone",
        async () => !cause.test((await fleet.cli("check", ...fleet.targetWords)).stdout),
      );
    }

    it("under-replicated ranges", () =>
      expectFault("db2", { underreplicated_ranges: "3" }, /under-replicated.* KO/));

    it("a running import", () => expectFault("db3", { import_job: "running" }, /import.* KO/i));

    it("another deploy.sh", async () => {
      const { host } = fleet.node("db2");
      await host.write("/opt/other/deploy.sh", "#!/bin/bash\nsleep 300\n", "0755");
      await host.must([
        "systemd-run",
        "--unit=other",
        "--working-directory=/opt/other",
        "/opt/other/deploy.sh",
      ]);
      await expectChecked(/db2: no other installation runs.* KO\n.*deploy\.sh/);
      await host.must(["systemctl", "stop", "other"]);
    });

    it("a dpkg that works", async () => {
      const { host } = fleet.node("db3");
      const control = "Package: slow\nVersion: 1\nArchitecture: all\nMaintainer: lab\nDescription: slow\n";
      await host.write("/opt/slow/DEBIAN/control", control);
      await host.write("/opt/slow/DEBIAN/preinst", "#!/bin/sh\nsleep 300\n", "0755");
      await host.must(["dpkg-deb", "--build", "/opt/slow", "/opt/slow.deb"]);
      await host.must(["systemd-run", "--unit=slow", "dpkg", "--install", "/opt/slow.deb"]);
      await expectChecked(/db3: no other installation runs.* KO\n.*dpkg/);
      await host.must(["systemctl", "stop", "slow"]);
    });

    it("a full disk", async () => {
      const { host } = fleet.node("db2");
      const folder = "/var/lib/lockkeeper-agent";
      await host.must(["systemctl", "stop", "lockkeeper-agent"]);
      await host.must(["cp", "-a", folder, "/var/lib/kept"]);
      const disk = await host.smallDisk(folder, 64);
      await host.must(["cp", "-a", "/var/lib/kept/.", folder]);
      await disk.fill(512);
      await host.must(["systemctl", "start", "lockkeeper-agent"]);
      await fleet.untilAttached();
      await expectChecked(/db2: there is room.* KO\n.*\/var\/lib\/lockkeeper-agent 0 MiB/);
      await host.must(["systemctl", "stop", "lockkeeper-agent"]);
      await disk.unmount();
      await host.must(["systemctl", "start", "lockkeeper-agent"]);
      await fleet.untilAttached();
    });

    it("a node that is off", async () => {
      const { host } = fleet.node("db3");
      await host.must(["systemctl", "stop", "lockkeeper-agent"]);
      await expectChecked(/db3/, 4);
      const planned = await fleet.cli("plan", ...fleet.targetWords);
      expectRefused(planned, 4, /no agent is attached for db3/);
      await host.must(["systemctl", "start", "lockkeeper-agent"]);
      await fleet.untilAttached();
    });
  });

  describe("by the staging, before any lock", () => {
    async function pushed(built: BuiltPackage): Promise<readonly string[]> {
      await fleet.must("artefact", "push", built.tarball);
      return target(to, built.sha256);
    }

    async function expectStopped(words: readonly string[], cause: RegExp): Promise<void> {
      const file = fleet.lab.file("bad.json");
      await fleet.must("plan", ...words, "-o", file);
      expectRefused(await fleet.applyFile(file), 5, cause);
      await fleet.cli("abort", clusterName);
      await until(
        "the claim is gone",
        async () => (await fleet.cli("status", "-o", "json")).stdout.trim() === "[]",
      );
    }

    it("a package for containers", async () => {
      const assets = fleet.lab.file("kwdb-assets");
      const built = await buildPackage({
        assets,
        version: to,
        kind: "container",
        out: fleet.lab.file("container"),
      });
      await expectStopped(await pushed(built), /container/);
    });

    it("a package that was cut off", async () => {
      const whole = await fleet.cluster.packageOf("3.1.1");
      await truncate(whole.tarball, Math.floor((await stat(whole.tarball)).size / 2));
      const told = await fleet.cli("artefact", "push", whole.tarball, "-o", "json");
      const { digest } = JSON.parse(told.stdout) as { readonly digest: string };
      await expectStopped(target("3.1.1", digest), /unpack|cut|truncated|end of (file|archive)/i);
    });

    it("a package whose bytes are not those of its digest", async () => {
      const built = await fleet.cluster.packageOf("3.1.2");
      await fleet.must("artefact", "push", built.tarball);
      const stored = await open(`${fleet.lab.file("coordinator/artefacts")}/${built.sha256}`, "r+");
      await stored.write(Buffer.from("!"), 0, 1, 1_000);
      await stored.close();
      await expectStopped(target("3.1.2", built.sha256), /digest/);
    });
  });

  describe("while the cluster is not whole", () => {
    it("a cluster with a dead node", async () => {
      const { host } = fleet.node("db3");
      await host.must(["systemctl", "stop", "kaiwudb"], { timeoutMs: 100_000 });
      await until("it is seen", async () => (await fleet.node("db1").status())[2]?.isLive === false);
      const cause = /db3: live and available.* UNKNOWN\n.*\n.*connection refused/;
      expectRefused(await fleet.cli("check", ...fleet.targetWords), 3, cause);
      // to the plan that was made when it lived, it is a difference
      expectRefused(await fleet.apply(), 9, /db3.*running/);
      expect(await fleet.node("db3").mainPid()).toBe(0);
      await host.must(["systemctl", "start", "kaiwudb"]);
      await fleet.cluster.untilHealthy();
      pids = await mainPids();
    });
  });
});
