/** Each bad input with the finding that it must give, and a word of what a person reads then. */
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import {
  type Changed,
  database,
  disk,
  is,
  type Sides,
  slot,
  subscription,
  unknown,
  walDisk,
} from "./pair.ts";

export const shop = (changed: Partial<PgDatabase>): Sides => ({ shop: changed });
export const source = (changed: Changed): Sides => ({ source: changed });
export const target = (changed: Changed): Sides => ({ target: changed });
const gibibyte = 1024 ** 3;

export type Case = readonly [finding: string, why: string, sides: Sides, tells?: string];

export const sidesNotFit: readonly Case[] = [
  ["target ko", "no cluster to go into", { into: false }, "--into CLUSTER"],
  ["reached unknown", "a target that does not report", target({ silent: true })],
  [
    "source-superuser ko",
    "an account that may not do everything",
    source({ server: { isSuperuser: false } }),
  ],
  ["target-superuser ko", "one of the target", target({ server: { isSuperuser: false } })],
  ["source-primary ko", "a standby as source", source({ server: { isStandby: true } })],
  ["target-primary ko", "a standby as target", target({ server: { isStandby: true } })],
  ["source-primary ko", "two primaries", { second: { server: { isStandby: false } } }, "old, old2"],
  ["other-server ko", "one cluster as both", target({ server: { systemId: "1" } })],
  ["newer ko", "an older target", target({ server: { versionNum: 140_023, version: "14.23" } }), "14.23"],
  ["newer ko", "the same major", { target: { server: { versionNum: 150_018 } }, to: "15" }],
  ["wanted-version ko", "another version than is wanted", { to: "17" }],
  ["wanted-version ko", "another minor than is wanted", { to: "18.5" }],
  ["wanted-version ko", "a version that is none", { to: "eighteen" }],
  [
    "target-version warn",
    "one that nobody has tested",
    { target: { server: { versionNum: 190_000 } }, to: "19" },
  ],
  [
    "minor warn",
    "an old minor",
    source({ server: { versionNum: 150_001, version: "15.1" } }),
    "15.18 is known",
  ],
  [
    "source-wal-level ko",
    "WAL that cannot be decoded",
    source({ settings: { wal_level: "replica" } }),
    "replica",
  ],
  [
    "target-wal-level ko",
    "no way back",
    target({ settings: { wal_level: "replica" } }),
    "ALTER SYSTEM SET wal_level",
  ],
  [
    "source-wal-limit warn",
    "a limit on WAL",
    source({ settings: { max_slot_wal_keep_size: "1024" } }),
    "1024 MiB",
  ],
  ["target-wal-limit warn", "a limit there", target({ settings: { max_slot_wal_keep_size: "0" } })],
  [
    "target-idle-slots warn",
    "slots that die idle",
    target({ settings: { idle_replication_slot_timeout: "60" } }),
  ],
  ["source-idle-slots warn", "the same here", source({ settings: { idle_replication_slot_timeout: "60" } })],
  [
    "source-managed unknown",
    "somebody who fails it over",
    source({ facts: { highAvailability: is([{ kind: "patroni", by: "process patroni" }]) } }),
    "patroni (process patroni)",
  ],
  [
    "target-managed unknown",
    "a host that was not looked at",
    target({ facts: { highAvailability: unknown } }),
  ],
  [
    "source-left-overs ko",
    "slots of an earlier move",
    source({ facts: { leftOvers: is(["slot lockkeeper_r1"]) } }),
    "slot lockkeeper_r1",
  ],
  [
    "target-left-overs ko",
    "roles of an earlier move",
    target({ facts: { leftOvers: is(["role lockkeeper_r1"]) } }),
  ],
  [
    "source-subscriptions unknown",
    "a source that subscribes",
    source({ facts: { subscriptions: is([subscription("in")]) } }),
    "in in shop",
  ],
  [
    "target-subscriptions unknown",
    "a target that does",
    target({ facts: { subscriptions: is([subscription("in")]) } }),
  ],
  [
    "source-slots unknown",
    "a consumer of changes",
    source({ facts: { slots: is([slot("cdc", { plugin: "wal2json" })]) } }),
    "cdc (wal2json)",
  ],
  ["target-slots unknown", "one there", target({ facts: { slots: is([slot("cdc")]) } })],
  [
    "source-listens warn",
    "a source that only its own host reaches",
    source({ settings: { listen_addresses: "localhost" } }),
  ],
  [
    "target-listens warn",
    "a target that only its own host reaches",
    target({ settings: { listen_addresses: "127.0.0.1,::1" } }),
  ],
];

