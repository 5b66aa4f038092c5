/** Two PostgreSQL clusters as their agents describe them when a move may begin, and ways to make them less fit. */
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { FileSystem, NodeReport } from "#proto/common/report.ts";
import type {
  PgDatabase,
  PgServer,
  PgSlot,
  PgSubscription,
  PostgresqlFull,
} from "#proto/engines/postgresql.ts";
import type { PgReadiness, PgWalReceiver } from "#proto/engines/postgresql-readiness.ts";

export const at = "2026-02-01T10:00:00.000Z";

export function is<T>(value: T): Measured<T> {
  return { at, value };
}

export const unknown = { at, unknown: { code: "measure.failed", facts: { cause: "test" } } } as const;

type Facts = Partial<Record<keyof PostgresqlFull, Measured<unknown>>>;

/** Of one node: what its report says otherwise than that of a sound one. */
export interface Changed {
  readonly facts?: Facts;
  readonly server?: Partial<PgServer>;
  readonly settings?: Readonly<Record<string, string | undefined>>;
  readonly fileSystems?: NodeReport["host"]["fileSystems"];
  readonly address?: string;
  /** The node has not reported. */
  readonly silent?: boolean;
}

export interface Sides {
  readonly source?: Changed;
  readonly target?: Changed;
  /** The one database that is carried. */
  readonly shop?: Partial<PgDatabase>;
  /** Others of the source. */
  readonly more?: readonly PgDatabase[];
  /** Settings of the source's entry in the inventory. */
  readonly entry?: Readonly<Record<string, string>>;
  /** A second node of the source's cluster, told as a standby where nothing else is told. */
  readonly second?: Changed;
  readonly to?: string;
  readonly into?: boolean;
  readonly method?: string;
}

const none = {
  withoutIdentity: [],
  identityByIndex: [],
  identityImpossible: [],
  fullIncomparable: [],
  generatedIdentity: [],
  keyless: [],
  unlogged: [],
  foreignTables: [],
  materializedViews: [],
  alwaysTriggers: [],
  eventTriggers: [],
  rowSecurity: [],
  publications: [],
  subscriptions: [],
  regColumns: [],
  extensionTables: [],
  foreignServers: [],
};

export function database(name: string, changed: Partial<PgDatabase> = {}): PgDatabase {
  return {
    ...none,
    name,
    owner: "app",
    encoding: "UTF8",
    collate: "en_US.UTF-8",
    ctype: "en_US.UTF-8",
    provider: "libc",
    locale: null,
    collationVersion: null,
    sizeBytes: 100 * 1024 ** 2,
    connectionLimit: -1,
    userTables: 7,
    largeObjects: 0,
    sequences: 2,
    extensions: [
      { name: "plpgsql", version: "1.0" },
      { name: "hstore", version: "1.8" },
    ],
    hypertables: 0,
    pglogicalNode: null,
    counts: {},
    ...changed,
  };
}

const unused = (changed: Partial<PgDatabase> = {}) => database("postgres", { userTables: 0, ...changed });

export function slot(name: string, changed: Partial<PgSlot> = {}): PgSlot {
  const bytes = { retainedBytes: 0, lagBytes: 0 };
  return {
    name,
    plugin: "pgoutput",
    database: "shop",
    isActive: true,
    walStatus: "reserved",
    ...bytes,
    ...changed,
  };
}

export function subscription(name: string): PgSubscription {
  return {
    name,
    database: "shop",
    isEnabled: true,
    isWorking: true,
    tables: {},
    errors: 0,
    lastError: null,
    copiedBytes: 0,
  };
}

const settings = {
  archive_mode: "off",
  listen_addresses: "*",
  max_connections: "100",
  max_logical_replication_workers: "4",
  max_replication_slots: "10",
  max_slot_wal_keep_size: "-1",
  max_sync_workers_per_subscription: "2",
  max_wal_senders: "10",
  max_worker_processes: "8",
  shared_preload_libraries: "",
  wal_level: "logical",
};

/** A standby as its primary sees it. */
export function standby(name: string, changed: Partial<PgWalReceiver> = {}): PgWalReceiver {
  return { name, state: "streaming", isReplaying: true, lagBytes: 0, ...changed };
}

export function readiness(changed: Partial<PgReadiness> = {}): PgReadiness {
  const archiver = { isOn: false, archivedAgoS: null, isFailing: false, failedFile: null };
  return { receivers: [], archiver, maxConnections: 100, ...changed };
}

/** An archive that works. */
export const archives = { isOn: true, archivedAgoS: 60, isFailing: false, failedFile: null };

const gibibyte = 1024 ** 3;

