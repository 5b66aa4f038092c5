/**
 * The leader's lease. The holder renews a counter in one record; an observer believes nothing but its own
 * monotonic clock: as long as it has seen the record change within the lease, there is a leader. The wall
 * time inside is for people. The holder steps down by itself well before an observer may take over.
 */

export const leaderFormat = 1;

export const lease = {
  /** An observer takes over when the record has not changed for this long. */
  leaseMs: 30_000,
  beatMs: 5_000,
  /** The holder stops acting when its last renewal is older than this. */
  stepDownMs: 22_500,
} as const;

export interface LeaderRecord {
  readonly format: typeof leaderFormat;
  readonly coordinator: string;
  /** Where its control service listens, for those who asked the wrong one. */
  readonly address: string;
  /** Rises with each change of leader. */
  readonly term: number;
  /** Rises with each renewal. */
  readonly beat: number;
  readonly since: string;
}

/** What an observer has seen of the record, by its own monotonic clock. */
export interface Observation {
  readonly revision: number;
  readonly changedAtMs: number;
}

export function observe(before: Observation | undefined, revision: number, nowMs: number): Observation {
  return before?.revision === revision ? before : { revision, changedAtMs: nowMs };
}

export type Candidacy = "lead" | "renew" | "wait";

/** What to do at a beat: renew one's own lease, wait for the leader, or try to become it. */
export function candidacy(
  me: string,
  record: LeaderRecord | undefined,
  seen: Observation | undefined,
  nowMs: number,
  timing: Timing = lease,
): Candidacy {
  if (record === undefined || record.coordinator === "") return "lead";
  if (record.coordinator === me) return "renew";
  return seen !== undefined && nowMs - seen.changedAtMs >= timing.leaseMs ? "lead" : "wait";
}

export interface Timing {
  readonly leaseMs: number;
  readonly beatMs: number;
  readonly stepDownMs: number;
}

/**
 * May this coordinator still act? `renewedAtMs` is the monotonic moment at which it *began* the last renewal
 * that was acknowledged, so that a slow acknowledgement never lengthens the lease.
 */
export function mayAct(renewedAtMs: number | undefined, nowMs: number, timing: Timing = lease): boolean {
  return renewedAtMs !== undefined && nowMs - renewedAtMs < timing.stepDownMs;
}

/** From now until `mayAct` becomes false, if no renewal comes; in whole milliseconds, never too early. */
export function mayActForMs(renewedAtMs: number, nowMs: number, timing: Timing = lease): number {
  return Math.max(0, Math.ceil(renewedAtMs + timing.stepDownMs - nowMs));
}

/** The next record: a new term when leadership changes, the next beat otherwise. */
export function nextLeader(
  record: LeaderRecord | undefined,
  me: { readonly coordinator: string; readonly address: string },
  since: string,
): LeaderRecord {
  if (record?.coordinator === me.coordinator)
    return { ...record, address: me.address, beat: record.beat + 1 };
  return { format: leaderFormat, ...me, term: (record?.term ?? 0) + 1, beat: 1, since };
}

/** Leaves the lease at once, so that another need not wait it out. */
export function resign(record: LeaderRecord): LeaderRecord {
  return { ...record, coordinator: "", address: "", beat: record.beat + 1 };
}
