/** Clusters as Debian's own tools know them: those that the package of a server would drop when it is purged. */
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../../../verb.ts";

const folder = "/etc/postgresql";

/** As `18/main`. Throws where it cannot be seen. */
export async function clustersOn(host: Host): Promise<readonly string[]> {
  const found: string[] = [];
  for (const major of await within(host.path(folder)))
    for (const name of await within(host.path(join(folder, major))))
      if (await isThere(host.path(join(folder, major, name, "postgresql.conf"))))
        found.push(`${major}/${name}`);
  return found;
}

async function within(path: string): Promise<readonly string[]> {
  return (await unlessMissing(readdir(path))) ?? [];
}

async function isThere(path: string): Promise<boolean> {
  return (await unlessMissing(access(path).then(() => true))) ?? false;
}

/** Undefined where there is no such folder; a file in its place is none either. */
async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** 18 of `postgresql-18`; undefined of any other package. */
export function majorOfServer(name: string): string | undefined {
  return /^postgresql-(\d+)(?::\w+)?$/.exec(name)?.[1];
}
