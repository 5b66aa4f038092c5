/** Folders as they are found on the host: nothing here changes them. */
import { readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Host } from "../../../verb.ts";

/** How many entries a folder has; none where there is no folder. */
export async function contentOf({ host }: { readonly host: Host }, folder: string): Promise<number> {
  try {
    return (await readdir(host.path(folder))).length;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}

/** Where a folder will be made: itself, or the next one above it that is there. As this process finds it. */
export async function standingFolder(host: Host, folder: string): Promise<string> {
  for (let at = host.path(folder); ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found !== undefined || at === dirname(at)) return at;
  }
}

/** Without their ending, of those that have it. */
export async function endingsIn(host: Host, folder: string, ending: string): Promise<string[]> {
  const names = await readdir(host.path(folder));
  return names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
}
