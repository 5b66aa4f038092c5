/** A file system without room: found before anything is lost. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
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
function smallDisk({ skip }: TestContext, folder: string, kib: number): void {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "small", folder], { stdio: "ignore" });
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
    await agent.run("stage-package", { digest: next.sha256, ...target });
    smallDisk(context, host.path("/usr/local"), 512);
    expect(await agent.outcome("prove-package", { digest: next.sha256, ...target, extended: "" })).toBe(
      "kwdb.package-no-room",
    );
  });
});
