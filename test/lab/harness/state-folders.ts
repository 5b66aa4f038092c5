// Where the lab keeps things: finished roots are kept between runs, everything else lives as long as one lab.
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const HASH_LENGTH = 12;

/** Folder of everything the lab keeps on this machine. */
export function labFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return made(join(cache, "lockkeeper", "lab"));
}

/** Finished Debian roots, one folder each, never changed once they have their name. */
export function rootsFolder(): string {
  return made(join(labFolder(), "roots"));
}

/** State of running labs: overlays, consoles, disks. Emptied by the next lab of the same name. */
export function runsFolder(): string {
  return made(join(labFolder(), "runs"));
}

/** A name for a lab that two checkouts on one machine do not share. */
export function labId(name: string): string {
  return `${name}-${shortHash(resolve(".")).slice(0, 6)}`;
}

export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}

function made(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}
