/**
 * A build of KWDB from source: `bin/`, `lib/` and a `manifest.json` that says what it is, which version, for which
 * platform, and the sha256 of each file. What the manifest does not say is not believed.
 */
import { open, readdir, readFile, readlink, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import type { Host } from "../../verb.ts";
import { causeOf, manifestOf } from "./files.ts";
import type { Manifest } from "./manifest.ts";
import { packageFolder } from "./packages.ts";
import { normal } from "./version-text.ts";

export const buildFormat = 1;

const manifestSchema = z.object({
  format: z.number(),
  /** As `kwbase version` tells it. */
  version: z.string(),
  /** `linux-` and what `uname -m` says. */
  platform: z.string(),
  /** By path from the archive's folder. */
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});
export type BuildManifest = z.infer<typeof manifestSchema>;

export interface Build {
  readonly folder: string;
  readonly manifest: BuildManifest;
}

export const parts = ["bin", "lib"] as const;
const lookMs = 30_000;

/** Of a package in the agent's own folder. Refused: `kwdb.build-without-manifest`, and as `parseBuildManifest`. */
export async function stagedBuild(host: Host, digest: string): Promise<Outcome<Build>> {
  return buildBelow(join(packageFolder(host, digest), "tree"));
}

/** The archive may have one folder around it. */
export async function buildBelow(tree: string): Promise<Outcome<Build>> {
  const names: readonly string[] = await readdir(tree).catch(() => []);
  const folder = names.includes("manifest.json") || names.length !== 1 ? tree : join(tree, names[0] ?? "");
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return fail("kwdb.build-without-manifest", { folder });
  try {
    const manifest = parseBuildManifest(JSON.parse(text));
    return manifest.ok ? succeed({ folder, manifest: manifest.value }) : manifest;
  } catch (error) {
    return fail("kwdb.build-manifest-unreadable", { cause: causeOf(error) });
  }
}

/** By its number first. Refused: `kwdb.build-manifest-format`, `kwdb.build-manifest-unreadable`. */
export function parseBuildManifest(found: unknown): Outcome<BuildManifest> {
  const newer = unknownFormat(found, buildFormat);
  if (newer !== undefined) return fail("kwdb.build-manifest-format", newer);
  const read = manifestSchema.safeParse(found);
  return read.success
    ? succeed(read.data)
    : fail("kwdb.build-manifest-unreadable", { cause: read.error.message.split(/\s+/).join(" ") });
}

/** Every file of `bin` and `lib` is in the manifest, and the other way round; undefined where it is so. */
export async function whyNotWhole(folder: string, { files }: BuildManifest): Promise<Failure | undefined> {
  const differs = await whyOtherFiles(folder, files);
  if (differs !== undefined) return differs;
  const outside = await linkOutside(folder);
  return outside === undefined
    ? undefined
    : failure("kwdb.build-not-whole", { file: outside, why: "leads out of it" });
}

/** Every file of `bin` and `lib` against what was said of it; undefined where all are the same. */
export async function whyOtherFiles(folder: string, files: Manifest): Promise<Failure | undefined> {
  const found = await filesOf(folder);
  if (files["bin/kwbase"] === undefined)
    return failure("kwdb.build-not-whole", { file: "bin/kwbase", why: "not in the manifest" });
  for (const file of [...new Set([...Object.keys(files), ...Object.keys(found)])].sort()) {
    const [said, is] = [files[file], found[file]];
    if (said === is) continue;
    const why = said === undefined ? "not in the manifest" : is === undefined ? "missing" : "changed";
    return failure("kwdb.build-not-whole", { file, why });
  }
  return undefined;
}

export async function filesOf(folder: string): Promise<Manifest> {
  const sums = await Promise.all(
    parts.map(async (part) => {
      const below = await manifestOf(join(folder, part)).catch(() => ({}));
      return Object.entries(below).map(([file, sum]) => [`${part}/${file}`, sum] as const);
    }),
  );
  return Object.fromEntries(sums.flat());
}

async function linkOutside(folder: string): Promise<string | undefined> {
  for (const part of parts) {
    const entries = await readdir(join(folder, part), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries.filter((each) => each.isSymbolicLink())) {
      const link = join(entry.parentPath, entry.name);
      const target = resolve(dirname(link), await readlink(link));
      if (!target.startsWith(`${folder}/`)) return link.slice(folder.length + 1);
    }
  }
  return undefined;
}

export async function isBuild(folder: string, manifest: BuildManifest): Promise<boolean> {
  return (await whyNotWhole(folder, manifest)) === undefined;
}

/** Version, platform, and that it starts here at all with its libraries. */
export async function whyNotForThisHost(
  host: Host,
  { folder, manifest }: Build,
  version: string,
): Promise<Failure | undefined> {
  if (normal(manifest.version) !== version)
    return failure("kwdb.build-version", { wanted: version, found: manifest.version, from: "its manifest" });
  const machine = (await host.look(["uname", "-m"], { deadlineMs: lookMs })).stdout.trim();
  const wanted = `linux-${machine}`;
  if (manifest.platform !== wanted)
    return failure("kwdb.build-platform", { wanted, found: manifest.platform, from: "its manifest" });
  const told = await platformOf(join(folder, "bin/kwbase"));
  return told === undefined || told === wanted
    ? undefined
    : failure("kwdb.build-platform", { wanted, found: told, from: "bin/kwbase" });
}

const machines: Readonly<Record<number, string>> = {
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
  258: "loongarch64",
};

/** By the file's own header (elf(5), e_machine); undefined where it is no ELF file, or of a machine not listed. */
async function platformOf(file: string): Promise<string | undefined> {
  const handle = await open(file, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(20), 0, 20, 0);
    if (buffer.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
    const machine = machines[buffer.readUInt16LE(18)];
    return machine === undefined ? undefined : `linux-${machine}`;
  } finally {
    await handle.close();
  }
}

export interface LibraryPlace {
  readonly cwd: string;
  /** LD_LIBRARY_PATH; none where it is not set. */
  readonly libraries?: string | undefined;
  /** A library found below it does not count: it is of the build that will not be there. */
  readonly without?: string;
}

/** What ldd(1) does not find for the programs and libraries of a build, as `file: library`. */
export async function missingLibraries(
  host: Host,
  folder: string,
  { cwd, libraries, without }: LibraryPlace,
): Promise<Outcome<string[]>> {
  const missing: string[] = [];
  const env = { LC_ALL: "C", ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) };
  for (const file of ["bin/kwbase", ...(await librariesOf(folder))]) {
    const look = await host.look(["ldd", join(folder, file)], { deadlineMs: lookMs, env, cwd });
    if (look.spawnError !== undefined || look.timedOut) return fail("look.failed", { what: `ldd ${file}` });
    for (const [, library = "", found = ""] of look.stdout.matchAll(/^\s*(\S+) => (not found|\S+)/gm))
      if (found === "not found" || (without !== undefined && found.startsWith(`${without}/`)))
        missing.push(`${file}: ${library}`);
  }
  return succeed(missing);
}

async function librariesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, "lib"), { recursive: true }).catch(() => []);
  return names.filter((name) => /\.so(\.[0-9.]+)?$/.test(name)).map((name) => `lib/${name}`);
}

export async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (each) => (await stat(join(each.parentPath, each.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