export const databasesNotFit: readonly Case[] = [
  ["databases ko", "a name that is none", { entry: { databases: "shop,shpo" } }, "shpo"],
  ["databases unknown", "databases that could not be read", source({ facts: { databases: unknown } })],
  [
    "closed-databases warn",
    "one that takes no connections",
    source({ facts: { closedDatabases: is(["vault"]) } }),
    "vault",
  ],
  [
    "databases-left unknown",
    "one that is not listed",
    { entry: { databases: "shop" }, more: [database("stock")] },
    "NOBODY serves them",
  ],
  [
    "databases-left ko",
    "one that would be deleted",
    {
      entry: { databases: "shop", "old-data": "remove" },
      more: [database("stock")],
      source: { facts: { oldServer: is({ unit: "postgresql@15-main.service", data: "/data" }) } },
    },
    "stock",
  ],
  [
    "databases-left ko",
    "one that takes no connections, and would be deleted",
    {
      entry: { "old-data": "remove" },
      source: {
        facts: {
          closedDatabases: is(["vault"]),
          oldServer: is({ unit: "postgresql@15-main.service", data: "/data" }),
        },
      },
    },
    "vault",
  ],
  [
    "prepared-transactions ko",
    "one prepared",
    source({ facts: { preparedTransactions: is(["x1 in shop"]) } }),
    "COMMIT PREPARED 'x1'",
  ],
  [
    "long-transaction warn",
    "one open for long",
    source({ facts: { oldestTransactionS: is(3_600) } }),
    "60 minutes",
  ],
  [
    "source-open ko",
    "a source that is read-only",
    source({ facts: { fence: is({ isReadOnly: true, open: ["shop"], clients: 0 }) } }),
  ],
  [
    "source-open ko",
    "a database that is shut",
    source({ facts: { fence: is({ isReadOnly: false, open: [], clients: 0 }) } }),
    "shop",
  ],
  [
    "collation-version warn",
    "indexes sorted otherwise",
    shop({ collationVersion: { made: "2.31", now: "2.36" } }),
    "shop: 2.31, now 2.36",
  ],
  [
    "identity warn",
    "tables without identity",
    shop({ withoutIdentity: ["public.a", "public.b"], identityByIndex: ["public.a using k"] }),
    "shop: public.a using k, public.b FULL",
  ],
  [
    "identity-impossible ko",
    "a table that nothing identifies",
    shop({ withoutIdentity: ["public.j"], identityImpossible: ["public.j"] }),
    "shop: public.j",
  ],
  ["full-incomparable unknown", "FULL with json", shop({ fullIncomparable: ["public.j"] }), "public.j"],
  ["generated-identity ko", "a computed key", shop({ generatedIdentity: ["public.g"] }), "shop: public.g"],
  ["unlogged unknown", "rows that are in no WAL", shop({ unlogged: ["public.u"] }), "shop: public.u"],
  [
    "unlogged unknown",
    "more of them than go along",
    { ...shop({ unlogged: ["public.u"], unloggedBytes: 8_193 }), entry: { "carry-limit-bytes": "8192" } },
    "NOT carried",
  ],
  [
    "unlogged warn",
    "few rows that are in no WAL",
    shop({ unlogged: ["public.u"], unloggedBytes: 8_192 }),
    "go along while writes stand still, 1 MiB at most, and are compared: shop: public.u",
  ],
  ["large-objects unknown", "large objects", shop({ largeObjects: 20 }), "shop: 20"],
  [
    "large-objects unknown",
    "more of them than go along",
    shop({ largeObjects: 20, largeObjectBytes: 64 * 1024 ** 2 + 1 }),
    "weigh 65 MiB (each 4 KiB at least), and 64 go along (carry-limit-bytes)",
  ],
  [
    "large-objects warn",
    "some large objects",
    shop({ largeObjects: 20, largeObjectBytes: 64 * 1024 ** 2 }),
    "64 MiB at most, and are compared: shop: 20",
  ],
  ["hypertables ko", "hypertables", shop({ hypertables: 1 }), "shop: 1"],
  ["foreign-tables warn", "tables elsewhere", shop({ foreignTables: ["public.f"] })],
  ["foreign-servers warn", "servers elsewhere", shop({ foreignServers: ["far"] })],
  ["materialized-views warn", "a materialized view", shop({ materializedViews: ["public.m"] })],
  ["event-triggers warn", "an event trigger", shop({ eventTriggers: ["e"] })],
  ["always-triggers warn", "a trigger that fires at the target", shop({ alwaysTriggers: ["public.a t"] })],
  ["row-security warn", "policies", shop({ rowSecurity: ["public.a"] })],
  ["reg-columns warn", "names of the catalogue as values", shop({ regColumns: ["public.a.c"] })],
  [
    "extension-tables warn",
    "rows of an extension",
    shop({ extensionTables: ["public.spatial_ref_sys of postgis"] }),
  ],
  ["source-publications unknown", "another publication", shop({ publications: ["theirs"] }), "shop: theirs"],
];

