/** Results of checks: what preflight and gates say of the fleet. A check that could not run is UNKNOWN and blocks. */
import type { Facts, Failure } from "#proto/common/failure.ts";

export type CheckStatus = "ok" | "warn" | "ko" | "unknown" | "not-applicable";

export interface CheckResult {
  /** Stable id, `engine.what`, for example `kwdb.ranges-unavailable`; what `--ack` and `--override` name. */
  readonly id: string;
  /** The node it speaks of; absent for the whole cluster. */
  readonly node?: string;
  readonly status: CheckStatus;
  /** What was measured, for the texts in the catalogue (`check.<id>.<status>`, hint `check.<id>.hint`). */
  readonly facts: Facts;
  /** Why it is UNKNOWN or not applicable. */
  readonly reason?: Failure;
  /** A person's word may stand in for it: `acknowledge` what cannot be measured, `override` what was measured. */
  readonly yields: "never" | "acknowledge" | "override";
}

/** A person's recorded word. `until` is required for an override. */
export interface Word {
  readonly kind: "acknowledgement" | "override";
  readonly check: string;
  readonly reason: string;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  readonly until?: string;
  /** The facts of the stop that it answers, when it was given to one: it answers for those and for no others. */
  readonly about?: Facts;
}

/** Window, freeze or blocker: nothing is wrong, and no node is started now. */
export function isNotNow({ code }: Failure): boolean {
  return ["window.", "freeze.", "blocker."].some((area) => code.startsWith(area));
}

/** The results that forbid going on, given the words that stand at `now` (ms since the epoch). */
export function blocking(
  results: readonly CheckResult[],
  words: readonly Word[],
  now: number,
): readonly CheckResult[] {
  return results.filter((result) => needsAnswer(result) && !words.some((word) => answers(word, result, now)));
}

/** It forbids to go on as long as nobody has answered for it. */
export function needsAnswer(result: CheckResult): boolean {
  return result.status === "ko" || result.status === "unknown";
}

function answers(word: Word, result: CheckResult, now: number): boolean {
  if (word.check !== result.id) return false;
  if (word.until !== undefined && Date.parse(word.until) <= now) return false;
  switch (result.yields) {
    case "never":
      return false;
    case "acknowledge":
      return word.kind === "acknowledgement" && result.status === "unknown";
    case "override":
      return word.kind === "override" || (word.kind === "acknowledgement" && result.status === "unknown");
  }
}

/** The checks that a person has answered for, for as long as the rollout lasts. */
export function acknowledgedIn(words: readonly Word[]): readonly string[] {
  return words.flatMap(({ kind, check }) => (kind === "acknowledgement" ? [check] : []));
}

/** For a refusal: `node id STATUS`, separated by commas. */
export function listed(results: readonly CheckResult[]): string {
  return results
    .map(({ id, node, status }) => `${node === undefined ? "" : `${node} `}${id} ${status}`)
    .join(", ");
}
