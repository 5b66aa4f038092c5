/**
 * The claim: a rollout's reservation of its clusters, from apply to its end, through every wait. A permanent
 * key per cluster, changed by compare-and-swap. A rollout over several clusters claims all or none: it takes
 * them in the order of their names and gives back what it has when one is held.
 */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";

export const claimFormat = 1;

export interface ClaimRecord {
  readonly format: typeof claimFormat;
  /** Empty when nobody holds it. */
  readonly rollout: string;
  readonly since: string;
  readonly by: string;
}

export interface Claimant {
  readonly rollout: string;
  readonly since: string;
  readonly by: string;
}

/** Claiming again what one holds changes nothing. Refusal: `claim.held` with the holder. */
export function take(
  cluster: string,
  record: ClaimRecord | undefined,
  claimant: Claimant,
): Outcome<ClaimRecord> {
  if (record !== undefined && record.rollout !== "" && record.rollout !== claimant.rollout) {
    const { rollout, since, by } = record;
    return fail("claim.held", { cluster, rollout, since, by });
  }
  if (record?.rollout === claimant.rollout) return succeed(record);
  return succeed({ format: claimFormat, ...claimant });
}

/** Only the holder gives a claim back; giving back what one does not hold changes nothing. */
export function release(
  record: ClaimRecord | undefined,
  { rollout, since, by }: Claimant,
): ClaimRecord | undefined {
  if (record?.rollout !== rollout) return record;
  return { format: claimFormat, rollout: "", since, by };
}

/** Rule 1 of the lock protocol: no grant without the claim. `claim.missing`, or `claim.held` with the holder. */
export function whyNotHeldBy(
  cluster: string,
  record: ClaimRecord | undefined,
  wanted: string,
): Failure | undefined {
  if (record === undefined || record.rollout === "")
    return failure("claim.missing", { cluster, rollout: wanted });
  const { rollout, since, by } = record;
  return rollout === wanted ? undefined : failure("claim.held", { cluster, rollout, since, by });
}

export function inOrder(clusters: readonly string[]): readonly string[] {
  return [...new Set(clusters)].sort();
}
