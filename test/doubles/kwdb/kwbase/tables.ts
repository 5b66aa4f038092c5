/** The tables of `kwdb_internal` and of SHOW that the stand-in knows, made from one node's view. */

import { buildTag } from "./build.ts";
import {
  describedIn,
  isLive,
  livenessStatus,
  membersIn,
  type NodeRecord,
  rangesIn,
  type View,
} from "./records.ts";
import { type Cell, type Table, timestamp } from "./table.ts";

export interface Source {
  readonly columns: readonly string[];
  /** Answered by requests to ranges: blocks while the quorum is lost. */
  readonly needsQuorum: boolean;
  rows(view: View): readonly (readonly Cell[])[];
}

/** Settings and their values as `SHOW CLUSTER SETTINGS` prints them. */
export const defaultSettings: Readonly<Record<string, string>> = {
  "server.time_until_store_dead": "30m0s",
  "kv.allocator.ts_store_dead_rebalance.enabled": "false",
  "cluster.preserve_downgrade_option": "",
  "ts.raft_log.sync_period": buildTag.startsWith("3.2") ? "0s" : "10s",
  "default_transaction_read_only.enabled": "false",
  "server.shutdown.drain_wait": "0s",
  "server.shutdown.query_wait": "10s",
  version: buildTag.startsWith("2.") ? "20.1-1" : "20.1-3",
};

export function settingValue(view: View, name: string): string {
  return view.settings.get(name)?.value ?? defaultSettings[name] ?? "";
}

/** A node counts as known while its last word is not much older than its liveness. */
export function nodeIsLive(view: View, record: NodeRecord): boolean {
  return view.now < record.expiration + 1000 * view.scale;
}

const array = (ids: readonly number[]): string => `{${ids.join(",")}}`;
const hostless = { attrs: "", network: "tcp" };

function leases(view: View, id: number): number {
  return rangesIn(view).filter((range) => range.leaseHolder === id).length;
}

function metricsOf(record: NodeRecord): Readonly<Record<string, number>> {
  const m = record.metrics ?? { ranges: 0, unavailable: 0, underreplicated: 0, replicas: 0, leaseholders: 0 };
  return {
    ranges: m.ranges,
    "ranges.unavailable": m.unavailable,
    "ranges.underreplicated": m.underreplicated,
    "ranges.overreplicated": 0,
    replicas: m.replicas,
    "replicas.leaders": m.leaseholders,
    "replicas.leaseholders": m.leaseholders,
    livebytes: m.replicas * 1_048_576,
  };
}

const rangeColumns = [
  "range_id",
  "start_key",
  "start_pretty",
  "end_key",
  "end_pretty",
  "database_name",
  "table_name",
  "index_name",
  "replicas",
  "replica_localities",
  "learner_replicas",
  "split_enforced_until",
];

function rangeRows(
  view: View,
): readonly { readonly cells: readonly Cell[]; readonly leaseHolder: number | null }[] {
  return rangesIn(view).map((range) => {
    const key = range.system ? `/System/${range.id}` : `/Table/${50 + range.id}`;
    const localities = array(range.replicas.map((id) => `"region=NODE${id}"`) as unknown as number[]);
    const table = range.system ? "" : `t${range.id}`;
    const cells = [
      range.id,
      key,
      key,
      `${key}/Max`,
      `${key}/Max`,
      range.system ? "" : "defaultdb",
      table,
      "",
      array(range.replicas),
      localities,
      "{}",
      null,
    ];
    return { cells, leaseHolder: range.leaseHolder };
  });
}

const jobColumns = [
  "job_id",
  "job_type",
  "description",
  "statement",
  "user_name",
  "status",
  "running_status",
  "created",
  "started",
  "finished",
  "modified",
  "errord",
  "fraction_completed",
  "error",
  "coordinator_id",
  "total_num_of_ex",
  "total_num_of_success",
  "total_num_of_fail",
  "time_of_last_success",
];

function jobRows(view: View): readonly (readonly Cell[])[] {
  return view.records.flatMap((record) =>
    record.jobs.map((job) => {
      const at = timestamp(job.created);
      const finished = ["succeeded", "failed", "canceled"].includes(job.status) ? at : null;
      return [
        job.id,
        job.type,
        `${job.type} by the stand-in`,
        "",
        "root",
        job.status,
        null,
        at,
        at,
        finished,
        at,
        null,
        0.5,
        "",
        record.id,
        0,
        0,
        0,
        null,
      ];
    }),
  );
}

function sessionRows(view: View): readonly (readonly Cell[])[] {
  return view.records
    .filter((record) => isLive(record, view.now))
    .flatMap((record) =>
      record.clients.map((client, at) => [
        record.id,
        `${record.id}f${String(at).padStart(30, "0")}`,
        "app",
        client,
        "application",
        "",
        "SELECT 1",
        timestamp(view.now),
        null,
        null,
        10_240,
        20_480,
      ]),
    );
}

const settingType = (value: string): string =>
  /^\d.*s$/.test(value) ? "d" : /^(true|false)$/.test(value) ? "b" : "s";

