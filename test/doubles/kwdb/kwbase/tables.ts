/** The tables of `kwdb_internal` and of SHOW that the stand-in knows, made from one node's view. */
import { buildTag } from "./build.ts";
import { describedIn, isLive, type NodeRecord, rangesIn, type View } from "./records.ts";
import { type Cell, timestamp } from "./table.ts";

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

/** Metric names and values of a store, as they were when its node last wrote them. */
export function metricsOf(record: NodeRecord): Readonly<Record<string, number>> {
  const { ranges, unavailable, underreplicated, replicas, leaseholders } = record.metrics ?? {
    ranges: 0,
    unavailable: 0,
    underreplicated: 0,
    replicas: 0,
    leaseholders: 0,
  };
  return {
    ranges,
    "ranges.unavailable": unavailable,
    "ranges.underreplicated": underreplicated,
    "ranges.overreplicated": 0,
    replicas,
    "replicas.leaders": leaseholders,
    "replicas.leaseholders": leaseholders,
    livebytes: replicas * 1_048_576,
  };
}

function storeRows(view: View): readonly (readonly Cell[])[] {
  return view.records
    .filter((record) => record.metrics !== undefined)
    .map((record) => {
      const { replicas = 0, leaseholders = 0 } = record.metrics ?? {};
      const sizes = [10_737_418_240, 8_589_934_592, 1_048_576, 1_048_576];
      const metrics = JSON.stringify(metricsOf(record));
      return [record.id, record.id, "[]", ...sizes, replicas, leaseholders, 0, "{}", "{}", metrics];
    });
}

const rangeColumns =
  "range_id start_key start_pretty end_key end_pretty database_name table_name index_name replicas replica_localities learner_replicas split_enforced_until";
const leaseColumns = buildTag.startsWith("2.")
  ? "lease_holder range_size"
  : "lease_holder lease_holder_qps range_size";

function rangeRows(view: View, leases: boolean): readonly (readonly Cell[])[] {
  return rangesIn(view).map(({ id, system, replicas, leaseHolder }) => {
    const key = system ? `/System/${id}` : `/Table/${50 + id}`;
    const table = system ? ["", ""] : ["defaultdb", `t${id}`];
    const localities = replicas.map((replica) => `"region=NODE${replica}"`).join(",");
    const place = [`{${replicas.join(",")}}`, `{${localities}}`, "{}", null];
    const lease = buildTag.startsWith("2.") ? [leaseHolder, 1_048_576] : [leaseHolder, 0, 1_048_576];
    return [id, key, key, `${key}/Max`, `${key}/Max`, ...table, "", ...place, ...(leases ? lease : [])];
  });
}

function livenessRows(view: View): readonly (readonly Cell[])[] {
  return view.records.map((record) => {
    const expiration = `${(record.expiration / 1000).toFixed(9)},0`;
    const { id, epoch, draining, membership, upgrading, updatedAt } = record;
    return [id, epoch, expiration, draining, membership !== "active", upgrading, timestamp(updatedAt)];
  });
}

function nodeRows(view: View): readonly (readonly Cell[])[] {
  const ranges = rangesIn(view);
  return view.records.flatMap((record) => {
    const desc = describedIn(view, record);
    if (desc === undefined) return [];
    const { address, locality, build, startedAt, startMode } = desc;
    const at = ["tcp", address, address];
    const leases = ranges.filter((range) => range.leaseHolder === record.id).length;
    const life = [timestamp(startedAt), startMode, nodeIsLive(view, record)];
    const held = [record.metrics?.replicas ?? 0, leases];
    return [
      [record.id, ...at, ...at, "[]", locality, "", settingValue(view, "version"), build, ...life, ...held],
    ];
  });
}

function jobRows(view: View): readonly (readonly Cell[])[] {
  return view.records.flatMap((record) =>
    record.jobs.map((job) => {
      const at = timestamp(job.created);
      const finished = ["succeeded", "failed", "canceled"].includes(job.status) ? at : null;
      const times = [at, at, finished, at, null];
      return [
        job.id,
        job.type,
        "",
        "",
        "root",
        job.status,
        null,
        ...times,
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
  const open = view.records.filter((record) => isLive(record, view.now));
  return open.flatMap((record) =>
    record.clients.map((client, at) => {
      const session = `${record.id}f${String(at).padStart(30, "0")}`;
      const query = ["application", "", "SELECT 1", timestamp(view.now), null, null, 10_240, 20_480];
      return [record.id, session, "app", client, ...query];
    }),
  );
}

function settingRows(view: View): readonly (readonly Cell[])[] {
  return Object.keys(defaultSettings).map((name) => {
    const value = settingValue(view, name);
    const type = /^\d.*s$/.test(value) ? "d" : /^(true|false)$/.test(value) ? "b" : "s";
    return [name, value, type, true, ""];
  });
}

/** Only what was set; `RESET` takes it out. */
function setRows(view: View): readonly (readonly Cell[])[] {
  return [...view.settings].flatMap(([name, { value }]) =>
    value === null ? [] : [[name, value, timestamp(view.now), /^\d.*s$/.test(value) ? "d" : "s"]],
  );
}

const source = (columns: string, needsQuorum: boolean, rows: Source["rows"]): Source => ({
  columns: columns.split(" "),
  needsQuorum,
  rows,
});

const jobs = source(
  "job_id job_type description statement user_name status running_status created started finished modified errord fraction_completed error coordinator_id total_num_of_ex total_num_of_success total_num_of_fail time_of_last_success",
  true,
  jobRows,
);

export const sources: Readonly<Record<string, Source>> = {
  "kwdb_internal.kv_store_status": source(
    "node_id store_id attrs capacity available used logical_bytes range_count lease_count writes_per_second bytes_per_replica writes_per_replica metrics",
    true,
    storeRows,
  ),
  "kwdb_internal.ranges": source(`${rangeColumns} ${leaseColumns}`, true, (view) => rangeRows(view, true)),
  "kwdb_internal.ranges_no_leases": source(rangeColumns, true, (view) => rangeRows(view, false)),
  "kwdb_internal.gossip_liveness": source(
    "node_id epoch expiration draining decommissioning upgrading updated_at",
    false,
    livenessRows,
  ),
  "kwdb_internal.gossip_nodes": source(
    "node_id network address advertise_address sql_network sql_address advertise_sql_address attrs locality cluster_name server_version build_tag started_at start_mode is_live ranges leases",
    false,
    nodeRows,
  ),
  "kwdb_internal.cluster_sessions": source(
    "node_id session_id user_name client_address application_name active_queries last_active_query session_start oldest_query_start kv_txn alloc_bytes max_alloc_bytes",
    false,
    sessionRows,
  ),
  "kwdb_internal.cluster_settings": source("variable value type public description", false, settingRows),
  "system.settings": source("name value lastUpdated valueType", true, setRows),
  "kwdb_internal.jobs": jobs,
  "[show jobs]": jobs,
};