export const pairNotFit: readonly Case[] = [
  [
    "source-tools ko",
    "tools that cannot read the source",
    source({ facts: { toolsMajor: is(14) } }),
    "postgresql-client-18",
  ],
  ["source-tools warn", "tools older than the target", source({ facts: { toolsMajor: is(15) } })],
  ["target-tools warn", "old tools there", target({ facts: { toolsMajor: is(17) } })],
  ["source-tools unknown", "no tools", source({ facts: { toolsMajor: unknown } })],
  [
    "extensions ko",
    "an extension that is not there",
    target({ facts: { available: is({ plpgsql: "1.0" }) } }),
    "hstore (in shop)",
  ],
  [
    "extension-versions warn",
    "one of another version",
    target({ facts: { available: is({ plpgsql: "1.0", hstore: "1.9" }) } }),
    "hstore 1.8, there 1.9",
  ],
  [
    "preload warn",
    "a library that is not loaded",
    source({ settings: { shared_preload_libraries: "pg_stat_statements" } }),
  ],
  [
    "tablespaces ko",
    "a tablespace that is not there",
    source({ facts: { tablespaces: is(["fast"]) } }),
    "CREATE TABLESPACE fast",
  ],
  [
    "checksums warn",
    "checksums here alone",
    target({ facts: { checksums: is(false) } }),
    "on at the source and off",
  ],
  [
    "target-empty ko",
    "a database with our name",
    target({ facts: { databases: is([database("shop")]) } }),
    "shop (7 relations)",
  ],
  [
    "target-empty unknown",
    "a target whose databases nobody knows",
    target({ facts: { databases: unknown } }),
  ],
  [
    "target-extension-rows ko",
    "a database with our name, whose extension has the rows that ours brings",
    {
      ...shop({ extensionTables: ["public.spatial_ref_sys of postgis"] }),
      ...target({
        facts: {
          databases: is([
            database("shop", {
              userTables: 0,
              extensionTables: ["public.own of postgis", "public.spatial_ref_sys of postgis"],
            }),
          ]),
        },
      }),
    },
    "'TRUNCATE public.spatial_ref_sys CASCADE'",
  ],
  [
    "target-others unknown",
    "somebody else's database",
    target({ facts: { databases: is([database("wiki")]) } }),
    "wiki",
  ],
  [
    "target-open ko",
    "a target that is read-only, after a way back or by hand",
    target({ facts: { fence: is({ isReadOnly: true, open: ["postgres"], clients: 0 }) } }),
    "default_transaction_read_only is on",
  ],
  [
    "target-open ko",
    "an empty database there that lets nobody in",
    target({ facts: { databases: is([database("shop", { userTables: 0, connectionLimit: 0 })]) } }),
    "connection limit 0: shop",
  ],
  [
    "encoding ko",
    "another encoding",
    target({ facts: { databases: is([database("shop", { userTables: 0, encoding: "SQL_ASCII" })]) } }),
    "shop: UTF8, there SQL_ASCII",
  ],
  [
    "locale warn",
    "another locale",
    target({ facts: { databases: is([database("shop", { userTables: 0, collate: "C" })]) } }),
  ],
  [
    "locale warn",
    "another provider",
    target({ facts: { databases: is([database("shop", { userTables: 0, provider: "icu" })]) } }),
  ],
  [
    "locales warn",
    "a locale that the host does not have",
    shop({ collate: "de_DE.UTF-8" }),
    "locale-gen de_DE.utf8",
  ],
  ["source-room ko", "a source that is full", source(walDisk(5 * gibibyte)), "95 % full"],
  [
    "source-room warn",
    "little room for WAL",
    {
      shop: { sizeBytes: 80 * gibibyte },
      source: walDisk(15 * gibibyte),
      target: { fileSystems: disk(98 * gibibyte) },
    },
  ],
  ["source-room unknown", "a disk of WAL that was not measured", source({ facts: { walRoom: unknown } })],
  [
    "target-room ko",
    "a target that is too small",
    target({ fileSystems: disk(119 * 1024 ** 2) }),
    "120 MiB are wanted",
  ],
  [
    "target-room unknown",
    "a folder that was not measured",
    target({ server: { dataDirectory: "/elsewhere" } }),
  ],
  ["target-room unknown", "disks that were not measured", target({ fileSystems: unknown })],
  [
    "source-slot-room ko",
    "two slots too few",
    source({ settings: { max_replication_slots: "2" } }),
    "max_replication_slots = 3",
  ],
  [
    "source-slot-room ko",
    "slots that others hold",
    source({ facts: { slots: is(Array.from({ length: 8 }, (_, n) => slot(`s${n}`, { plugin: null }))) } }),
    "8 in use",
  ],
  ["source-sender-room ko", "senders too few", source({ settings: { max_wal_senders: "2" } })],
  ["source-sender-room ko", "senders that standbys hold", source({ facts: { walSenders: is(8) } })],
  [
    "source-worker-room ko",
    "no worker for the way back",
    source({ settings: { max_logical_replication_workers: "0" } }),
  ],
  ["source-process-room ko", "processes that others hold", source({ facts: { backgroundWorkers: is(8) } })],
  [
    "target-worker-room ko",
    "workers too few",
    target({ settings: { max_logical_replication_workers: "2" } }),
  ],
  [
    "target-process-room ko",
    "processes too few",
    target({ settings: { max_worker_processes: "3" } }),
    "max_worker_processes = 4",
  ],
  [
    "target-origin-room ko",
    "origins too few",
    target({ settings: { max_active_replication_origins: "2" } }),
    "max_active_replication_origins",
  ],
  [
    "target-slot-room ko",
    "no slot for the way back",
    target({ settings: { max_replication_slots: "0", max_active_replication_origins: "10" } }),
  ],
  ["target-sender-room ko", "no sender for the way back", target({ settings: { max_wal_senders: "0" } })],
  [
    "source-slot-room unknown",
    "a number that is not told",
    source({ settings: { max_replication_slots: undefined } }),
  ],
];
