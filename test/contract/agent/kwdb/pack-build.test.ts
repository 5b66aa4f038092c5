/** What an operator packs on the build host is what the agent takes; what is no build is told so, and nothing is written. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseBuildManifest } from "#agent/engines/kwdb/build.ts";
import { type BuiltProgram, hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { Bench } from "../../kwdb-double/fixture.ts";
import { buildOf } from "./compiled-node.ts";

const run = promisify(execFile);
const script = path.join(import.meta.dirname, "../../../../deploy/kwdb/pack-build.sh");
const canBuild = await hasCompiler();
const suite = canBuild ? describe : describe.skip;

suite(`packing a build from source${canBuild ? "" : ": needs a C compiler"}`, () => {
  const bench = new Bench();
  let built: BuiltProgram;
  let work = "";
  let folder = "";
  let archive = "";

  beforeAll(async () => {
    built = await buildOf(bench, "3.1.0");
  });
  beforeEach(async () => {
    work = await mkdtemp(path.join(os.tmpdir(), "pack-build-"));
    [folder, archive] = [path.join(work, "install"), path.join(work, "kwdb.tar.gz")];
    await mkdir(folder);
    for (const part of ["bin", "lib"])
      await cp(path.join(built.folder, part), path.join(folder, part), { recursive: true });
  });
  afterEach(() => rm(work, { recursive: true, force: true }));
  afterAll(() => bench.end());

  const pack = (...words: readonly string[]) => run(script, [...words]);

  async function manifest(): Promise<unknown> {
    const { stdout } = await run("tar", ["-xOzf", archive, "manifest.json"]);
    return JSON.parse(stdout);
  }

  async function refused(...words: readonly string[]): Promise<string> {
    const { code, stderr } = await pack(...words).then(
      () => expect.unreachable("it was packed"),
      (error: { readonly code: number; readonly stderr: string }) => error,
    );
    expect(code).toBe(2);
    return stderr;
  }

  it("names every file with its sum, and the version that the build tells", async () => {
    const { stdout } = await pack(folder, archive);
    expect(stdout).toContain("KWDB 3.1.0");
    expect(parseBuildManifest(await manifest()).ok).toBe(true);
    expect(await manifest()).toEqual(
      JSON.parse(await readFile(path.join(built.folder, "manifest.json"), "utf8")),
    );
  });

  it("follows a library that is a link, so that it is there on the node", async () => {
    const [lib, outside] = [path.join(folder, "lib/libcommon.so"), path.join(folder, "../libcommon.so")];
    await copyFile(lib, outside);
    await rm(lib);
    await symlink(outside, lib);
    await pack(folder, archive);
    expect(await manifest()).toEqual(
      JSON.parse(await readFile(path.join(built.folder, "manifest.json"), "utf8")),
    );
  });

  it("refuses what is no build, and writes nothing", async () => {
    expect(await refused(path.join(folder, "bin"), archive)).toContain("is no program");
    expect(await refused(folder)).toContain("usage");
    await rm(path.join(folder, "lib/libcommon.so"));
    expect(await refused(folder, archive)).toContain("does not run here");
    expect(existsSync(archive)).toBe(false);
  });

  it("refuses a name that a manifest cannot hold", async () => {
    await appendFile(path.join(folder, 'lib/a"b'), "x");
    expect(await refused(folder, archive)).toContain("quotes");
    expect(existsSync(archive)).toBe(false);
  });

  it("leaves an archive that is there already", async () => {
    await appendFile(archive, "mine");
    expect(await refused(folder, archive)).toContain("is there already");
    expect(await readFile(archive, "utf8")).toBe("mine");
  });
});
