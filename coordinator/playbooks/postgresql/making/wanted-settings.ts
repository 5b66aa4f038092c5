/**
 * What a move into the new server, and its way back, need of settings that only a start brings into force: as much as all databases
 * take that copy tables at one time. Where the old server has more, that stays.
 */
import { known, type Measured } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import type { PostgresqlClusterSettings } from "../settings.ts";
import { databasesOf, sourceSide } from "../sides.ts";

/** What somebody else may need beside the move: backups, parallel queries. */
const spare = 8;
/** From here on origins have a setting of their own; before they are counted by slots. */
const ownOrigins = 18;
/** The default of every version. */
const workersPerTable = 2;

export function wantedSettings(
  input: PlaybookInput,
  { databasesAtOnce }: Pick<PostgresqlClusterSettings, "databasesAtOnce">,
  to: string,
): Measured<Readonly<Record<string, string>>> | undefined {
  const source = sourceSide(input);
  const databases = databasesOf(input);
  if (source === undefined || databases === undefined) return undefined;
  const { settings } = source.facts;
  const has = known(settings);
  if (has === undefined) return settings;
  const perTable = Number(has["max_sync_workers_per_subscription"] ?? workersPerTable);
  const all = Math.max(databases.length, databasesAtOnce) * (1 + perTable);
  const least = {
    max_logical_replication_workers: all + spare,
    max_replication_slots: all + spare,
    max_wal_senders: all + spare,
    // pglogical has one more for each database
    max_worker_processes: all + databases.length + 2 * spare,
    ...(Number(to) >= ownOrigins ? { max_active_replication_origins: all + spare } : {}),
  };
  const value = Object.fromEntries(
    Object.entries(least).map(([name, count]) => [name, String(Math.max(count, Number(has[name] ?? 0)))]),
  );
  return { at: "at" in settings ? settings.at : "", value: { wal_level: "logical", ...value } };
}
