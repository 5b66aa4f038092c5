/**
 * The stand-in's container image as `docker save` writes it, without a Docker engine: node, a shell and what they are
 * linked with as one layer, `kwbase` of a version as another; /kaiwudb/bin as the vendor's images have it.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const epochSeconds = 1_760_000_000;

export interface ImageRequest {
  readonly version: string;
  /** The program itself. */
  readonly kwbase: string;
  /** What `docker load` is to call it. */
  readonly tag: string;
  /** How many of our seconds a second of the database lasts. */
  readonly tickScale: number;
  /** A folder for layers that all versions share. */
  readonly shared: string;
  /** The tar to be made. */
  readonly file: string;
}

export async function buildImage(request: ImageRequest): Promise<void> {
  const { shared, file, tag, tickScale } = request;
  await mkdir(shared, { recursive: true });
  const base = await baseLayer(shared);
  const work = await mkdtemp(path.join(shared, "image-"));
  try {
    const own = path.join(work, "own.tar");
    await layerOf(own, async (root) => {
      const bin = path.join(root, "kaiwudb/bin");
      await mkdir(bin, { recursive: true });
      await mkdir(path.join(root, "kaiwudb/deploy"));
      await writeFile(path.join(bin, "kwbase"), request.kwbase, { mode: 0o755 });
    });
    const layers = [base, own];
    const digests = await Promise.all(layers.map(sha256Of));
    const config = JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      created: new Date(epochSeconds * 1_000).toISOString(),
      config: {
        Env: ["PATH=/usr/bin:/bin", `KWBASE_DOUBLE_TICK_SCALE=${tickScale}`],
        WorkingDir: "/kaiwudb/bin",
        Cmd: ["/bin/bash"],
        Labels: { "org.example.stand-in": request.version },
      },
      rootfs: { type: "layers", diff_ids: digests.map((digest) => `sha256:${digest}`) },
      history: [{ comment: "base" }, { comment: `kwbase ${request.version}` }],
    });
    const name = `${createHash("sha256").update(config).digest("hex")}.json`;
    const save = path.join(work, "save");
    await mkdir(save);
    await writeFile(path.join(save, name), config);
    for (const [at, layer] of layers.entries()) await cp(layer, path.join(save, `layer${at}.tar`));
    const manifest = [{ Config: name, RepoTags: [tag], Layers: layers.map((_, at) => `layer${at}.tar`) }];
    await writeFile(path.join(save, "manifest.json"), JSON.stringify(manifest));
    await pack(save, file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Made once a folder; by rename, so that two that make it at once both find it whole. */
async function baseLayer(shared: string): Promise<string> {
  const file = path.join(shared, "base.tar");
  if ((await stat(file).catch(() => undefined)) !== undefined) return file;
  const beside = `${file}.${process.pid}`;
  await layerOf(beside, async (root) => {
    const programs = { node: process.execPath, bash: "/bin/bash", env: "/usr/bin/env", sleep: "/bin/sleep" };
    await mkdir(path.join(root, "usr/bin"), { recursive: true });
    await symlink("usr/bin", path.join(root, "bin"));
    for (const folder of ["tmp", "dev", "etc", "proc", "sys"]) await mkdir(path.join(root, folder));
    for (const [name, from] of Object.entries(programs)) {
      await cp(from, path.join(root, "usr/bin", name), { dereference: true });
      for (const library of await librariesOf(from)) {
        await mkdir(path.join(root, path.dirname(library)), { recursive: true });
        await cp(library, path.join(root, library), { dereference: true });
      }
    }
  });
  await rename(beside, file);
  return file;
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await run("ldd", [program]);
  return stdout.split("\n").flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function layerOf(file: string, fill: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(`${file}-root-`);
  try {
    await fill(root);
    await pack(root, file);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function pack(folder: string, file: string): Promise<void> {
  const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${epochSeconds}`];
  await run("tar", [...same, "--mode=u=rwX,go=rX", "-C", folder, "-cf", file, ...(await readdir(folder))]);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
