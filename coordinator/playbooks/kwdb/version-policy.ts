/**
 * Which hop may be made by replacing programs, and what it asks for. The vendor's script compares versions only to
 * refuse an older one; it would replace 2.x by 3.x and leave a node that cannot start. So the documented hops stand
 * here, as data, and everything else is refused with the way that is allowed.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";

type Strategy = "rolling" | "offline";

/** A check that needs a person's word. */
export interface WordWanted {
  readonly id: `kwdb.${string}`;
  /** Absent: whichever way it goes. */
  readonly strategy?: Strategy;
  /** Absent: by whichever method. */
  readonly unless?: "compiled";
}

/** A cluster setting that must hold, and have held for a while, before the first node is touched. */
export interface SettingWanted {
  readonly topology: ClusterEntry["topology"];
  readonly variable: string;
  readonly value: string;
  readonly settleMs: number;
}

interface Hop {
  readonly from: RegExp;
  readonly to: RegExp;
  readonly words?: readonly WordWanted[];
  readonly settings?: readonly SettingWanted[];
}

/** The upgrade guide says node by node; the release notes of 3.1.0 and of 3.2.1 say offline. */
const rollingFrom30: WordWanted = { id: "kwdb.rolling-from-3-0", strategy: "rolling" };
/** The pages of 3.2 know another installer only. Nobody asks for one where there is none. */
const installerOf32: WordWanted = { id: "kwdb.installer-of-3-2", unless: "compiled" };

const raftLogSynced: SettingWanted = {
  topology: "multi-replica",
  variable: "ts.raft_log.sync_period",
  value: "0s",
  settleMs: 5 * 60_000,
};

/** From the vendor's upgrade pages of 2.2.1, 3.1.0 and later. Each is open to every deployment and topology. */
const hops: readonly Hop[] = [
  { from: /^2\.2\.\d+$/, to: /^2\.2\.\d+$/ },
  { from: /^3\.0\.\d+$/, to: /^3\.0\.\d+$/ },
  {
    from: /^3\.0\.\d+$/,
    to: /^3\.1\.\d+$/,
    words: [rollingFrom30],
  },
  { from: /^3\.1\.\d+$/, to: /^3\.1\.\d+$/ },
  {
    from: /^3\.0\.\d+$/,
    to: /^3\.2\.\d+$/,
    words: [rollingFrom30, installerOf32],
    settings: [raftLogSynced],
  },
  { from: /^3\.1\.\d+$/, to: /^3\.2\.\d+$/, words: [installerOf32], settings: [raftLogSynced] },
  { from: /^3\.2\.\d+$/, to: /^3\.2\.\d+$/, words: [installerOf32] },
];

export type Verdict =
  | ({ readonly may: true } & Required<Pick<Hop, "words" | "settings">>)
  | { readonly may: false; readonly why: Failure };

/** Refused: `kwdb.version-unreadable`, `kwdb.version-with-tag`, `kwdb.same-version`, `kwdb.downgrade`, `kwdb.major-by-script`, `kwdb.hop-not-documented`. */
export function mayHop(from: string, to: string): Verdict {
  for (const version of [to, from]) {
    if (isVersion(version)) continue;
    return refuse(isTagged(version) ? "kwdb.version-with-tag" : "kwdb.version-unreadable", { version });
  }
  const order = compareVersions(from, to);
  if (order === 0) return refuse("kwdb.same-version", { version: to });
  if (order > 0) return refuse("kwdb.downgrade", { from, to });
  if (major(from) < major(to)) return refuse("kwdb.major-by-script", { from, to });
  const hop = hops.find((each) => each.from.test(from) && each.to.test(to));
  if (hop === undefined) return refuse("kwdb.hop-not-documented", { from, to, allowed: allowedFrom(from) });
  const { words = [], settings = [] } = hop;
  return { may: true, words, settings };
}

function refuse(code: `kwdb.${string}`, facts: Failure["facts"]): Verdict {
  return { may: false, why: failure(code, facts) };
}

function allowedFrom(from: string): string {
  const targets = hops
    .filter((hop) => hop.from.test(from))
    .map((hop) => hop.to.source.replace(/[\\^$]/g, "").replace("d+", "x"));
  return targets.length === 0 ? "export and import into a new cluster" : [...new Set(targets)].join(", ");
}

/** Digits in groups, at least two. */
export function isVersion(version: string): boolean {
  return /^\d+(\.\d+){1,4}$/.test(version);
}

/**
 * Line 2 of the vendor's `.version`. Two packages of one number differ by it alone, and nothing on a node tells
 * which of them the binary is of.
 */
function isTagged(version: string): boolean {
  return /^\d+(\.\d+){1,4}[-_ ]?(alpha|beta|hotfix|enhance|patch)\d*$/.test(version);
}

/** Negative when left is older. Groups are numbers: 2.2.10 is newer than 2.2.9. */
export function compareVersions(left: string, right: string): number {
  const lefts = left.split(".").map(Number);
  const rights = right.split(".").map(Number);
  for (let group = 0; group < Math.max(lefts.length, rights.length); group += 1) {
    const difference = (lefts[group] ?? 0) - (rights[group] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function major(version: string): number {
  return Number(version.split(".")[0]);
}
