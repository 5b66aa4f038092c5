/** What the package lists of this host offer, by `apt-cache policy`. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { aptWords, causeIn, readEnv } from "./words.ts";

export interface Offer {
  /** What apt would take; undefined where it would take none. */
  readonly candidate: string | undefined;
  /** By version: where it comes from, `http://deb.debian.org/debian trixie/main`. */
  readonly origins: Readonly<Record<string, readonly string[]>>;
}

const lookMs = 15_000;

/** By name; one that the lists do not know has no entry. Refused: `packages.lists-not-read`. */
export async function readOffers(
  host: Host,
  names: readonly string[],
): Promise<Outcome<ReadonlyMap<string, Offer>>> {
  const look = await host.look(["apt-cache", ...aptWords(host), "policy", ...names], {
    deadlineMs: lookMs,
    env: readEnv,
  });
  if (look.exitCode === 0) return succeed(offersIn(look.stdout));
  const cause = look.spawnError ?? (look.timedOut ? "apt-cache did not end" : causeIn(look.stderr));
  return fail("packages.lists-not-read", { cause });
}

export function offersIn(text: string): ReadonlyMap<string, Offer> {
  const found = new Map<string, Offer>();
  for (const part of text.split(/^(?=\S+:$)/m)) {
    const name = /^(\S+):$/m.exec(part)?.[1];
    if (name === undefined) continue;
    const candidate = /^ {2}Candidate: (\S+)$/m.exec(part)?.[1];
    const origins: Record<string, string[]> = {};
    let version = "";
    for (const line of part.split("\n")) {
      version = /^ (?:\*\*\*| {3}) (\S+) -?\d+(?: \(phased .*\))?$/.exec(line)?.[1] ?? version;
      const origin = /^ {7,}-?\d+ (\S+ \S+)(?: \S+)? Packages$/.exec(line)?.[1];
      if (origin !== undefined && version !== "") origins[version] = [...(origins[version] ?? []), origin];
    }
    found.set(name, { candidate: candidate === "(none)" ? undefined : candidate, origins });
  }
  return found;
}
