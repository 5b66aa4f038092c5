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
  query(sql: string): Promise<Outcome<Rows>>;
  /**
   * Several questions on one connection: starting a client costs more than most answers. Each is told by its
   * first column's name, which must be different for each. One that fails fails them all.
   */
  queries<Names extends string>(
    questions: Readonly<Record<Names, Question>>,
  ): Promise<Outcome<Readonly<Record<Names, Rows>>>>;
}

export type Rows = readonly Readonly<Record<string, string | null>>[];

export interface Question {
  readonly sql: string;
  /** The header line that its answer begins with. */
  readonly header: string;
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
    queries: async (questions) => {
      const asked = Object.entries<Question>(questions);
      const look = await run(["sql", ...asked.flatMap(([, { sql }]) => ["-e", sql]), "--format=csv"]);
      const answer = rowsOf(look);
      return answer.ok ? splitAnswers(look.stdout, asked) : answer;
    },
  });
}

/** Answers stand one after another; each begins with its own header. */
function splitAnswers<Names extends string>(
  text: string,
  asked: readonly (readonly [string, Question])[],
): Outcome<Readonly<Record<Names, Rows>>> {
  const lines = text.split("\n");
  const begins = asked.map(([, { header }]) =>
    lines.findIndex((line) => line === header || line.startsWith(`${header},`)),
  );
  const missing = asked.find((_, index) => begins[index] === -1);
  if (missing !== undefined) return fail("kwdb.client-failed", { cause: `no answer to: ${missing[1].sql}` });
  const ends = begins.map((begin) => Math.min(lines.length, ...begins.filter((other) => other > begin)));
  const parts = asked.map(
    ([name], index) =>
      [name, parseCsv(lines.slice(begins[index], ends[index]).join("\n").trimEnd())] as const,
  );
  return succeed(Object.fromEntries(parts) as Readonly<Record<Names, Rows>>);
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

/** What gates ask, in one go: node rows with their gossip flags, replica health, jobs. */
export async function gateAnswers(
  client: Client,
): Promise<
  Outcome<{ readonly rows: readonly NodeRow[]; readonly ranges: RangeHealth; readonly jobs: readonly Job[] }>
> {
  const [status, answers] = await Promise.all([statusRows(client), client.queries({ gossip, health, jobs })]);
  if (!status.ok) return status;
  if (!answers.ok) return answers;
  const ranges = toRangeHealth(answers.value.health);
  if (!ranges.ok) return ranges;
  return succeed({
    rows: withFlags(status.value, answers.value.gossip),
    ranges: ranges.value,
    jobs: answers.value.jobs.map(toJob),
  });
}

/** `node status`, joined with the flags that only gossip tells; of another node's view (`at`) without them. */
export async function nodeRows(client: Client, at?: string): Promise<Outcome<readonly NodeRow[]>> {
  const [status, flags] = await Promise.all([
    statusRows(client, at),
    at === undefined ? client.query(gossip.sql) : succeed([]),
  ]);
  if (!status.ok) return status;
  return flags.ok ? succeed(withFlags(status.value, flags.value)) : flags;
}

async function statusRows(client: Client, at?: string): Promise<Outcome<Rows>> {
  return rowsOf(
    await client.run(["node", "status", "--decommission", "--format=csv"], at === undefined ? {} : { at }),
  );
}

function withFlags(status: Rows, flags: Rows): readonly NodeRow[] {
  const byId = new Map(flags.map((row) => [row["node_id"], row]));
  return status.map((row) => toNodeRow(row, byId.get(row["id"] ?? "")));
}

const gossip: Question = {
  sql: "SELECT node_id, draining, decommissioning, upgrading FROM kwdb_internal.gossip_liveness",
  header: "node_id,draining,decommissioning,upgrading",
};

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
const health: Question = {
  sql: "SELECT sum((metrics->>'ranges.unavailable')::DECIMAL)::INT AS ranges_unavailable, sum((metrics->>'ranges.underreplicated')::DECIMAL)::INT AS ranges_underreplicated FROM kwdb_internal.kv_store_status",
  header: "ranges_unavailable",
};

const jobs: Question = { sql: "SHOW JOBS", header: "job_id" };

export interface RangeHealth {
  readonly unavailable: number;
  readonly underReplicated: number;
}

export async function rangeHealth(client: Client): Promise<Outcome<RangeHealth>> {
  const rows = await client.query(health.sql);
  return rows.ok ? toRangeHealth(rows.value) : rows;
}

function toRangeHealth([row]: Rows): Outcome<RangeHealth> {
  const unavailable = row?.["ranges_unavailable"];
  const underReplicated = row?.["ranges_underreplicated"];
  if (typeof unavailable !== "string" || typeof underReplicated !== "string")
    return fail("kwdb.metrics-missing", {});
  return succeed({ unavailable: Number(unavailable), underReplicated: Number(underReplicated) });
}

function toJob(row: Row): Job {
  return {
    id: row["job_id"] ?? "",
    type: row["job_type"] ?? "",
    status: row["status"] ?? "",
    created: row["created"] ?? null,
    finished: row["finished"] ?? null,
    coordinatorId: typeof row["coordinator_id"] === "string" ? Number(row["coordinator_id"]) : null,
    error: row["error"] ?? "",
    lastSuccess: row["time_of_last_success"] ?? null,
  };
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
