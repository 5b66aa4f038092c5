/** What is asked by SQL, and how each answer is read. Columns and tables are those of 2.2 to 3.2. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Job, KwdbFull } from "#proto/engines/kwdb.ts";
import type { Known } from "../measure.ts";
import type { Question, Row } from "./answers.ts";

/** Only gossip tells these; `node status` has columns for none of them. */
export const gossipFlags: Question = {
  sql: "SELECT node_id, draining, decommissioning, upgrading FROM kwdb_internal.gossip_liveness",
  columns: ["node_id", "draining", "decommissioning", "upgrading"],
};

/** The query of the vendor's own upgrade page: sums over each store's last persisted metrics, dead stores included. */
export const rangeSums: Question = {
  sql: "SELECT sum((metrics->>'ranges.unavailable')::DECIMAL)::INT AS ranges_unavailable, sum((metrics->>'ranges.underreplicated')::DECIMAL)::INT AS ranges_underreplicated FROM kwdb_internal.kv_store_status",
  columns: ["ranges_unavailable", "ranges_underreplicated"],
};

const jobColumns = [
  "job_id",
  "job_type",
  "status",
  "created",
  "finished",
  "coordinator_id",
  "error",
  "time_of_last_success",
];

/** Those that are not over: a week of finished jobs would not fit into an answer. */
export const openJobs: Question = {
  sql: `SELECT ${jobColumns.join(", ")} FROM [SHOW JOBS] WHERE status NOT IN ('succeeded', 'failed', 'canceled')`,
  columns: jobColumns,
};

/** Compression and retention, whatever became of them. */
export const keepingJobs: Question = {
  sql: `SELECT ${jobColumns.join(", ")} FROM [SHOW JOBS] WHERE job_type IN ('COMPRESS', 'RETENTION')`,
  columns: jobColumns,
};

const settingNames = [
  "server.time_until_store_dead",
  "ts.raft_log.sync_period",
  "cluster.preserve_downgrade_option",
];

/** A setting that this version does not have is not in the answer. */
export const clusterSettings: Question = {
  sql: `SELECT variable, value FROM kwdb_internal.cluster_settings WHERE variable IN (${settingNames.map((name) => `'${name}'`).join(", ")})`,
  columns: ["variable", "value"],
};

export const storeSpread: Question = {
  sql: "SELECT node_id, range_count, lease_count FROM kwdb_internal.kv_store_status",
  columns: ["node_id", "range_count", "lease_count"],
};

export const openSessions: Question = {
  sql: "SELECT node_id, client_address, application_name FROM kwdb_internal.cluster_sessions",
  columns: ["node_id", "client_address", "application_name"],
};

export const madeDatabases: Question = {
  sql: "SELECT database_name FROM [SHOW DATABASES]",
  columns: ["database_name"],
};

/** Every cluster has these. */
export const defaultDatabases: readonly string[] = ["defaultdb", "postgres", "system"];

/** Those that a person has made. */
export function readDatabases(rows: readonly Row[]): Outcome<string[]> {
  const names = rows.flatMap((row) => row["database_name"] ?? []);
  // an answer without them is not an answer
  const missing = defaultDatabases.find((name) => !names.includes(name));
  if (missing !== undefined)
    return fail("kwdb.answer-unreadable", { wanted: missing, found: names.join(",").slice(0, 200) });
  return succeed(names.filter((name) => !defaultDatabases.includes(name)).sort());
}

export function readRangeSums(rows: readonly Row[]): Outcome<Known<KwdbFull["ranges"]>> {
  const unavailable = countIn(rows[0], "ranges_unavailable");
  const underReplicated = countIn(rows[0], "ranges_underreplicated");
  if (unavailable === undefined || underReplicated === undefined) return fail("kwdb.metrics-missing", {});
  return succeed({ unavailable, underReplicated });
}

export function readJobs(rows: readonly Row[]): Outcome<Job[]> {
  return succeed(
    rows.map((row) => ({
      id: row["job_id"] ?? "",
      type: row["job_type"] ?? "",
      status: row["status"] ?? "",
      created: row["created"] ?? null,
      finished: row["finished"] ?? null,
      coordinatorId: countIn(row, "coordinator_id") ?? null,
      error: row["error"] ?? "",
      lastSuccess: row["time_of_last_success"] ?? null,
    })),
  );
}

export function readSettings(rows: readonly Row[]): Outcome<Record<string, string>> {
  const found = Object.fromEntries(rows.map((row) => [row["variable"] ?? "", row["value"] ?? ""]));
  // every version has the first one: an answer without it is not an answer
  const [first = ""] = settingNames;
  return found[first] === undefined ? fail("kwdb.settings-missing", { name: first }) : succeed(found);
}

/** A node may have several stores: they count as one. */
export function readSpread(rows: readonly Row[]): Outcome<Known<KwdbFull["spread"]>> {
  const nodes = new Map<number, { nodeId: number; leaseholders: number; replicas: number }>();
  for (const row of rows) {
    const nodeId = countIn(row, "node_id");
    const replicas = countIn(row, "range_count");
    const leaseholders = countIn(row, "lease_count");
    if (nodeId === undefined || replicas === undefined || leaseholders === undefined)
      return fail("kwdb.metrics-missing", {});
    const before = nodes.get(nodeId) ?? { nodeId, leaseholders: 0, replicas: 0 };
    nodes.set(nodeId, {
      nodeId,
      leaseholders: before.leaseholders + leaseholders,
      replicas: before.replicas + replicas,
    });
  }
  return succeed([...nodes.values()]);
}

/** Sessions by node and client; those without an address are the database's own, those named `$ …` a client tool's. */
export function readSessions(rows: readonly Row[]): Outcome<Known<KwdbFull["sessions"]>> {
  const counts = new Map<string, { nodeId: number; client: string; count: number }>();
  for (const row of rows) {
    const address = row["client_address"] ?? "";
    if (address === "" || address.startsWith("<") || (row["application_name"] ?? "").startsWith("$ "))
      continue;
    const client = address.replace(/:\d+$/, "");
    const key = `${row["node_id"]} ${client}`;
    const before = counts.get(key) ?? { nodeId: Number(row["node_id"]), client, count: 0 };
    counts.set(key, { ...before, count: before.count + 1 });
  }
  return succeed([...counts.values()]);
}

function countIn(row: Row | undefined, column: string): number | undefined {
  const text = row?.[column];
  return typeof text === "string" && /^\d+$/.test(text) ? Number(text) : undefined;
}
