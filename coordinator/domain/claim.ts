/** A rollout's reservation of its clusters, from apply to its end. Same rules as the lock: permanent key, CAS. */

export interface ClaimRecord {
  readonly format: 1;
  /** Empty when nobody holds it. */
  readonly rollout: string;
  readonly since: string;
  readonly by: string;
}
