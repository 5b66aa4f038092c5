/**
 * Which hop may be made how. The vendor's script compares versions only to refuse an older one; it would
 * replace 2.x by 3.x and leave a node that cannot start. So the documented hops stand here, as data, and
 * everything else is refused with the way that is allowed.
 */
import { type Failure, failure } from "#proto/common/failure.ts";

interface Hop {
  readonly from: RegExp;
  readonly to: RegExp;
  /** A check that needs a person's word: the vendor's own pages disagree. */
  readonly contradiction?: string;
}

/** From the vendor's upgrade pages of 2.2.1, 3.1.0 and later; 3.2 comes by another installer. */
const hops: readonly Hop[] = [
  { from: /^2\.2\.\d+$/, to: /^2\.2\.\d+$/ },
  { from: /^3\.0\.\d+$/, to: /^3\.0\.\d+$/ },
  {
    from: /^3\.0\.\d+$/,
    to: /^3\.1\.\d+$/,
    contradiction: "kwdb.rolling-3-0-to-3-1",
  },
  { from: /^3\.1\.\d+$/, to: /^3\.1\.\d+$/ },
];

export type Verdict =
  | { readonly may: true; readonly contradiction?: string }
  | { readonly may: false; readonly why: Failure };

export function mayHop(from: string, to: string): Verdict {
  if (!isVersion(to)) return refuse("kwdb.version-unreadable", { version: to });
  if (!isVersion(from)) return refuse("kwdb.version-unreadable", { version: from });
  const order = compareVersions(from, to);
  if (order === 0) return refuse("kwdb.same-version", { version: to });
  if (order > 0) return refuse("kwdb.downgrade", { from, to });
  if (major(from) < major(to)) return refuse("kwdb.major-by-script", { from, to });
  const hop = hops.find((each) => each.from.test(from) && each.to.test(to));
  if (hop === undefined) return refuse("kwdb.hop-not-documented", { from, to, allowed: allowedFrom(from) });
  return hop.contradiction === undefined ? { may: true } : { may: true, contradiction: hop.contradiction };
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
function isVersion(version: string): boolean {
  return /^\d+(\.\d+){1,4}$/.test(version);
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
