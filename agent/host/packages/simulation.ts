/** What apt would do, by its own simulation: nothing is changed, and nothing is locked. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { aptWords, causeIn, readEnv } from "./words.ts";

export interface NewPackage {
  /** As apt names it: with its architecture where that is not the host's own. */
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** As apt tells it: `Debian:13.2/stable`. */
  readonly origin: string;
}

export interface Simulation {
  readonly adds: readonly NewPackage[];
  /** Installed already, and would be of another version: `name from to`. */
  readonly changes: readonly string[];
  readonly removes: readonly string[];
}

const simulateMs = 20_000;

/** Refused: `packages.no-plan`, with apt's own word. */
export async function simulate(
  host: Host,
  deed: "install" | "purge",
  names: readonly string[],
): Promise<Outcome<Simulation>> {
  const options = ["-o", "APT::Get::AutomaticRemove=false"];
  const argv = [
    "apt-get",
    ...aptWords(host),
    "-q",
    "--simulate",
    "--no-install-recommends",
    ...options,
    deed,
    ...names,
  ];
  const look = await host.look(argv as [string, ...string[]], { deadlineMs: simulateMs, env: readEnv });
  if (look.exitCode === 0) return succeed(simulationIn(look.stdout));
  const cause =
    look.spawnError ?? (look.timedOut ? "apt-get did not end" : causeIn(look.stderr || look.stdout));
  return fail("packages.no-plan", { cause, names: names.join(" ") });
}

/** `Inst name [from] (version origin [architecture]) …`, `Remv name [version] …`, `Purg name [version]`. */
export function simulationIn(text: string): Simulation {
  const adds: NewPackage[] = [];
  const changes: string[] = [];
  const removes: string[] = [];
  for (const line of text.split("\n")) {
    const [, name = "", from, version = "", origin = "", architecture = ""] =
      /^Inst (\S+)(?: \[([^\]]+)\])? \((\S+)(?: ([^[]*))? \[([^\]]+)\]\)/.exec(line) ?? [];
    if (name !== "" && from === undefined) adds.push({ name, version, architecture, origin: origin.trim() });
    else if (from !== undefined) changes.push(`${name} ${from} to ${version}`);
    const removed = /^(?:Remv|Purg) (\S+)/.exec(line)?.[1];
    if (removed !== undefined) removes.push(removed);
  }
  return { adds, changes, removes };
}
