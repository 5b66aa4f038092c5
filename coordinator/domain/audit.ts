/**
 * The audit log: every order, acknowledgement and override, each entry carrying the hash of the one before.
 * A changed entry breaks the chain; a lost end is found because agents keep the newest hash they saw.
 */
import type { Facts } from "#proto/common/failure.ts";

export const auditFormat = 1;

export interface AuditDeed {
  /** ISO 8601, the coordinator's clock. */
  readonly at: string;
  /** `user@host (unproven)` until certificates prove it. */
  readonly who: string;
  /** What was ordered, for example `apply`, `acknowledge`, `lock-break`. */
  readonly deed: string;
  /** The rollout, cluster or node it was about. */
  readonly subject: string;
  readonly reason: string;
  readonly facts: Facts;
}

export interface AuditEntry extends AuditDeed {
  readonly format: typeof auditFormat;
  /** From 1, without holes. */
  readonly sequence: number;
  /** Hash of the entry before; empty for the first. */
  readonly previous: string;
  readonly hash: string;
}

/** What agents keep of the end, and what they kept when the log had lost it. */
export interface AuditEnds {
  /** Attached agents, with the place of the entry they keep; undefined: none yet. */
  readonly kept: readonly { readonly node: string; readonly sequence: number | undefined }[];
  readonly lost: readonly { readonly node: string; readonly head: string; readonly at: string }[];
}

/** sha256 in lower-case hex; given by the composition root, since hashing is not pure domain code here. */
export type Hash = (text: string) => string;

export function nextEntry(last: AuditEntry | undefined, deed: AuditDeed, hash: Hash): AuditEntry {
  const body = {
    format: auditFormat,
    sequence: (last?.sequence ?? 0) + 1,
    ...deed,
    previous: last?.hash ?? "",
  } as const;
  return { ...body, hash: hash(canonical(body)) };
}

/** The sequence of the first entry that does not follow from the one before, or undefined when all do. */
export function brokenAt(entries: readonly AuditEntry[], hash: Hash): number | undefined {
  let previous = entries[0]?.previous ?? "";
  let sequence = (entries[0]?.sequence ?? 1) - 1;
  for (const entry of entries) {
    const { hash: told, ...body } = entry;
    sequence += 1;
    if (entry.sequence !== sequence || entry.previous !== previous || hash(canonical(body)) !== told)
      return entry.sequence;
    previous = told;
  }
  return undefined;
}

/** A whole log: nothing is missing at its beginning or in its middle. What is missing at its end, it cannot say. */
export function isWhole(entries: readonly AuditEntry[], hash: Hash): boolean {
  const [first] = entries;
  const begins = first === undefined || (first.sequence === 1 && first.previous === "");
  return begins && brokenAt(entries, hash) === undefined;
}

function canonical(body: Omit<AuditEntry, "hash">): string {
  const { format, sequence, at, who, deed, subject, reason, facts, previous } = body;
  const sorted = Object.entries(facts).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([format, sequence, at, who, deed, subject, reason, sorted, previous]);
}
