/** Installation packages in the agent's own folder: `packages/<digest>/{tree,manifest.json}`. */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host, StepContext } from "../../verb.ts";
import { manifestOf } from "./files.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { markNeeded, notNeeded } from "./needed.ts";
import { parseVersionFile } from "./version-text.ts";

export function packageFolder(host: Host, digest: string): string {
  return join(host.stateDir, "packages", digest);
}

/** The folder with deploy.sh in it, found by its content: released packages name their top folder differently. */
export async function deployFolder(host: Host, digest: string): Promise<string | undefined> {
  return deployFolderIn(packageFolder(host, digest));
}

export async function deployFolderIn(folder: string): Promise<string | undefined> {
  const tree = join(folder, "tree");
  const entries = await readdir(tree, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = entries
    .filter((entry) => entry.isFile() && entry.name === "deploy.sh")
    .map((entry) => entry.parentPath);
  return found.sort((left, right) => left.length - right.length)[0];
}

/** Which file is not as it was unpacked; undefined when all are. The script's own log folder may change. */
export async function changedFile(host: Host, digest: string): Promise<string | undefined> {
  const folder = packageFolder(host, digest);
  const wanted = readManifest(await readFile(join(folder, "manifest.json"), "utf8").catch(() => ""));
  if (wanted === undefined || Object.keys(wanted).length === 0) return "manifest.json";
  const found: Manifest = await manifestOf(join(folder, "tree")).catch(() => ({}));
  const differs = (file: string) => wanted[file] !== found[file] && !/^(?:[^/]+\/)?log\//.test(file);
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].find(differs);
}

/** Packages that are kept, by the version that each says it is. */
export async function keptPackages(host: Host): Promise<Outcome<{ version: string; sha256: string }[]>> {
  const found = await Promise.all(
    (await packageDigests(host)).map(async (sha256) => {
      const deploy = await deployFolder(host, sha256);
      if (deploy === undefined) return [];
      const text = await readFile(join(deploy, "packages", ".version"), "utf8").catch(() => "");
      const told = parseVersionFile(text);
      return told.ok ? [{ version: told.value.basic, sha256 }] : [];
    }),
  );
  return succeed(found.flat());
}

const keepCount = 4;

/** A package is there, and the rollout's: it stays; of the others those go that were staged or needed longest ago. */
export async function keepPackage(
  { host, rollout }: Pick<StepContext, "host" | "rollout">,
  digest: string,
): Promise<void> {
  await markNeeded(packageFolder(host, digest), rollout);
  const all = (await packageDigests(host)).map((each) => packageFolder(host, each));
  const aged = await Promise.all(
    (await notNeeded(all, rollout)).map(async (folder) => ({
      folder,
      atMs: (await stat(folder).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  const old = aged.sort((left, right) => right.atMs - left.atMs).slice(keepCount);
  for (const { folder } of old) await rm(folder, { recursive: true, force: true });
}

async function packageDigests(host: Host): Promise<readonly string[]> {
  const names = await readdir(join(host.stateDir, "packages")).catch(() => []);
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name));
}