export const sources: Readonly<Record<string, Source>> = {
  "kwdb_internal.kv_store_status": {
    columns: [
      "node_id",
      "store_id",
      "attrs",
      "capacity",
      "available",
      "used",
      "logical_bytes",
      "range_count",
      "lease_count",
      "writes_per_second",
      "bytes_per_replica",
      "writes_per_replica",
      "metrics",
    ],
    needsQuorum: true,
    rows: (view) =>
      view.records
        .filter((record) => record.metrics !== undefined)
        .map((record) => [
          record.id,
          record.id,
          "[]",
          10_737_418_240,
          8_589_934_592,
          1_048_576,
          1_048_576,
          record.metrics?.replicas ?? 0,
          record.metrics?.leaseholders ?? 0,
          0,
          "{}",
          "{}",
          JSON.stringify(metricsOf(record)),
        ]),
  },
  "kwdb_internal.ranges": {
    columns: [
      ...rangeColumns,
      "lease_holder",
      ...(buildTag.startsWith("2.") ? [] : ["lease_holder_qps"]),
      "range_size",
    ],
    needsQuorum: true,
    rows: (view) =>
      rangeRows(view).map(({ cells, leaseHolder }) => [
        ...cells,
        leaseHolder,
        ...(buildTag.startsWith("2.") ? [] : [0]),
        1_048_576,
      ]),
  },
  "kwdb_internal.ranges_no_leases": {
    columns: rangeColumns,
    needsQuorum: true,
    rows: (view) => rangeRows(view).map(({ cells }) => cells),
  },
  "kwdb_internal.gossip_liveness": {
    columns: ["node_id", "epoch", "expiration", "draining", "decommissioning", "upgrading", "updated_at"],
    needsQuorum: false,
    rows: (view) =>
      view.records.map((record) => [
        record.id,
        record.epoch,
        `${(record.expiration / 1000).toFixed(9)},0`,
        record.draining,
        record.membership !== "active",
        record.upgrading,
        timestamp(record.updatedAt),
      ]),
  },
  "kwdb_internal.gossip_nodes": {
    columns: [
      "node_id",
      "network",
      "address",
      "advertise_address",
      "sql_network",
      "sql_address",
      "advertise_sql_address",
      "attrs",
      "locality",
      "cluster_name",
      "server_version",
      "build_tag",
      "started_at",
      "start_mode",
      "is_live",
      "ranges",
      "leases",
    ],
    needsQuorum: false,
    rows: (view) =>
      view.records.flatMap((record) => {
        const desc = describedIn(view, record);
        if (desc === undefined) return [];
        const { address } = desc;
        return [
          [
            record.id,
            hostless.network,
            address,
            address,
            hostless.network,
            address,
            address,
            "[]",
            desc.locality,
            "",
            settingValue(view, "version"),
            desc.build,
            timestamp(desc.startedAt),
            desc.startMode,
            nodeIsLive(view, record),
            record.metrics?.replicas ?? 0,
            leases(view, record.id),
          ],
        ];
      }),
  },
  "kwdb_internal.cluster_sessions": {
    columns: [
      "node_id",
      "session_id",
      "user_name",
      "client_address",
      "application_name",
      "active_queries",
      "last_active_query",
      "session_start",
      "oldest_query_start",
      "kv_txn",
      "alloc_bytes",
      "max_alloc_bytes",
    ],
    needsQuorum: false,
    rows: sessionRows,
  },
  "kwdb_internal.cluster_settings": {
    columns: ["variable", "value", "type", "public", "description"],
    needsQuorum: false,
    rows: (view) =>
      Object.keys(defaultSettings).map((name) => [
        name,
        settingValue(view, name),
        settingType(settingValue(view, name)),
        true,
        "",
      ]),
  },
  "[show jobs]": { columns: jobColumns, needsQuorum: true, rows: jobRows },
  "kwdb_internal.jobs": { columns: jobColumns, needsQuorum: true, rows: jobRows },
};

const statusColumns = [
  "id",
  "address",
  "sql_address",
  "build",
  "started_at",
  "updated_at",
  "locality",
  "start_mode",
  "is_available",
  "is_live",
];
const extras = {
  ranges: [
    "replicas_leaders",
    "replicas_leaseholders",
    "ranges",
    "ranges_unavailable",
    "ranges_underreplicated",
  ],
  stats: ["live_bytes", "key_bytes", "value_bytes", "intent_bytes", "system_bytes"],
  decommission: ["gossiped_replicas", "is_decommissioning", "is_draining"],
} as const;
export type StatusExtra = keyof typeof extras;

/** `kwbase node status`, from the gossip of the node that answers. */
export function nodeStatus(view: View, ids: readonly number[], asked: readonly StatusExtra[]): Table {
  const shown = view.records
    .filter((record) => ids.length === 0 || ids.includes(record.id))
    .filter(
      (record) => asked.includes("decommission") || livenessStatus(record, view.now) !== "DECOMMISSIONED",
    );
  const members = membersIn(view);
  const rows = shown.map((record): readonly Cell[] => {
    const desc = describedIn(view, record);
    const m = metricsOf(record);
    const part: Record<StatusExtra, readonly Cell[]> = {
      ranges: [
        m["replicas.leaders"] ?? 0,
        m["replicas.leaseholders"] ?? 0,
        m["ranges"] ?? 0,
        m["ranges.unavailable"] ?? 0,
        m["ranges.underreplicated"] ?? 0,
      ],
      stats: [m["livebytes"] ?? 0, 1024, 1_048_576, 0, 4096],
      decommission: [
        members.some((member) => member.id === record.id) ? (m["replicas"] ?? 0) : 0,
        record.membership !== "active",
        record.draining,
      ],
    };
    const base = [
      record.id,
      desc?.address ?? null,
      desc?.address ?? null,
      desc?.build ?? null,
      desc === undefined ? null : timestamp(desc.startedAt),
      timestamp(record.updatedAt),
      desc?.locality ?? null,
      desc?.startMode ?? null,
      isLive(record, view.now) && !record.upgrading,
      nodeIsLive(view, record),
    ];
    return [...base, ...asked.flatMap((name) => part[name])];
  });
  return { columns: [...statusColumns, ...asked.flatMap((name) => extras[name])], rows };
}
