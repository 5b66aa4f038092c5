/** What seems to fail this server over or to own its configuration: it would undo what we set, or act on our restart. */
import { readlink, stat } from "node:fs/promises";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import type { Sql } from "./sql.ts";

export interface Found {
  readonly kind: string;
  readonly by: string;
}

const psMs = 5_000;

/** By the name that the kernel keeps of a program, which is cut at 15 signs. */
const programs: Readonly<Record<string, string>> = {
  patroni: "patroni",
  repmgrd: "repmgr",
  pg_autoctl: "pg_auto_failover",
  "stolon-keeper": "stolon",
  "stolon-sentinel": "stolon",
  pacemakerd: "pacemaker",
  keepalived: "keepalived",
  pgpool: "pgpool",
};

const folders: Readonly<Record<string, string>> = { "/etc/patroni": "patroni" };

/** Names of columns: kind and by. Patroni connects under its own name and gives its settings as arguments. */
const traces = `
  SELECT 'patroni' AS kind, 'session ' || application_name AS by FROM pg_stat_activity
   WHERE application_name ~* '^patroni( |$)'
  UNION SELECT 'patroni', 'cluster_name and hot_standby on the command line' WHERE 2 = (
    SELECT count(*) FROM pg_settings WHERE name IN ('cluster_name', 'hot_standby') AND source = 'command line')
  UNION SELECT 'repmgr', 'database ' || datname FROM pg_database WHERE datname = 'repmgr'
  UNION SELECT CASE WHEN rolname LIKE 'pgautofailover%' THEN 'pg_auto_failover' ELSE rolname END, 'role ' || rolname
    FROM pg_roles WHERE rolname IN ('pgautofailover_monitor', 'pgautofailover_replicator', 'stolon', 'repmgr')
  UNION SELECT CASE extname WHEN 'repmgr' THEN 'repmgr' ELSE 'pg_auto_failover' END, 'extension ' || extname
    FROM pg_extension WHERE extname IN ('repmgr', 'pgautofailover')
  ORDER BY 1, 2`;

export async function tracesIn(sql: Sql): Promise<Outcome<Found[]>> {
  const rows = await sql.rows(traces);
  return succeed(rows.map((row) => ({ kind: row["kind"] ?? "", by: row["by"] ?? "" })));
}

/**
 * Of this host's own network: what manages a server in a container is told by the server itself, and has no power over ours.
 * Refused: `postgresql.processes-not-seen`.
 */
export async function seenOnHost(host: Host): Promise<Outcome<Found[]>> {
  const look = await host.look(["ps", "-eo", "netns=,comm="], { deadlineMs: psMs });
  if (look.exitCode !== 0)
    return fail("postgresql.processes-not-seen", { cause: look.spawnError ?? look.stderr.slice(-200) });
  const running = runningIn(look.stdout, await ownNetwork());
  const found = Object.entries(programs)
    .filter(([program]) => running.has(program))
    .map(([program, kind]) => ({ kind, by: `process ${program}` }));
  for (const [folder, kind] of Object.entries(folders))
    if (await isThere(host.path(folder))) found.push({ kind, by: `folder ${folder}` });
  return succeed(found);
}

/** A process whose network is not told counts as one of this host. */
function runningIn(listed: string, network: string): ReadonlySet<string> {
  const lines = listed.split("\n").map((line) => /^\s*(\S+)\s+(.*?)\s*$/.exec(line));
  return new Set(
    lines.flatMap((found) => (found?.[1] === "-" || found?.[1] === network ? [found[2] ?? ""] : [])),
  );
}

/** As `ps` writes it: the number of net:[4026531840]. */
async function ownNetwork(): Promise<string> {
  const link = await readlink("/proc/self/ns/net").catch(() => "");
  return /\d+/.exec(link)?.[0] ?? "";
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
