/** A file system without room: found before anything is lost. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from "vitest";
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

/** A small file system of its own; where this user may mount none, the test is skipped and says why. */
function smallDisk({ skip }: TestContext, folder: string, kib: number, inodes = 0): void {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k,nr_inodes=${inodes}`, "small", folder], {
      stdio: "ignore",
    });
  } catch {
    skip("no file system can be mounted here");
  }
  mounted.push(folder);
}

const mounted: string[] = [];

describe("a full disk", () => {
  afterEach(() => {
    for (const folder of mounted.splice(0)) execFileSync("umount", ["-l", folder]);
  });

  it("under the agent's folder keeps the package out, whole or not at all", async (context) => {
    const folder = path.join(bench.dir, "small-state");
    smallDisk(context, folder, 512);
    const agent = new KwdbDriver(await bench.host(old), bench.dir, { stateDir: folder });
    agent.artefacts.set(next.sha256, next.tarball);
    expect(await agent.outcome("stage-package", { digest: next.sha256, ...target })).toBe("artefact.no-room");
  });

  it("under the programs is found before anything is removed", async (context) => {
    const host = await bench.host(old);
    const agent = new KwdbDriver(host, bench.dir);
    agent.artefacts.set(next.sha256, next.tarball);
    agent.artefacts.set(old.sha256, old.tarball);
    await agent.run("stage-package", { digest: next.sha256, ...target });
    const kept = { digest: old.sha256, version: "3.0.0" };
    await agent.run("stage-package", kept);
    smallDisk(context, host.path("/usr/local"), 512);
    expect(await agent.outcome("prove-kept", kept)).toBe("kwdb.package-no-room");
    expect(await agent.outcome("prove-package", { digest: next.sha256, ...target, extended: "" })).toBe(
      "kwdb.package-no-room",
    );
  });

  const about = { cluster: "billing", node: "db1", from: "3.0.0", to: "3.1.0", kind: "node-image" };
  const archive = { label: "db1-3.0.0-to-3.1.0", ...about };

  it("with room for an archive and not for its unpacked copy is found before the archive is begun", async (context) => {
    const host = await bench.host(old);
    writeFileSync(host.path("/var/lib/kaiwudb/data"), randomBytes(1024 ** 2));
    smallDisk(context, host.path("/backup"), 1_800);
    const agent = new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } });
    expect(await agent.outcome("archive-data", archive)).toBe("kwdb.archive-no-room");
    expect(readdirSync(host.path("/backup"))).toEqual([]);
    expect((await agent.fullFacts()).archiveRate).toMatchObject({
      unknown: { code: "kwdb.archive-rate-no-room" },
    });
  });

  it("that takes too few more files is found before the archive is unpacked", async (context) => {
    const host = await bench.host(old);
    for (let at = 0; at < 40; at += 1) writeFileSync(host.path(`/var/lib/kaiwudb/data-${at}`), "");
    smallDisk(context, host.path("/backup"), 100_000, 20);
    const agent = new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } });
    expect(await agent.outcome("archive-data", archive)).toBe("done");
    expect(await agent.outcome("prove-archive", archive)).toBe("kwdb.archive-no-inodes");
    expect(readdirSync(host.path("/backup")).filter((name) => name.includes(".unpacked"))).toEqual([]);
  });
});
