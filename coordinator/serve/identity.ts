/** The names that a coordinator gives: its own, and those of what it makes. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import type { ServeMeans } from "./means.ts";

export async function nameOf({ config, hostName, token }: ServeMeans): Promise<string> {
  return `${config.name ?? hostName}-${await ownId(config.stateDir, token)}`;
}

/** The same over restarts, so that a coordinator that comes back need not wait out its own lease. */
async function ownId(folder: string, token: ServeMeans["token"]): Promise<string> {
  const file = join(folder, "coordinator-id");
  const found = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (/^[a-z0-9]{6}$/.test(found)) return found;
  const made = token(6);
  await writeFile(`${file}.new`, made, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

/** Sorts by time, reads by eye: 20260131-221500. */
export function stamp(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
}
