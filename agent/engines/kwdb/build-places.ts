/**
 * Where builds stand: the folder that is started from, the new one laid beside it, and the one before kept beside it.
 * All in one parent folder, so that a name is changed and no file is copied while the database is down.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Failure, failure } from "#proto/common/failure.ts";
import type { StepContext } from "../../verb.ts";
import { type BuildManifest, isBuild, parts } from "./build.ts";
import type { Compiled } from "./compiled-installation.ts";
import { isThere } from "./files.ts";

export interface Places {
  readonly folder: string;
  readonly laid: string;
  readonly kept: string;
}

interface Exchange {
  readonly digest: string;
  readonly from: string;
}

/** As this process sees them. */
export function placesOf(
  { host, folder }: Pick<Compiled, "host" | "folder">,
  { digest, from }: Exchange,
  { rollout }: Pick<StepContext, "rollout">,
): Places {
  const at = host.path(folder);
  return {
    folder: at,
    laid: `${at}.new-${digest.slice(0, 12)}`,
    kept: keptPlace({ host, folder }, from, rollout),
  };
}

/** Where a rollout puts the build of a version aside. */
export function keptPlace(
  { host, folder }: Pick<Compiled, "host" | "folder">,
  from: string,
  rollout: string,
): string {
  return `${host.path(folder)}.kept-${from}-${rollout.replace(/[^A-Za-z0-9._-]/g, "_")}`;
}

export type Stand = "old" | "half" | "new";

/**
 * | folder | kept | stands |
 * |---|---|---|
 * | the new build | any | new |
 * | another | absent | old |
 * | absent | there | half: the old one was put aside, the new one not yet in its place |
 * | another | there | nobody can say |
 * | absent | absent | nobody can say |
 */
export async function standOf(
  { folder, kept }: Places,
  manifest: BuildManifest,
): Promise<{ readonly stands: Stand } | { readonly failure: Failure }> {
  const [isHere, isKept] = [await isThere(folder), await isThere(kept)];
  if (isHere && (await isBuild(folder, manifest))) return { stands: "new" };
  if (isHere && !isKept) return { stands: "old" };
  if (!isHere && isKept) return { stands: "half" };
  return { failure: failure(isHere ? "kwdb.build-strange" : "kwdb.build-gone", { folder, kept }) };
}

/** What the folder holds beside a build: it would be put aside with it. */
export async function foreignEntries(folder: string): Promise<string[]> {
  const own: readonly string[] = [...parts, "manifest.json"];
  return (await readdir(folder)).filter((name) => !own.includes(name)).sort();
}

/** `folder` is one whose name can be changed: no link, and no file system of its own. */
export async function kindOf(folder: string): Promise<"folder" | "mount"> {
  const [own, above] = await Promise.all([stat(folder), stat(dirname(folder))]);
  return own.dev === above.dev ? "folder" : "mount";
}

/** Those kept, the newest first. */
export async function keptBuilds(folder: string): Promise<readonly string[]> {
  const above = dirname(folder);
  const names = await readdir(above).catch(() => []);
  const kept = names.filter((name) => name.startsWith(`${basename(folder)}.kept-`));
  const aged = await Promise.all(
    kept.map(async (name) => ({ path: join(above, name), atMs: (await stat(join(above, name))).ctimeMs })),
  );
  return aged.sort((left, right) => right.atMs - left.atMs).map(({ path }) => path);
}
