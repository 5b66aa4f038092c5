/** Verbs that need a cluster around their node: looking, draining, stopping, starting, proving. */
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startCluster } from "#test/doubles/host/cluster.ts";
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
    readonly pages: string;
  } {
    const at = names.indexOf(name);
    const [host, agent] = [hosts[at], agents[at]];
    if (host === undefined || agent === undefined) throw new Error("no cluster");
    return { host, agent, ...others(agent) };
  }

  function others(agent: KwdbDriver): { readonly peers: string; readonly pages: string } {
    const at = hosts.filter((_, index) => agents[index] !== agent).map(({ options }) => options);
    return {
      peers: at.map(({ ip, ports }) => `${ip}:${ports.sql}`).join(","),
      pages: at.map(({ ip, ports }) => `${ip}:${ports.http}`).join(","),
    };
  }

  /** Until this node sees all as well again. */
  async function allWell(): Promise<void> {
    for (const agent of agents) {
      const look = () => agent.run("look-around", { ...versions, ...others(agent) });
      await expect.poll(look, { timeout: 40_000, interval: 300 }).toMatchObject({ result: "done" });
    }
  }

  it("says what it is, at three depths, and every value is measured", async () => {
    const { agent, host } = node("db1");
    await host.faults({ clients: "10.9.0.7:5001,10.9.0.7:5002" });
    expect(await agent.facts("pulse")).toMatchObject({ ready: { value: true } });
    const full = await agent.fullFacts();
    const unknown = Object.entries(full).filter(([, value]) => value !== undefined && "unknown" in value);
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
    expect(await agent.outcome("look-around", { version: "2.2.0", target: "2.2.1", ...others(agent) })).toBe(
      "kwdb.cluster-not-healthy",
    );
    await other.host.faults({ underreplicated_ranges: "3" });
    await expect
      .poll(() => agent.outcome("look-around", { ...versions, ...others(agent) }), { timeout: 20_000 })
      .toBe("kwdb.ranges-not-well");
    await other.host.faults({});
    await allWell();

    expect(await other.agent.outcome("drain", { waitMs: "20000" })).toBe("done");
    await expect
      .poll(() => agent.run("look-around", { ...versions, ...others(agent) }), { timeout: 10_000 })
      .toMatchObject({
        failure: { code: "kwdb.cluster-not-healthy", facts: { row: expect.stringContaining("draining") } },
      });
    expect(await other.agent.outcome("stop")).toBe("done");
    await expect
      .poll(() => agent.run("look-around", { ...versions, ...others(agent) }), { timeout: 20_000 })
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
    // nobody is served: that is our own doing, or it is not
    expect(await agent.probe("drain", wait)).toEqual({ state: "not-done" });
    agent.begunBefore = "reversible";
    expect(await agent.probe("drain", wait)).toMatchObject({ state: "done" });
    agent.begunBefore = "nothing";
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
    const asked = { label: "x", cluster: "c", node: "db2", from: "3.0.0", to: "3.1.0", kind: "node-image" };
    expect(await archiving.outcome("archive-data", asked)).toBe("kwdb.archive-of-running");
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

  it("has its configuration saved, with certificates and unit: the original, and one a rollout", async () => {
    const { host } = node("db2");
    const agent = new KwdbDriver(host, bench.dir);
    const note = host.path("/etc/kaiwudb/note");
    const label = "db2-3.0.0-to-3.1.0";
    const saved = async (
      text: string,
      of: Partial<Pick<KwdbDriver, "rollout" | "attempt" | "begunBefore">>,
    ) => {
      writeFileSync(note, text);
      Object.assign(agent, of);
      const result = await agent.run("save-configuration", { label });
      const folder = path.join(agent.stateDir, `saved/${label}-${agent.rollout}`);
      return [result, readFileSync(path.join(folder, "kaiwudb/note"), "utf8")];
    };
    const made = { result: "done", outputs: { folder: expect.any(String) } };
    const kept = { result: "done", outputs: { folder: expect.any(String), found: "saved before" } };
    expect(await saved("first", {})).toEqual([made, "first"]);
    expect(await saved("second", { attempt: 2, begunBefore: "reversible" })).toEqual([made, "second"]);
    expect(await saved("third", { attempt: 3, begunBefore: "irreversible" })).toEqual([kept, "second"]);
    expect(await saved("fourth", { rollout: "r2", attempt: 2, begunBefore: "nothing" })).toEqual([
      made,
      "fourth",
    ]);
    expect(await saved("fifth", { rollout: "r1", attempt: 4, begunBefore: "irreversible" })).toEqual([
      kept,
      "second",
    ]);
    const manifest = JSON.parse(
      readFileSync(path.join(agent.stateDir, `saved/${label}-r1/manifest.json`), "utf8"),
    ) as { readonly files: object };
    expect(Object.keys(manifest.files)).toEqual(
      expect.arrayContaining(["kaiwudb/info/MODE", "kaiwudb.service"]),
    );
    for (let count = 3; count <= 12; count += 1)
      await saved("more", { rollout: `r${count}`, attempt: 1, begunBefore: "nothing" });
    expect(readdirSync(path.join(agent.stateDir, "saved"))).toHaveLength(8);
    rmSync(note);
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
    const { agent, peers, pages } = node("db3");
    await allWell();
    await agent.run("stop");
    expect(await agent.outcome("look-around", { ...versions, peers, pages })).toBe("kwdb.client-failed");
    // unless the plan knows that somebody has left it so
    expect(await agent.outcome("look-around", { ...versions, peers, pages, halfWay: "yes" })).toBe("done");
    // a second try alone says nothing: the first may never have come so far
    agent.attempt = 2;
    expect(await agent.outcome("look-around", { ...versions, peers, pages })).toBe("kwdb.client-failed");
    agent.begunBefore = "reversible";
    try {
      expect(await agent.run("look-around", { ...versions, peers, pages })).toMatchObject({
        result: "done",
        outputs: { from: expect.stringContaining("127.0.0.") },
      });
      expect(await agent.probe("drain", { waitMs: "1000" })).toMatchObject({ state: "done" });
    } finally {
      agent.attempt = 1;
      agent.begunBefore = "nothing";
      await agent.run("start");
    }
    await allWell();
  });

  it("whose client went with its package asks the others' own pages", async () => {
    const { agent, host, peers, pages } = node("db3");
    const client = host.path("/usr/local/kaiwudb/bin/kwbase");
    await allWell();
    await agent.run("stop");
    await rename(client, `${client}.gone`);
    agent.begunBefore = "irreversible";
    try {
      expect(await agent.run("look-around", { ...versions, peers, pages })).toMatchObject({
        result: "done",
        outputs: { nodes: "3", from: "the peers' own pages" },
      });
      const silent = "127.0.0.1:1";
      expect(
        await agent.run("look-around", { ...versions, peers, pages: `${pages},${silent}` }),
      ).toMatchObject({ failure: { code: "kwdb.cluster-not-healthy", facts: { address: silent } } });
    } finally {
      agent.begunBefore = "nothing";
      await rename(`${client}.gone`, client);
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
