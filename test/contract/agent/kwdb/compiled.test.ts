/** A build from source exchanged for another, on real processes: what is refused before the stop, and each half state. */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { chmod, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { noteAside, notedAside } from "#agent/engines/kwdb/build-aside.ts";
import { type BuiltProgram, hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { Bench } from "../../kwdb-double/fixture.ts";
import { buildOf, type CompiledNode, compiledNode, folder, secret } from "./compiled-node.ts";

const canBuild = await hasCompiler();
const suite = canBuild ? describe : describe.skip;

suite(`a build from source${canBuild ? "" : ": needs a C compiler"}`, () => {
  const bench = new Bench();
  let old: BuiltProgram;
  let next: BuiltProgram;
  let node: CompiledNode | undefined;
  beforeAll(async () => {
    old = await buildOf(bench, "3.0.0");
    next = await buildOf(bench, "3.1.0");
  });
  afterEach(() => node?.end());
  afterAll(() => bench.end());

  const given = () => ({ digest: next.sha256, version: "3.1.0" });
  const exchange = () => ({ digest: next.sha256, from: "3.0.0" });

  async function running(): Promise<CompiledNode> {
    node = await compiledNode(bench, old);
    node.agent.artefacts.set(next.sha256, next.tarball);
    await node.start();
    return node;
  }

  async function stopped(): Promise<CompiledNode> {
    const here = await running();
    for (const [name, args] of [
      ["stage-build", given()],
      ["keep-start", {}],
      ["lay-build", exchange()],
      ["stop", {}],
    ] as const)
      expect(await here.agent.outcome(name, args), name).toBe("done");
    return here;
  }

  it("says what it is, from the words that it was started with, and no value of its environment", async () => {
    const { agent, pid, host, sql } = await running().then((here) => ({ ...here, pid: () => here.pid() }));
    const full = await agent.fullFacts();
    expect(full).toMatchObject({
      form: { value: "compiled" },
      versionFile: { value: { basic: "3.0.0" } },
      binary: { value: { version: "3.0.0" } },
      running: { value: { version: "3.0.0", pid: await pid() } },
      ready: { value: true },
      mode: {
        value: {
          kind: "bare",
          topology: "single",
          dataRoot: "/var/lib/kwdb",
          sqlPort: sql,
          security: "insecure",
        },
      },
      startModeFile: { value: "start-single-node" },
      nodes: { value: [{ id: 1, isLive: true }] },
      build: { value: { folder, kind: "folder", foreign: [], missingLibraries: [], kept: [] } },
      start: { value: { unit: null, executable: host.path(`${folder}/bin/kwbase`) } },
    });
    expect("value" in (full.start ?? {}) && full.start).toMatchObject({
      value: { environmentNames: expect.arrayContaining(["SECRET", "LD_LIBRARY_PATH"]) },
    });
    expect(JSON.stringify(full)).not.toContain(secret);
  });

  it("goes from the one to the other, and starts it as it was started", async () => {
    const here = await stopped();
    const { agent } = here;
    expect(await agent.outcome("prove-stopped")).toBe("done");
    expect(await agent.probe("exchange-build", exchange())).toEqual({ state: "not-done" });
    expect(await agent.outcome("exchange-build", exchange())).toBe("done");
    expect(await agent.probe("exchange-build", exchange())).toMatchObject({ state: "done" });
    expect(await notedAside(agent.host)).toEqual(new Set([`${here.host.path(folder)}.kept-3.0.0-r1`]));
    expect(await agent.run("prove-build-files", given())).toMatchObject({ result: "done" });
    expect(await agent.outcome("start")).toBe("done");
    expect(await agent.outcome("prove-ready", { version: "3.1.0", waitMs: "20000", stableMs: "300" })).toBe(
      "done",
    );
    expect(await agent.outcome("prove-running-build", { digest: next.sha256 })).toBe("done");
    const at = `/proc/${await here.pid()}`;
    expect(readFileSync(`${at}/environ`, "utf8").split("\0")).toEqual(
      expect.arrayContaining([`SECRET=${secret} $x "y"`, "LD_LIBRARY_PATH=../lib"]),
    );
    expect(readFileSync(`${at}/limits`, "utf8")).toMatch(/^Max open files\s+1000\s+2000/m);
    expect(readFileSync(`${at}/cmdline`, "utf8")).toContain(here.host.path("/var/lib/kwdb"));
    expect(readdirSync(here.host.path("/opt")).sort()).toEqual(["kwdb", "kwdb.kept-3.0.0-r1"]);
  });

  it("keeps the start where only the agent may read it", async () => {
    const { agent } = await stopped();
    for (const file of readdirSync(path.join(agent.stateDir, "program"))) {
      const handle = await open(path.join(agent.stateDir, "program", file));
      expect((await handle.stat()).mode & 0o77).toBe(0);
      await handle.close();
    }
  });

  it.each([
    ["the old one aside", (at: string) => renameSync(at, `${at}.kept-3.0.0-r1`), "not-done", "done"],
    ["both gone", (at: string) => renameSync(at, `${at}.elsewhere`), "unknown", "kwdb.build-gone"],
    [
      "another one in its place",
      (at: string) => {
        renameSync(at, `${at}.kept-3.0.0-r1`);
        renameSync(`${at}.elsewhere-made`, at);
      },
      "unknown",
      "kwdb.build-strange",
    ],
  ])("with %s the exchange stands as its probe says", async (what, change, state, outcome) => {
    const { agent, host } = await stopped();
    const at = host.path(folder);
    if (what.startsWith("another")) await bench.assets.then(() => copyOf(old, `${at}.elsewhere-made`));
    change(at);
    expect(await agent.probe("exchange-build", exchange())).toMatchObject({ state });
    expect(await agent.outcome("exchange-build", exchange())).toBe(outcome);
  });

  it("goes back to the kept build from the whole exchange and from half of it", async () => {
    const here = await stopped();
    const { agent, host } = here;
    const at = host.path(folder);
    await agent.run("exchange-build", exchange());
    expect(await agent.probe("exchange-build-back", exchange())).toEqual({ state: "not-done" });
    expect(await agent.outcome("exchange-build-back", exchange())).toBe("done");
    expect(await agent.probe("exchange-build-back", exchange())).toMatchObject({ state: "done" });
    renameSync(at, `${at}.kept-3.0.0-r1`);
    expect(await agent.outcome("exchange-build-back", exchange())).toBe("done");
    expect(await agent.outcome("start")).toBe("done");
    await expect.poll(() => host.readyStatus(), { timeout: 20_000 }).toBe(200);
    expect((await agent.fullFacts()).binary).toMatchObject({ value: { version: "3.0.0" } });
  });

  it("is not exchanged under a process that runs", async () => {
    const { agent } = await running();
    await agent.run("stage-build", given());
    expect(await agent.outcome("exchange-build", exchange())).toBe("kwdb.exchange-of-running");
  });

  it("keeps the two builds before, and removes older ones that it has put aside itself", async () => {
    const { agent, host } = await running();
    const kept = (version: string) => host.path(`${folder}.kept-${version}-r0`);
    for (const version of ["1.9.0", "2.0.0", "2.1.0", "2.2.0"]) {
      copyOf(old, kept(version));
      if (version !== "1.9.0") await noteAside(agent.host, kept(version));
    }
    copyOf(old, host.path(`${folder}.kept-by-hand`));
    expect(await agent.run("forget-old-builds")).toMatchObject({
      result: "done",
      outputs: { removed: kept("2.0.0"), "not-seen.old-builds": expect.stringContaining("kept-by-hand") },
    });
    expect(readdirSync(host.path("/opt")).sort()).toEqual([
      "kwdb",
      "kwdb.kept-1.9.0-r0",
      "kwdb.kept-2.1.0-r0",
      "kwdb.kept-2.2.0-r0",
      "kwdb.kept-by-hand",
    ]);
    expect(await notedAside(agent.host)).toEqual(new Set([kept("2.1.0"), kept("2.2.0")]));
  });

  describe("before anything is stopped", () => {
    const refusals: readonly (readonly [string, Parameters<typeof buildOf>[2], string])[] = [
      ["of another version", { manifest: { version: "3.1.1" } }, "kwdb.build-version"],
      [
        "whose program tells another version",
        { spoil: (at) => replaceIn(`${at}/lib/kwbase.js`, "3.1.0", "3.1.9") },
        "kwdb.build-version",
      ],
      ["for another platform", { manifest: { platform: "linux-s390x" } }, "kwdb.build-platform"],
      [
        "whose program is of another machine",
        { spoil: (at) => ofOtherMachine(`${at}/bin/kwbase`) },
        "kwdb.build-platform",
      ],
      [
        "without one of its libraries",
        { spoil: (at) => rm(`${at}/lib/libcommon.so`) },
        "kwdb.build-libraries",
      ],
      ["with a file more than its manifest", { manifest: { files: {} } }, "kwdb.build-not-whole"],
    ];
    it.each(refusals)("refuses a build %s", async (_, more, code) => {
      const here = await running();
      const spoilt = await buildOf(bench, "3.1.0", more);
      here.agent.artefacts.set(spoilt.sha256, spoilt.tarball);
      const args = { digest: spoilt.sha256, version: "3.1.0" };
      expect(await here.agent.outcome("stage-build", args)).toBe("done");
      expect(await here.agent.outcome("prove-build", args)).toBe(code);
      expect(await here.pid()).not.toBe(0);
    });

    it("does not take a library of the build that runs for one of the new build's own", async () => {
      node = await compiledNode(bench, old);
      await node.start(node.host.path(`${folder}/lib`));
      const spoilt = await buildOf(bench, "3.1.0", { spoil: (at) => rm(`${at}/lib/libcommon.so`) });
      node.agent.artefacts.set(spoilt.sha256, spoilt.tarball);
      const args = { digest: spoilt.sha256, version: "3.1.0" };
      expect(await node.agent.outcome("stage-build", args)).toBe("done");
      expect(await node.agent.outcome("prove-build", args)).toBe("kwdb.build-libraries");
    });

    it("takes a good one, and not where the folder holds more than a build", async () => {
      const { agent, host } = await running();
      await agent.run("stage-build", given());
      expect(await agent.run("prove-build", given())).toMatchObject({ result: "done" });
      writeFileSync(host.path(`${folder}/data.txt`), "");
      expect(await agent.run("prove-build", given())).toMatchObject({
        failure: { code: "kwdb.program-folder-shared", facts: { found: "data.txt" } },
      });
      expect(existsSync(host.path(`${folder}.kept-3.0.0-r1`))).toBe(false);
    });

    it("refuses an archive without a manifest", async () => {
      const { agent } = await running();
      const script = await bench.package("3.1.0");
      agent.artefacts.set(script.sha256, script.tarball);
      const args = { digest: script.sha256, version: "3.1.0" };
      expect(await agent.outcome("stage-build", args)).toBe("kwdb.build-without-manifest");
    });
  });
});

function copyOf(built: BuiltProgram, to: string): void {
  cpSync(built.folder, to, { recursive: true });
}

async function replaceIn(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await chmod(file, 0o755);
  writeFileSync(file, text.replaceAll(from, to));
}

/** e_machine of its header: s390. */
async function ofOtherMachine(file: string): Promise<void> {
  const handle = await open(file, "r+");
  await handle.write(Buffer.from([process.arch === "arm64" ? 62 : 183, 0]), 0, 2, 18);
  await handle.close();
}
