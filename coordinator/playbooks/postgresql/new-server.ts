/**
 * What the new server must have before anybody is asked to cut over: standbys, a backup, room for its clients. As the inventory
 * says, or else as the old server has it when the plan is made. Each is a finding of `check`, and is waited for by a gate.
 */
import { renderDuration } from "#proto/common/duration.ts";
import { type Facts, type Failure, failure } from "#proto/common/failure.ts";
import { known, type Measured } from "#proto/common/measured.ts";
import type { PostgresqlFull, PostgresqlGate } from "#proto/engines/postgresql.ts";
import type { PgArchiver, PgReadiness } from "#proto/engines/postgresql-readiness.ts";
import type { PostgresqlClusterSettings } from "./settings.ts";

/** How a backup of the new server is proven. */
type Proof = NonNullable<PostgresqlClusterSettings["newBackup"]>;

/** As text, since it travels as the arguments of a gate; `unknown`: the old server did not say. */
export type Wanted = Readonly<
  Record<"standbys" | "maxLagBytes" | "connections" | "backup" | "backupWithinMs", string>
>;

/** `unknown` where the old server has not told what the inventory leaves to it. */
export function wantedOf(
  old: Pick<PostgresqlFull, "readiness"> | undefined,
  settings: PostgresqlClusterSettings,
): Wanted {
  const has = known(old?.readiness);
  const { newStandbys, newConnections, newBackup, newBackupWithinMs, cutOverLagBytes } = settings;
  const ofOld: Proof | undefined = has && (has.archiver.isOn ? "archive" : "none");
  return {
    standbys: String(newStandbys ?? (has === undefined ? "unknown" : standbysIn(has).length)),
    maxLagBytes: String(cutOverLagBytes),
    connections: String(newConnections ?? has?.maxConnections ?? "unknown"),
    backup: newBackup ?? ofOld ?? "unknown",
    backupWithinMs: String(newBackupWithinMs),
  };
}

/** Judges one of them: null where it is there or nothing is asked, else what is missing; not measured is UNKNOWN. */
export type Requirement = (
  facts: Pick<PostgresqlGate, "readiness" | "backup">,
  wanted: Wanted,
) => Measured<Failure | null>;

/** By the id of its check, for which a person may answer. */
export const requirements = {
  "target-standbys": ({ readiness }, wanted) =>
    wanted.standbys === "0" ? nothing(readiness) : judged(readiness, (has) => standbysMissing(has, wanted)),
  "target-backup": ({ readiness, backup }, wanted) => {
    switch (wanted.backup as Proof) {
      case "none":
        return nothing(readiness);
      case "archive":
        return judged(readiness, ({ archiver }) => archiveMissing(archiver, Number(wanted.backupWithinMs)));
      case "hook":
        return judged(backup, (said) => {
          if (said === null) return failure("postgresql.new-backup-no-hook");
          const facts = { exitCode: String(said.exitCode), said: said.lastLine };
          return said.exitCode === 0 ? null : failure("postgresql.new-backup-missing", facts);
        });
      default:
        return { at: readiness.at, unknown: failure("measure.never-taken") };
    }
  },
  "target-connections": ({ readiness }, { connections: wanted }) =>
    judged(readiness, ({ maxConnections }) =>
      maxConnections >= Number(wanted)
        ? null
        : failure("postgresql.new-connections-few", { found: String(maxConnections), wanted }),
    ),
} satisfies Readonly<Record<string, Requirement>>;

/** What catches up comes by itself; the rest is a person's. */
export function isForPerson({ code }: Failure): boolean {
  return code !== "postgresql.new-standbys-behind";
}

function judged<T>(found: Measured<T>, judge: (value: T) => Failure | null): Measured<Failure | null> {
  return "value" in found ? { at: found.at, value: judge(found.value) } : found;
}

function nothing({ at }: Measured<unknown>): Measured<null> {
  return { at, value: null };
}

/** A receiver of WAL for a backup cannot take over. */
function standbysIn({ receivers }: PgReadiness): PgReadiness["receivers"] {
  return receivers.filter(({ isReplaying }) => isReplaying);
}

function standbysMissing(has: PgReadiness, { standbys: wanted, maxLagBytes }: Wanted): Failure | null {
  const all = standbysIn(has);
  const near = all.filter(
    ({ state, lagBytes }) => state === "streaming" && lagBytes !== null && lagBytes <= Number(maxLagBytes),
  );
  if (near.length >= Number(wanted)) return null;
  const facts: Facts = {
    wanted,
    found: String(near.length),
    names: all.map(({ name, state }) => `${name} (${state})`).join(", ") || "none",
    maxLagBytes,
  };
  return failure(
    all.length >= Number(wanted) ? "postgresql.new-standbys-behind" : "postgresql.new-standbys-missing",
    facts,
  );
}

function archiveMissing({ isOn, archivedAgoS, isFailing, failedFile }: PgArchiver, withinMs: number) {
  if (!isOn) return failure("postgresql.new-archive-off");
  if (isFailing) return failure("postgresql.new-archive-failing", { file: failedFile ?? "?" });
  const isFresh = archivedAgoS !== null && archivedAgoS * 1_000 <= withinMs;
  return isFresh ? null : failure("postgresql.new-archive-old", { within: renderDuration(withinMs) });
}
