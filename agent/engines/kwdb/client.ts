/**
 * Questions to the database through its own client, as the vendor's scripts ask them: from its bin folder, as
 * the user of the MODE file, always with --format=csv and with our own deadline (its --timeout has no effect).
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Job, Mode, NodeRow } from "#proto/engines/kwdb.ts";
import type { Host, Look } from "../../verb.ts";
import { parseCsv } from "./csv.ts";
import { readText } from "./files.ts";
import { parseMode } from "./mode.ts";
import { paths } from "./paths.ts";

export interface Client {
  readonly mode: Mode;
  /** The client with words of ours, against this node or another (`host:port`). */
  run(
    words: readonly string[],
    options?: { readonly at?: string; readonly deadlineMs?: number },
  ): Promise<Look>;
  query(sql: string): Promise<Outcome<readonly Readonly<Record<string, string | null>>[]>>;
}

const askMs = 20_000;

export async function openClient(host: Host): Promise<Outcome<Client>> {
  const text = await readText(host, paths.mode);
  if (!text.ok) return text;
  const mode = parseMode(text.value);
  if (!mode.ok) return mode;
  const { sqlPort, security, user } = mode.value;
  const secure =
    security === "insecure"
      ? ["--insecure"]
      : [`--certs-dir=${host.path(paths.certs)}`, ...(security === "tlcp" ? ["--tlcp"] : [])];
  const run: Client["run"] = (words, { at = `127.0.0.1:${sqlPort}`, deadlineMs = askMs } = {}) =>
    host.look([host.path(paths.binary), ...words, ...secure, `--host=${at}`], {
      deadlineMs,
      cwd: host.path(paths.bin),
      user,
    });
  return succeed({
    mode: mode.value,
    run,
    query: async (sql) => rowsOf(await run(["sql", "-e", sql, "--format=csv"])),
  });
}

export function rowsOf(look: Look): Outcome<readonly Readonly<Record<string, string | null>>[]> {
  if (look.exitCode === 0) return succeed(parseCsv(look.stdout));
  const cause =
    look.spawnError ??
    (look.timedOut
      ? "it did not answer in time"
      : (look.stderr.split("\n").find((line) => line !== "") ?? `exit ${look.exitCode}`));
  return fail("kwdb.client-failed", { cause });
}

/** `node status`, joined with the flags that only gossip tells. `at`: asked of another node. */
export async function nodeRows(client: Client, at?: string): Promise<Outcome<readonly NodeRow[]>> {
  const status = rowsOf(
    await client.run(["node", "status", "--decommission", "--format=csv"], at === undefined ? {} : { at }),
  );
  if (!status.ok) return status;
  const gossip =
    at === undefined
      ? await client.query(
          "SELECT node_id, draining, decommissioning, upgrading FROM kwdb_internal.gossip_liveness",
        )
      : succeed([]);
  if (!gossip.ok) return gossip;
  const flags = new Map(gossip.value.map((row) => [row["node_id"], row]));
  return succeed(status.value.map((row) => toNodeRow(row, flags.get(row["id"] ?? ""))));
}

type Row = Readonly<Record<string, string | null>>;

function toNodeRow(row: Row, flags: Row | undefined): NodeRow {
  const isTrue = (value: string | null | undefined) => value === "true";
  const text = (name: string) => row[name] ?? null;
  const told =
    flags === undefined
      ? {}
      : {
          draining: isTrue(flags["draining"]),
          decommissioning: isTrue(flags["decommissioning"]),
          upgrading: isTrue(flags["upgrading"]),
        };
  return {
    id: Number(row["id"]),
    address: text("address"),
    sqlAddress: text("sql_address"),
    build: text("build"),
    startedAt: text("started_at"),
    startMode: text("start_mode"),
    isAvailable: isTrue(row["is_available"]),
    isLive: isTrue(row["is_live"]),
    ...told,
  };
}

/** The query of the vendor's own upgrade page. */
const rangesSql =
  "SELECT sum((metrics->>'ranges.unavailable')::DECIMAL)::INT AS ranges_unavailable, sum((metrics->>'ranges.underreplicated')::DECIMAL)::INT AS ranges_underreplicated FROM kwdb_internal.kv_store_status";

export async function rangeHealth(
  client: Client,
): Promise<Outcome<{ readonly unavailable: number; readonly underReplicated: number }>> {
  const rows = await client.query(rangesSql);
  if (!rows.ok) return rows;
  const unavailable = rows.value[0]?.["ranges_unavailable"];
  const underReplicated = rows.value[0]?.["ranges_underreplicated"];
  if (typeof unavailable !== "string" || typeof underReplicated !== "string")
    return fail("kwdb.metrics-missing", {});
  return succeed({ unavailable: Number(unavailable), underReplicated: Number(underReplicated) });
}

export async function jobs(client: Client): Promise<Outcome<readonly Job[]>> {
  const rows = await client.query("SHOW JOBS");
  if (!rows.ok) return rows;
  return succeed(
    rows.value.map((row) => ({
      id: row["job_id"] ?? "",
      type: row["job_type"] ?? "",
      status: row["status"] ?? "",
      created: row["created"] ?? null,
      finished: row["finished"] ?? null,
      coordinatorId: typeof row["coordinator_id"] === "string" ? Number(row["coordinator_id"]) : null,
      error: row["error"] ?? "",
      lastSuccess: row["time_of_last_success"] ?? null,
    })),
  );
}

/** The row of this node, by the address of its MODE file. */
export function ownRow(rows: readonly NodeRow[], { address, sqlPort }: Mode): NodeRow | undefined {
  return rows.find(
    (row) => row.address === `${address}:${sqlPort}` || row.sqlAddress === `${address}:${sqlPort}`,
  );
}

/** `V3.1.0` and `3.1.0` are the same version. */
export function normal(version: string | null | undefined): string {
  return (version ?? "").replace(/^[Vv](?=\d)/, "");
}
