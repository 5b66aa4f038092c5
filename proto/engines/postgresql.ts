/**
 * What an agent says of the PostgreSQL server that it serves, and what the playbook judges it by. Both ends import this
 * file; it holds shapes only. Field names follow the server's own catalogues where it has one.
 */
import { z } from "zod";
import { measured } from "../common/measured.ts";
import { birthSchema, madeSchema } from "./postgresql-made.ts";
import { packagesSchema } from "./postgresql-packages.ts";
import { patroniSchema } from "./postgresql-patroni.ts";
import { backupSchema, readinessSchema } from "./postgresql-readiness.ts";

export const serverSchema = z.object({
  /** `server_version`, as printed: 15.18, 18.4 (Debian …). */
  version: z.string(),
  /** 150018 for 15.18. */
  versionNum: z.number(),
  /** From the control file: the same on primary and standbys, another one for every initdb. */
  systemId: z.string(),
  isStandby: z.boolean(),
  startedAt: z.string(),
  dataDirectory: z.string(),
  /** The agent's own account is a superuser there. */
  isSuperuser: z.boolean(),
});
export type PgServer = z.infer<typeof serverSchema>;

export const slotSchema = z.object({
  name: z.string(),
  plugin: z.string().nullable(),
  database: z.string().nullable(),
  isActive: z.boolean(),
  /** reserved, extended, unreserved, lost; null before 13. */
  walStatus: z.string().nullable(),
  /** WAL that the server keeps for it: from restart_lsn to now. */
  retainedBytes: z.number().nullable(),
  /** What its consumer has not confirmed yet: from confirmed_flush_lsn to now. */
  lagBytes: z.number().nullable(),
});
export type PgSlot = z.infer<typeof slotSchema>;

export const subscriptionSchema = z.object({
  name: z.string(),
  database: z.string(),
  isEnabled: z.boolean(),
  /** Its apply worker runs. */
  isWorking: z.boolean(),
  /** pg_subscription_rel.srsubstate: how many tables are in each. */
  tables: z.record(z.string(), z.number()),
  /** Of 15 and newer: apply_error_count + sync_error_count. */
  errors: z.number().nullable(),
  /** What its workers have failed of last, by the server's log; null where that says nothing or is not read. */
  lastError: z.string().nullable(),
  /** Bytes that its copied tables hold already. */
  copiedBytes: z.number(),
});
export type PgSubscription = z.infer<typeof subscriptionSchema>;

/** What keeps clients from writing, server-wide and by database. */
export const fenceSchema = z.object({
  isReadOnly: z.boolean(),
  /** Databases that take connections and whose connection limit is not 0. */
  open: z.array(z.string()),
  /** Sessions of clients other than agents of this tool; replication not counted. */
  clients: z.number(),
});
export type PgFence = z.infer<typeof fenceSchema>;

/** The file system of the server's WAL. */
export const walRoomSchema = z.object({
  usedPercent: z.number(),
  freeBytes: z.number(),
  /** WAL that was written over the last minutes; null until the agent has seen enough of it. */
  bytesPerS: z.number().nullable(),
});
export type PgWalRoom = z.infer<typeof walRoomSchema>;

/** How many names of one kind a report carries for each database. */
export const namesKept = 50;

/** A table by its database's own spelling: `schema.name`. */
const tables = z.array(z.string());

/** Each list of names is cut at `namesKept`; `counts` has how many there are of one that was cut, by the list's name. */
export const databaseSchema = z.object({
  name: z.string(),
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  /** libc, icu, builtin; c before 15 had names is `libc` too. */
  provider: z.string(),
  /** Of icu and builtin, which have one beside collate and ctype. */
  locale: z.string().nullable(),
  /** Of 15 and newer: what its collation was made with, and what the host has now. */
  collationVersion: z.object({ made: z.string(), now: z.string() }).nullable(),
  sizeBytes: z.number(),
  connectionLimit: z.number(),
  /** Relations of users, of whatever kind. */
  userTables: z.number(),
  /** Neither key nor usable index nor FULL: an UPDATE of it fails as soon as it is published. */
  withoutIdentity: tables,
  /** Of those, the ones that could have a unique index for it: `schema.table using index`. */
  identityByIndex: tables,
  /** Of those, the ones with a column that nothing can compare: FULL does not help. */
  identityImpossible: tables,
  /** REPLICA IDENTITY FULL already, with a column that nothing can compare. */
  fullIncomparable: tables,
  /** Whose identity, as it is or as it will be, has a generated column: an 18 that publishes them refuses their UPDATE. */
  generatedIdentity: tables,
  /** Neither a key nor an index that can be the identity, or FULL by its owner's wish: pglogical carries none of these. */
  keyless: tables,
  unlogged: tables,
  foreignTables: tables,
  materializedViews: tables,
  largeObjects: z.number(),
  /** As they weigh behind a fence: each counts for 4096 at least. Absent to a role that may not read them. */
  largeObjectBytes: z.number().optional(),
  /** Rows of unlogged tables. */
  unloggedBytes: z.number().optional(),
  sequences: z.number(),
  extensions: z.array(z.object({ name: z.string(), version: z.string() })),
  /** Triggers that fire during replication: `schema.table trigger`. */
  alwaysTriggers: tables,
  eventTriggers: z.array(z.string()),
  rowSecurity: tables,
  publications: z.array(z.string()),
  subscriptions: z.array(z.string()),
  hypertables: z.number(),
  /** Of pglogical: the node that this database is, where somebody has made it one. */
  pglogicalNode: z.string().nullable(),
  /** Types of another version's catalogue: regproc, regclass …, `schema.table.column`. */
  regColumns: tables,
  /** Of extensions, and holding rows: `schema.table of extension`. FOR ALL TABLES publishes them too. */
  extensionTables: tables,
  foreignServers: z.array(z.string()),
  counts: z.record(z.string(), z.number()),
});
export type PgDatabase = z.infer<typeof databaseSchema>;

