/** PURE. What nodes tell each other: one record a node, newest version wins; and what a record means at a moment. */
import { type Member, place, type Range, type StoreMetrics } from "./placement.ts";

export interface Descriptor {
  readonly address: string;
  readonly build: string;
  readonly startedAt: number;
  readonly startMode: string;
  readonly locality: string;
}

export interface Job {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly created: number;
}

export interface NodeRecord {
  readonly id: number;
  readonly version: number;
  readonly epoch: number;
  readonly expiration: number;
  readonly updatedAt: number;
  readonly draining: boolean;
  readonly membership: "active" | "decommissioning" | "decommissioned";
  readonly upgrading: boolean;
  /** Absent once the node is long gone. */
  readonly desc?: Descriptor;
  /** The last numbers that the node persisted; they stay when it dies. */
  readonly metrics?: StoreMetrics;
  readonly leasesFrom: number;
  readonly leaseWeight: number;
  readonly replicaWeight: number;
  readonly jobs: readonly Job[];
  readonly clients: readonly string[];
}

export interface Setting {
  /** null: it was set once, and is no longer. */
  readonly value: string | null;
  readonly version: number;
}

export interface Identity {
  readonly clusterId: string;
  readonly nodeId: number;
}

/** What the store folder keeps of a node's knowledge. */
export interface Kept {
  readonly identity?: Identity;
  readonly peers: readonly string[];
  readonly records: readonly NodeRecord[];
  readonly settings: readonly (readonly [string, Setting])[];
}

/** A node that has only been given its id. */
export const freshRecord = (id: number, now: number): NodeRecord => ({
  ...{ id, version: 0, epoch: 0, expiration: 0, updatedAt: now, leasesFrom: 0 },
  ...{ draining: false, membership: "active", upgrading: false },
  ...{ leaseWeight: 1, replicaWeight: 1, jobs: [], clients: [] },
});

export interface Gossip {
  readonly records: ReadonlyMap<number, NodeRecord>;
  readonly settings: ReadonlyMap<string, Setting>;
}

function newest<K, V extends { readonly version: number }>(
  known: ReadonlyMap<K, V>,
  heard: Iterable<readonly [K, V]>,
): ReadonlyMap<K, V> {
  const merged = new Map(known);
  for (const [key, value] of heard) {
    if (value.version > (merged.get(key)?.version ?? -1)) merged.set(key, value);
  }
  return merged;
}

export function merge(known: Gossip, heard: Gossip): Gossip {
  return { records: newest(known.records, heard.records), settings: newest(known.settings, heard.settings) };
}

/** The database's own periods, in its milliseconds; everything is multiplied by the tick scale. */
export const periods = {
  beat: 1000,
  liveness: 9000,
  metrics: 10_000,
  leasesReturn: 5000,
  descriptor: 3_600_000,
  peersMissing: 30_000,
};

export const isLive = (record: NodeRecord, now: number): boolean => now < record.expiration;

/** Everything a statement or a page is answered from: the answering node's own, possibly late, view. */
export interface View {
  readonly self: number;
  readonly now: number;
  readonly scale: number;
  readonly records: readonly NodeRecord[];
  readonly settings: ReadonlyMap<string, Setting>;
}

export function describedIn(view: View, record: NodeRecord): Descriptor | undefined {
  return view.now < record.updatedAt + periods.descriptor * view.scale ? record.desc : undefined;
}

export function livenessStatus(
  record: NodeRecord,
  now: number,
): "LIVE" | "DEAD" | "UPGRADING" | "DECOMMISSIONING" | "DECOMMISSIONED" {
  if (record.membership === "decommissioned") return "DECOMMISSIONED";
  if (record.upgrading) return "UPGRADING";
  if (!isLive(record, now)) return "DEAD";
  return record.membership === "decommissioning" ? "DECOMMISSIONING" : "LIVE";
}

export function membersIn(view: View): readonly Member[] {
  return view.records
    .filter((record) => record.membership !== "decommissioned")
    .map((record) => ({
      id: record.id,
      live: isLive(record, view.now),
      takesLeases: isLive(record, view.now) && !record.draining && view.now >= record.leasesFrom,
      replicaWeight: record.membership === "active" ? record.replicaWeight : 0,
      leaseWeight: record.leaseWeight,
    }));
}

export function rangesIn(view: View): readonly Range[] {
  const mode = view.records.find((record) => record.id === view.self)?.desc?.startMode;
  return place(membersIn(view), mode === "start" ? 3 : 1);
}
