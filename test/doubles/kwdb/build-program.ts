/**
 * A build of the stand-in from source: `bin/kwbase`, a real program with real libraries in `lib/`, and the manifest;
 * and a .tar.gz of it. Needs a C compiler.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { kwbaseOf } from "./build-package.ts";

const run = promisify(execFile);
const sources = path.join(import.meta.dirname, "program");

export interface ProgramRequest {
  /** A folder made by `buildAssets`. */
  readonly assets: string;
  readonly version: string;
  /** Receives `bin/`, `lib/` and `manifest.json`; the archive stands beside it. */
  readonly out: string;
  /** Called with the folder before the manifest is made. */
  readonly spoil?: (folder: string) => Promise<void>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

export interface BuiltProgram {
  readonly folder: string;
  readonly tarball: string;
  readonly sha256: string;
}

export async function buildProgram(request: ProgramRequest): Promise<BuiltProgram> {
  const { version, out: folder } = request;
  await rm(folder, { recursive: true, force: true });
  for (const part of ["bin", "lib"]) await mkdir(path.join(folder, part), { recursive: true });
  await compile(version, folder);
  await writeFile(path.join(folder, "lib/kwbase.js"), await kwbaseOf(request.assets, version));
  // below it, node would take kwbase.js for a module
  await writeFile(path.join(folder, "lib/package.json"), "{}\n");
  await chmod(path.join(folder, "lib/kwbase.js"), 0o755);
  await request.spoil?.(folder);
  const { stdout: machine } = await run("uname", ["-m"]);
  const told = { format: 1, version, platform: `linux-${machine.trim()}`, files: await sumsOf(folder) };
  await writeFile(path.join(folder, "manifest.json"), JSON.stringify({ ...told, ...request.manifest }));
  const tarball = `${folder}.tar.gz`;
  await run("tar", ["-czf", tarball, "-C", folder, "."]);
  return { folder, tarball, sha256: sha256(await readFile(tarball)) };
}

async function compile(version: string, folder: string): Promise<void> {
  const objects = await mkdtemp(path.join(os.tmpdir(), "kwdb-program-"));
  try {
    await cp(sources, objects, { recursive: true });
    const cc = (...words: readonly string[]) => run("cc", ["-O1", "-s", ...words], { cwd: objects });
    const lib = path.join(folder, "lib");
    await cc("-shared", "-fPIC", `-DBUILD="${version}"`, "-o", `${lib}/libcommon.so`, "libcommon.c");
    await cc("-shared", "-fPIC", "-o", `${lib}/libkwdbts2.so`, "kwdbts2.c", `-L${lib}`, "-lcommon");
    const linked = [`-L${lib}`, "-lkwdbts2", "-Wl,--allow-shlib-undefined", `-Wl,-rpath-link,${lib}`];
    // so that two versions are two programs
    const mark = `-Wl,--build-id=0x${createHash("sha1").update(version).digest("hex")}`;
    await cc("-o", path.join(folder, "bin/kwbase"), "kwbase.c", ...linked, mark);
  } finally {
    await rm(objects, { recursive: true, force: true });
  }
}

async function sumsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  const sums = files.map(
    async (file) => [path.relative(folder, file), sha256(await readFile(file))] as const,
  );
  return Object.fromEntries((await Promise.all(sums)).sort());
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether the machine can build it. */
export async function hasCompiler(): Promise<boolean> {
  return run("cc", ["--version"]).then(
    () => true,
    () => false,
  );
}