/** Of an upgrade in place: what stands on the host, by the folders and units that the agent's own file names. */
export const inPlaceSchema = z.object({
  /** Of the programs on disk: 17.6, 18.1. */
  version: z.string(),
  newVersion: z.string(),
  newMajor: z.number(),
  data: z.string(),
  newData: z.string(),
  /** `load` and `active` as systemd has them. */
  unit: z.object({ name: z.string(), load: z.string(), active: z.string() }),
  newUnit: z.object({ name: z.string(), load: z.string(), active: z.string() }),
  /** Folders of the new server with something in them. */
  taken: z.array(z.string()),
  /** Where the new data goes. */
  availableBytes: z.number(),
  isOneFileSystem: z.boolean(),
  /** Where the WAL lies, when that is not the data folder. */
  walFolder: z.string().nullable(),
  /** Why the servers' account does not get into the old one over its socket; null: it does. */
  whyAccountNotIn: z.string().nullable(),
  /** Extensions and libraries that the new programs have, by name. */
  extensions: z.array(z.string()),
  libraries: z.array(z.string()),
});
export type PgInPlace = z.infer<typeof inPlaceSchema>;

/** What replicates and what is closed is told with every beat: a move may take days, and its standing is asked for at any time. */
const pulseShape = {
  server: measured(serverSchema),
  slots: measured(z.array(slotSchema)),
  subscriptions: measured(z.array(subscriptionSchema)),
  fence: measured(fenceSchema),
  walRoom: measured(walRoomSchema),
};

const gateShape = {
  ...pulseShape,
  readiness: measured(readinessSchema),
  /** By the command `proveBackup` of the agent's file; null where that names none. */
  backup: measured(backupSchema.nullable()),
};

const fullShape = {
  ...gateShape,
  /** By name: those that the checks ask for; one that the version does not have is absent. */
  settings: measured(z.record(z.string(), z.string())),
  databases: measured(z.array(databaseSchema)),
  /** No template, and takes no connections: not asked, and not carried. */
  closedDatabases: measured(z.array(z.string())),
  /** Extensions that could be installed: name to default version. */
  available: measured(z.record(z.string(), z.string())),
  roles: measured(z.array(z.string())),
  tablespaces: measured(z.array(z.string())),
  preparedTransactions: measured(z.array(z.string())),
  /** Seconds of the oldest transaction that is open. */
  oldestTransactionS: measured(z.number()),
  standbys: measured(z.number()),
  /** Taken of max_wal_senders and of max_worker_processes; those of this tool are not counted. */
  walSenders: measured(z.number()),
  backgroundWorkers: measured(z.number()),
  /** Collations of the host's C library that were there at initdb or were added since. */
  locales: measured(z.array(z.string())),
  /** patroni, repmgr …: what seems to manage this server, and by what it was seen. */
  highAvailability: measured(z.array(z.object({ kind: z.string(), by: z.string() }))),
  /** Where the agent's file names the Patroni of this host; null where it names none. */
  patroni: measured(patroniSchema.nullable()),
  /** By which command of its own file the agent may restart the server; null where that names none. */
  restart: measured(z.string().nullable()),
  /** What the agent's file lets it do with a server of no more use; null where it names no unit, or Patroni manages it. */
  oldServer: measured(z.object({ unit: z.string(), data: z.string().nullable() }).nullable()),
  /** Major version of `pg_dump` in the agent's folder of tools. */
  toolsMajor: measured(z.number()),
  checksums: measured(z.boolean()),
  /** `kind name`, of whatever rollout: slots, subscriptions, publications, roles, lines of pg_hba.conf, password files, notes. */
  leftOvers: measured(z.array(z.string())),
  /** Absent from an agent that knows of none. */
  inPlace: measured(inPlaceSchema).optional(),
  /** What the data folder was made with. Absent from an agent that does not tell it. */
  birth: measured(birthSchema).optional(),
  /** Absent where the agent's file names no server to be made. */
  made: measured(madeSchema).optional(),
  /** Absent where the agent's file names no packages. */
  packages: measured(packagesSchema).optional(),
};

export const postgresqlPulseSchema = z.object(pulseShape);
export const postgresqlGateSchema = z.object(gateShape);
export const postgresqlFullSchema = z.object(fullShape);
export type PostgresqlPulse = z.infer<typeof postgresqlPulseSchema>;
export type PostgresqlGate = z.infer<typeof postgresqlGateSchema>;
export type PostgresqlFull = z.infer<typeof postgresqlFullSchema>;
