/** A package on its way to a node: staged, proven, and refused for what it is not. */
import { cpSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";
import { debIn, digestOf, packages, packed, target } from "./packages.ts";

let bench: Bench;
let old: BuiltPackage;
let next: BuiltPackage;
beforeAll(async () => {
  ({ bench, old, next } = await packages());
});
afterAll(() => bench.end());

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

  it.each<[string, string, (folder: string) => void]>([
    ["without libcommon", "kwdb.package-part", (folder) => rmSync(debIn(folder, "libcommon"))],
    [
      "that is truncated",
      "kwdb.package-not-installable",
      (folder) => truncateSync(debIn(folder, "server"), 900),
    ],
    [
      "for containers",
      "kwdb.package-is-container",
      (folder) => writeFileSync(path.join(folder, "packages/KaiwuDB.tar"), ""),
    ],
  ])("of the old version %s is told before anything is removed for it", async (_, code, spoil) => {
    const agent = await driver();
    const { file, digest } = packed(bench, old, spoil);
    agent.artefacts.set(digest, file);
    expect(await agent.outcome("stage-package", { digest, version: "3.0.0" })).toBe("done");
    expect(await agent.outcome("prove-kept", { digest, version: "3.0.0" })).toBe(code);
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
    const { file } = packed(bench, next, () => undefined);
    spoil(file);
    const digest = digestOf(file);
    agent.artefacts.set(digest, file);
    expect(await agent.outcome("stage-package", { digest, ...target })).toBe(code);
    expect(existsSync(path.join(agent.stateDir, "packages", digest))).toBe(false);
  });

  it("without the vendor's script is not staged", async () => {
    const agent = await driver();
    const { file, digest } = packed(bench, next, (folder) => rmSync(path.join(folder, "deploy.sh")));
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
    const { file, digest } = packed(bench, next, spoil);
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

  async function stagesNext(agent: KwdbDriver, note: string): Promise<string> {
    const { file, digest } = packed(bench, next, (folder) => writeFileSync(path.join(folder, "note"), note));
    agent.artefacts.set(digest, file);
    expect(await agent.outcome("stage-package", { digest, ...target })).toBe("done");
    await sleep(20);
    return digest;
  }

  it("of the old version that a rollout has fetched or found stays, whatever else it stages", async () => {
    const agent = await driver();
    agent.artefacts.set(old.sha256, old.tarball);
    const kept = { digest: old.sha256, version: "3.0.0" };
    expect(await agent.outcome("stage-package", kept)).toBe("done");
    agent.rollout = "back";
    expect(await agent.run("stage-package", kept)).toMatchObject({ outputs: { found: "staged before" } });
    for (const note of ["1", "2", "3", "4", "5", "6"]) await stagesNext(agent, note);
    expect(await agent.outcome("prove-kept", kept)).toBe("done");
  });

  it("is kept beside a few before it, and the oldest go", async () => {
    const agent = await driver();
    const digests: string[] = [];
    for (const note of ["1", "2", "3", "4", "5", "6"]) {
      agent.rollout = note;
      digests.push(await stagesNext(agent, note));
    }
    const kept = readdirSync(path.join(agent.stateDir, "packages"));
    expect(kept).toContain(digests.at(-1));
    expect(kept).toHaveLength(5);
    expect(kept).not.toContain(digests[0]);
  });
});
