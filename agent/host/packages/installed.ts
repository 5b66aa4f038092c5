/**
 * What dpkg has on this host, by its own file: the list of dpkg-query is longer on some hosts than a look may be. Read while nobody
 * changes packages, it is the whole truth; what a run that was cut has not written there yet lies beside it.
 */
import { readFile } from "node:fs/promises";
import type { Host } from "../../verb.ts";
import { namesIn } from "../names-in.ts";

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** `installed`, `config-files`, and what a run that was cut leaves: `half-configured`, `unpacked` … */
  readonly state: string;
}

/** By `name:architecture`; one that is not there at all has no entry. */
export type Installed = ReadonlyMap<string, InstalledPackage>;

export function keyOf({ name, architecture }: Pick<InstalledPackage, "name" | "architecture">): string {
  return `${name}:${architecture}`;
}

export async function readInstalled(host: Host): Promise<Installed> {
  return installedIn(await readFile(host.path("/var/lib/dpkg/status"), "utf8"));
}

export function installedIn(text: string): Installed {
  const found = new Map<string, InstalledPackage>();
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "m").exec(stanza)?.[1] ?? "";
    const name = field("Package");
    const [, error, state = ""] = field("Status").split(" ");
    if (name === "" || state === "not-installed") continue;
    const one = { name, version: field("Version"), architecture: field("Architecture") };
    // wants to be installed anew: whatever its state is, it is not whole
    found.set(keyOf(one), { ...one, state: error === "ok" ? state : `${state}, ${error}` });
  }
  return found;
}

const settled: ReadonlySet<string> = new Set(["installed", "config-files"]);

/** Names of what a run has left half done; `dpkg` itself where it was cut before it could write down what. */
export async function unsettledOn(host: Host): Promise<readonly string[]> {
  const updates = (await namesIn(host.path("/var/lib/dpkg/updates"))).filter((name) => /^\d+$/.test(name));
  const half = [...(await readInstalled(host)).values()].filter(({ state }) => !settled.has(state));
  return [...half.map(({ name, state }) => `${name} (${state})`), ...(updates.length > 0 ? ["dpkg"] : [])];
}
