/** What a cluster's entry may say for this playbook, under `settings`. A word that is not known is refused, not ignored. */
import { parseDuration } from "#proto/common/duration.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";

export interface PostgresqlClusterSettings {
  /** By name; undefined: all that take connections and are no template. */
  readonly databases?: readonly string[];
  /** How many databases are copied at once. */
  readonly databasesAtOnce: number;
  /** After this long the fence comes down by itself, unless it was made permanent. */
  readonly fenceLimitMs: number;
  /** How long contents are compared before the fence, while applications write; 0: not at all. */
  readonly verifyWithinMs: number;
  /** How long contents are compared behind the fence, smallest table first; counts are compared in any case. */
  readonly compareWithinMs: number;
  /** The source's replication is given up where the file system of its WAL is this full, in percent. */
  readonly giveUpAtPercent: number;
  /** How long the copy may take. */
  readonly copyLimitMs: number;
  /** How far the target may be behind before the fence is set. */
  readonly cutOverLagBytes: number;
  /** How much of what replication does not carry is taken along while writes stand still. */
  readonly carryLimitBytes: number;
  /** How `pg_upgrade` gets at the old server's files. */
  readonly upgradeMode: "copy" | "clone" | "link";
  /** What becomes of the old data folder after an upgrade in place and its soak. */
  readonly oldData: "keep" | "remove";
  /** After a move, how long the old data is kept before anybody may say that it goes. */
  readonly keepOldMs: number;
  /** Before the cut-over of a move: standbys of the new server; undefined: as many as the old one has. */
  readonly newStandbys?: number;
  /** Its max_connections at least; undefined: those of the old one. */
  readonly newConnections?: number;
  /** By what a backup of it is proven; undefined: by its archive where the old one archives, else by nothing. */
  readonly newBackup?: "archive" | "hook" | "none";
  /** How old the newest file in its archive may be. */
  readonly newBackupWithinMs: number;
}

const hour = 3_600_000;

/** More is no matter of seconds, and the server hashes a large object as one value. */
const mostCarriedBytes = 512 * 1024 ** 2;

const defaults: PostgresqlClusterSettings = {
  databasesAtOnce: 2,
  fenceLimitMs: 120_000,
  verifyWithinMs: hour,
  compareWithinMs: 250,
  giveUpAtPercent: 90,
  copyLimitMs: 14 * 24 * hour,
  cutOverLagBytes: 1_048_576,
  carryLimitBytes: 64 * 1024 ** 2,
  upgradeMode: "copy",
  oldData: "keep",
  keepOldMs: 7 * 24 * hour,
  newBackupWithinMs: hour,
};

/** Refused: `postgresql.setting-unreadable`. */
export function settingsOf({ name: cluster, settings }: ClusterEntry): Outcome<PostgresqlClusterSettings> {
  let read = defaults;
  for (const [name, value] of Object.entries(settings)) {
    const part = readOne(name, value);
    if (part === undefined) return fail("postgresql.setting-unreadable", { cluster, name, value });
    read = { ...read, ...part };
  }
  return succeed(read);
}

function readOne(name: string, value: string): Partial<PostgresqlClusterSettings> | undefined {
  switch (name) {
    case "databases":
      return { databases: value.split(",").map((each) => each.trim()) };
    case "databases-at-once":
      return /^[1-9]\d?$/.test(value) ? { databasesAtOnce: Number(value) } : undefined;
    case "fence-limit":
      return withDuration(value, (fenceLimitMs) => (fenceLimitMs < 10_000 ? undefined : { fenceLimitMs }));
    case "compare-within":
      return withDuration(value, (compareWithinMs) => ({ compareWithinMs }));
    case "verify-within":
      return withDuration(value, (verifyWithinMs) => ({ verifyWithinMs }));
    case "copy-limit":
      return withDuration(value, (copyLimitMs) => ({ copyLimitMs }));
    case "give-up-at-percent":
      return /^[1-9]\d$/.test(value) ? { giveUpAtPercent: Number(value) } : undefined;
    case "cut-over-lag-bytes":
      return /^[1-9]\d{0,11}$/.test(value) ? { cutOverLagBytes: Number(value) } : undefined;
    case "carry-limit-bytes":
      return /^\d{1,9}$/.test(value) && Number(value) <= mostCarriedBytes
        ? { carryLimitBytes: Number(value) }
        : undefined;
    case "upgrade-mode":
      return value === "copy" || value === "clone" || value === "link" ? { upgradeMode: value } : undefined;
    case "keep-old":
      return withDuration(value, (keepOldMs) => ({ keepOldMs }));
    case "old-data":
      return value === "keep" || value === "remove" ? { oldData: value } : undefined;
    case "new-standbys":
      return /^\d{1,2}$/.test(value) ? { newStandbys: Number(value) } : undefined;
    case "new-connections":
      return /^[1-9]\d{0,5}$/.test(value) ? { newConnections: Number(value) } : undefined;
    case "new-backup":
      return value === "archive" || value === "hook" || value === "none" ? { newBackup: value } : undefined;
    case "new-backup-within":
      return withDuration(value, (newBackupWithinMs) =>
        newBackupWithinMs < 1_000 ? undefined : { newBackupWithinMs },
      );
    default:
      return undefined;
  }
}

function withDuration<T>(text: string, use: (ms: number) => T | undefined): T | undefined {
  const read = parseDuration(text);
  return read.ok ? use(read.value) : undefined;
}
