/** What the old package is asked on a host of rpm, where what is installed is newer than it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ProgramCache } from "#agent/engines/kwdb/program-cache.ts";
import { stagingVerbs } from "#agent/engines/kwdb/staging.ts";
import type { StepResult } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";
import { stepContext } from "./step-context.ts";

const digest = "a".repeat(64);
const args = { digest, version: "3.0.0" };

/** rpm as it is without the words that tell it what will have been removed. */
function rpm(argv: readonly string[]) {
  const [tool, ...words] = argv;
  if (tool === "dpkg") return lookOf("", { exitCode: 127 });
  if (!words.includes("--test")) return lookOf("RPM version 4.18.2");
  for (const [word, why] of [
    ["--oldpackage", "package kaiwudb-server-3.1.0 (which is newer than kaiwudb-server-3.0.0) is installed"],
    ["--replacepkgs", "package kaiwudb-server-3.0.0 is already installed"],
    ["--replacefiles", "file /usr/local/kaiwudb/bin/kwbase conflicts with file from package kwdb-server"],
  ] as const)
    if (!words.includes(word)) return lookOf("", { exitCode: 1, stderr: why });
  return lookOf("");
}

describe("the old package on a host of rpm", () => {
  it("is not refused for being older than what will have been removed", async () => {
    const host = fakeHost(rpm);
    const packages = join(host.stateDir, "packages", digest, "tree/kwdb_install/packages");
    mkdirSync(packages, { recursive: true });
    mkdirSync(host.path("/usr/local"), { recursive: true });
    writeFileSync(join(packages, "../deploy.sh"), "");
    writeFileSync(join(packages, ".version"), "3.0.0\n");
    for (const part of ["libcommon", "server"]) writeFileSync(join(packages, `kaiwudb-${part}.rpm`), "");
    const means = { settings: { unit: "kaiwudb" }, programs: new ProgramCache(), images: new Map() };
    const proof = stagingVerbs(means).find(({ name }) => name === "kwdb.prove-kept");
    const result: StepResult | undefined = await proof?.run(stepContext(host), args);
    expect(result).toMatchObject({ result: "done" });
  });
});