function fileSystem(availableBytes: number): FileSystem {
  const sizeBytes = 100 * gibibyte;
  return {
    path: "/data",
    mount: "/",
    sizeBytes,
    availableBytes,
    inodes: 1_000_000,
    inodesAvailable: 900_000,
  };
}

export const disk = (availableBytes: number) => is([fileSystem(availableBytes)]);

const walRoom = (freeBytes: number) =>
  is({ usedPercent: 100 - freeBytes / gibibyte, freeBytes, bytesPerS: null });

/** A disk of its own for the WAL, of the same size. */
export const walDisk = (freeBytes: number): Changed => ({ facts: { walRoom: walRoom(freeBytes) } });

const servers = {
  old: { version: "15.18 (Debian 15.18-1)", versionNum: 150_018, systemId: "1" },
  new: { version: "18.4", versionNum: 180_004, systemId: "2" },
} as const;

function reportOf(name: "old" | "new", databases: readonly PgDatabase[], changed: Changed): NodeReport {
  const server: PgServer = {
    ...servers[name],
    isStandby: false,
    startedAt: at,
    dataDirectory: "/data",
    isSuperuser: true,
    ...changed.server,
  };
  const read = Object.entries({ ...settings, ...changed.settings }).filter(
    ([, value]) => value !== undefined,
  );
  const facts: Record<
    Exclude<keyof PostgresqlFull, "inPlace" | "birth" | "made" | "packages">,
    Measured<unknown>
  > = {
    server: is(server),
    slots: is([]),
    subscriptions: is([]),
    fence: is({ isReadOnly: false, open: ["postgres", "shop", "stock"], clients: 3 }),
    oldServer: is(null),
    walRoom: walRoom(60 * gibibyte),
    settings: is(Object.fromEntries(read)),
    databases: is(databases),
    closedDatabases: is([]),
    available: is({ plpgsql: "1.0", hstore: "1.8" }),
    roles: is(["postgres", "app"]),
    tablespaces: is([]),
    preparedTransactions: is([]),
    oldestTransactionS: is(3),
    standbys: is(0),
    readiness: is(readiness()),
    backup: is(null),
    walSenders: is(0),
    backgroundWorkers: is(1),
    locales: is(["C", "POSIX", "en_US.utf8"]),
    highAvailability: is([]),
    patroni: is(null),
    restart: is(null),
    toolsMajor: is(18),
    checksums: is(true),
    leftOvers: is([]),
    ...changed.facts,
  };
  const host = {
    os: is("Debian 13"),
    kernel: is("6"),
    bootId: is("b"),
    clockSynchronised: is(true),
    load: is<[number, number, number]>([0, 0, 0]),
    memory: is({ totalBytes: gibibyte, availableBytes: gibibyte }),
    fileSystems: changed.fileSystems ?? disk(50 * gibibyte),
    agentVersion: "0.1.0",
  };
  return { format: 1, node: name, takenAt: at, depth: "full", engine: "postgresql", host, facts };
}

function entryOf(name: string, nodes: ClusterEntry["nodes"]): ClusterEntry {
  return {
    name,
    engine: "postgresql",
    topology: "primary",
    deployment: "package",
    nodes,
    gates: { everyMs: 1_000, dwellMs: 1_000, limitMs: 60_000 },
    settings: {},
    windows: [],
  };
}

export function inputOf({
  source,
  target,
  shop,
  more = [],
  entry,
  second,
  to = "18",
  into,
  method,
}: Sides): PlaybookInput {
  const oldDatabases = [unused(), database("shop", shop), ...more];
  const oldNodes = [
    { name: "old", address: source?.address ?? "10.0.0.1" },
    ...(second === undefined ? [] : [{ name: "old2", address: "10.0.0.3" }]),
  ];
  const standby = { ...second, server: { isStandby: true, ...second?.server } };
  return {
    cluster: { ...entryOf("alt", oldNodes), settings: entry ?? {} },
    wish: {
      to,
      ...(into === false ? {} : { into: "neu" }),
      ...(method === undefined ? {} : { method }),
    },
    reports: {
      old: source?.silent === true ? undefined : reportOf("old", oldDatabases, source ?? {}),
      ...(second === undefined || second.silent === true
        ? {}
        : { old2: reportOf("old", oldDatabases, standby) }),
    },
    nowMs: 0,
    clockOffsets: {},
    ...(into === false
      ? {}
      : {
          into: {
            cluster: entryOf("neu", [{ name: "new", address: target?.address ?? "10.0.0.2" }]),
            reports: { new: target?.silent === true ? undefined : reportOf("new", [unused()], target ?? {}) },
            clockOffsets: {},
          },
        }),
  };
}
