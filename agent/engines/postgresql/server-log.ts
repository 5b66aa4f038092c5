/** Why a subscription does not follow: no catalogue tells it, the server's log does. Read from its end, within a limit. */
import { open } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Host } from "../../verb.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

const tailBytes = 256 * 1024;

/** The log's file: by the agent's own file, else where the server's collector writes; undefined where neither is. */
export async function logFile({ settings }: Means, sql: Sql): Promise<string | undefined> {
  if (settings.log !== undefined) return settings.log;
  const [row] = await sql.rows(
    "SELECT pg_current_logfile() AS file, current_setting('data_directory') AS folder",
  );
  const file = row?.["file"];
  if (file === null || file === undefined) return undefined;
  return isAbsolute(file) ? file : join(row?.["folder"] ?? "", file);
}

/** What has ended the workers of one subscription last. */
export interface WorkerErrors {
  readonly apply: string | null;
  /** Of a table's copy that has not come to its end since. */
  readonly copy: string | null;
}

/** By the subscription's name. Empty where the log cannot be read. */
export async function errorsIn(host: Host, file: string): Promise<Readonly<Record<string, WorkerErrors>>> {
  try {
    const handle = await open(host.path(file), "r");
    try {
      const { size } = await handle.stat();
      const from = Math.max(0, size - tailBytes);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
      return subscriptionErrors(buffer.subarray(0, bytesRead).toString("utf8"));
    } finally {
      await handle.close();
    }
  } catch {
    return {};
  }
}

interface Worker {
  readonly subscription: string;
  /** Of a worker that copies one. */
  readonly table: string;
  /** What it says after that tells of it. */
  readonly hasFailed?: true;
}

/**
 * A worker says its subscription when it starts, and what stops it as an ERROR under the same process number. One that the other
 * server's end has stopped says nothing of the data: it is left out. The table of the row stands in a line of its own (15 and newer).
 */
export function subscriptionErrors(text: string): Readonly<Record<string, WorkerErrors>> {
  const workers = new Map<string, Worker>();
  const errors = new Map<string, Map<string, string>>();
  for (const line of text.split("\n")) {
    const pid = /\[(\d+)\]/.exec(line)?.[1];
    if (pid === undefined) continue;
    const worker = workerIn(line);
    if (worker !== undefined) {
      workers.set(pid, worker);
      if (/ has finished/.test(line)) errors.get(worker.subscription)?.delete(worker.table);
      continue;
    }
    const own = workers.get(pid);
    if (own === undefined) continue;
    const known = errors.get(own.subscription) ?? new Map<string, string>();
    const told = known.get(own.table);
    const table = tableIn(line);
    if (told !== undefined && table !== undefined && own.hasFailed && !told.includes(table))
      known.set(own.table, `${told} (${table})`);
    const error = /ERROR: {1,2}(.*)$/.exec(line)?.[1];
    if (error === undefined) continue;
    if (/could not receive data from WAL stream|terminating/.test(error)) continue;
    workers.set(pid, { ...own, hasFailed: true });
    known.set(own.table, error.slice(0, 400));
    errors.set(own.subscription, known);
  }
  return Object.fromEntries(
    [...errors].map(([name, found]) => {
      const { "": apply = null, ...copies } = Object.fromEntries(found);
      return [name, { apply, copy: Object.values(copies).at(-1) ?? null }];
    }),
  );
}

function tableIn(line: string): string | undefined {
  return /CONTEXT: .* replication target relation "(.*?)"(?: |$)/.exec(line)?.[1];
}

function workerIn(line: string): Worker | undefined {
  const native = / worker for subscription "([^"]+)"(?:, table "(.*)")? has (?:started|finished)/.exec(line);
  if (native !== null) return { subscription: native[1] ?? "", table: native[2] ?? "" };
  // pglogical's
  const other = / starting apply for subscription (\S+)/.exec(line)?.[1];
  return other === undefined ? undefined : { subscription: other, table: "" };
}
