/** What stands in the way of a move by pglogical, and would not of another one. */
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import type { Case } from "./cases.ts";
import { type Changed, database, is, type Sides, unknown } from "./pair.ts";

const available = is({ plpgsql: "1.0", hstore: "1.8", pglogical: "2.4.5" });
const loaded = { shared_preload_libraries: "pg_stat_statements, pglogical" };

/** Two servers that a move by pglogical was tried between, ready for it. */
export function throughPglogical(source: Changed = {}, target: Changed = {}, more: Sides = {}): Sides {
  const ready = ({ facts, settings, ...rest }: Changed): Changed => ({
    ...rest,
    facts: { available, ...facts },
    settings: { ...loaded, ...settings },
  });
  const server = { versionNum: 170_010, version: "17.10" };
  return {
    ...more,
    source: ready(source),
    target: ready({ server, ...target }),
    to: "17",
    method: "pglogical",
  };
}

const shop = (changed: Partial<PgDatabase>): Sides => throughPglogical({}, {}, { shop: changed });
const none = { available: is({ plpgsql: "1.0", hstore: "1.8" }) };
const guarded = { output_plugin_libraries: "pgoutput, test_decoding" };

export const pglogicalNotFit: readonly Case[] = [
  ["source-pglogical ko", "no package there", throughPglogical({ facts: none }), "postgresql-15-pglogical"],
  [
    "target-pglogical ko",
    "none at the target",
    throughPglogical({}, { facts: none }),
    "postgresql-17-pglogical",
  ],
  [
    "source-pglogical-preload ko",
    "a library that is not loaded",
    throughPglogical({ settings: { shared_preload_libraries: "pg_stat_statements" } }),
    "ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements, pglogical; then restart",
  ],
  [
    "source-pglogical-plugin warn",
    "a plugin that is not trusted",
    throughPglogical({ settings: guarded }),
    "'pgoutput, test_decoding'",
  ],
  ["target-pglogical-plugin warn", "none trusted there", throughPglogical({}, { settings: guarded })],
  [
    "source-pglogical-version warn",
    "a version that it was not tried with",
    throughPglogical({ server: { versionNum: 140_023, version: "14.23" } }),
    "tested with 15, 17",
  ],
  [
    "pglogical-keyless ko",
    "rows that only the whole row tells apart",
    shop({ keyless: ["public.log"], counts: { keyless: 61 } }),
    "61 tables",
  ],
  [
    "pglogical-node ko",
    "a database that is a node",
    shop({ pglogicalNode: "theirs" }),
    "theirs in shop of alt",
  ],
  [
    "pglogical-node ko",
    "one of the target",
    throughPglogical(
      {},
      { facts: { databases: is([database("shop", { userTables: 0, pglogicalNode: "n" })]) } },
    ),
    "n in shop of neu",
  ],
  [
    "source-process-room ko",
    "no room for its workers",
    throughPglogical({ settings: { max_worker_processes: "4" } }),
    "max_worker_processes",
  ],
  ["target-process-room ko", "none there", throughPglogical({}, { settings: { max_worker_processes: "4" } })],
  [
    "pglogical-patroni unknown",
    "a manager that does not answer",
    throughPglogical({ facts: { patroni: unknown } }),
  ],
];
