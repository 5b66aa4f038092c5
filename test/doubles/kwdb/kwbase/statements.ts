/** Statements by kind; unknown ones are refused. A statement that needs ranges waits while the quorum is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { buildTag, buildTime, goVersion, platform } from "./build.ts";
import { CliError } from "./cli-error.ts";
import type { ClusterNode } from "./node.ts";
import { defaultDatabases } from "./rows/bank.ts";
import { refuseWhileReadOnly, rowsReply } from "./rows/statements.ts";
import { refuse, select, sourceOf } from "./select.ts";
import type { Table } from "./table.ts";
import { defaultSettings, settingValue, sources } from "./tables.ts";
import type { Reply } from "./wire.ts";

const health =
  /^select sum\(\(metrics->>'ranges\.unavailable'\)::decimal\)::int as ranges_unavailable, ?sum\(\(metrics->>'ranges\.underreplicated'\)::decimal\)::int as ranges_underreplicated from kwdb_internal\.kv_store_status$/i;

/** `1h30m` and `5m0s` to `01:30:00`, as an interval prints. */
export function interval(duration: string): string {
  const part = (unit: string) => Number(new RegExp(`(\\d+)${unit}(?!s)`).exec(duration)?.[1] ?? 0);
  const seconds = part("h") * 3600 + part("m") * 60 + Number(/(\d+)s/.exec(duration)?.[1] ?? 0);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((value) => String(Math.floor(value)).padStart(2, "0"))
    .join(":");
}

/** A duration is kept as the database writes it: `3h` becomes `3h0m0s`. */
function kept(value: string): string {
  if (!/^(\d+h)?(\d+m)?(\d+s)?$/.test(value) || value === "") return value;
  const [hours = 0, minutes = 0, seconds = 0] = interval(value).split(":").map(Number);
  return `${hours > 0 ? `${hours}h` : ""}${hours + minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

function known(name: string): string {
  if (defaultSettings[name] === undefined) throw new CliError(`unknown setting: "${name}"`);
  return name;
}

function setting(node: ClusterNode, name: string): Table {
  const shown = settingValue(node.view(), known(name));
  return { columns: [name], rows: [[/^\d.*[smh]$/.test(shown) ? interval(shown) : shown]] };
}

async function untilQuorum(node: ClusterNode): Promise<void> {
  while (!node.live) await sleep(100);
}

function healthRow(node: ClusterNode): Table {
  const stores = node.view().records.flatMap((record) => record.metrics ?? []);
  const sum = (of: "unavailable" | "underreplicated") =>
    stores.length === 0 ? null : stores.reduce((total, store) => total + store[of], 0);
  return {
    columns: ["ranges_unavailable", "ranges_underreplicated"],
    rows: [[sum("unavailable"), sum("underreplicated")]],
  };
}

export async function execute(node: ClusterNode, text: string): Promise<Reply> {
  const statement = text.trim().replace(/;$/, "").replaceAll(/\s+/g, " ").trim();
  if (/^select version\(\)$/i.test(statement)) {
    return {
      table: {
        columns: ["version"],
        rows: [[`KaiwuDB ${buildTag} (${platform}, built ${buildTime}, ${goVersion}, gcc 11.4.0)`]],
      },
    };
  }
  if (/^select 1$/i.test(statement)) return { table: { columns: ["?column?"], rows: [[1]] } };
  const set = /^set cluster setting ([\w.]+) ?= ?'?([^']*?)'?$/i.exec(statement);
  const [, shown] = /^show cluster setting ([\w.]+)$/i.exec(statement) ?? [];
  if (shown !== undefined) return { table: setting(node, shown.toLowerCase()) };
  if (/^(backup|restore) /i.test(statement))
    throw new CliError(
      `The ${statement.split(" ")[0]?.toUpperCase()} can only be used in the enterprise version`,
    );
  const [, reset] = /^reset cluster setting ([\w.]+)$/i.exec(statement) ?? [];
  if (reset !== undefined) {
    await untilQuorum(node);
    await node.set(known(reset.toLowerCase()), null);
    return { tag: "RESET CLUSTER SETTING" };
  }
  if (set === null && sourceOf(statement)?.needsQuorum !== false) await untilQuorum(node);
  // as it was typed: a text in it may hold line ends
  const rows = set === null ? await rowsReply(node, text.trim().replace(/;$/, "")) : undefined;
  if (rows !== undefined) return rows;
  if (/^(show databases|select database_name from \[show databases\])$/i.test(statement))
    return { table: { columns: ["database_name"], rows: defaultDatabases.map((name) => [name]) } };
  if (/^select database_name, ?count\(\*\) as tables from kwdb_internal\.tables /i.test(statement))
    return { table: { columns: ["database_name", "tables"], rows: [] } };
  if (set !== null) {
    await untilQuorum(node);
    if (set[1]?.toLowerCase() !== "default_transaction_read_only.enabled")
      refuseWhileReadOnly(node, statement);
    await node.set(known((set[1] ?? "").toLowerCase()), kept(set[2] ?? ""));
    return { tag: "SET CLUSTER SETTING" };
  }
  if (health.test(statement)) return { table: healthRow(node) };
  const whole = {
    "show jobs": "[show jobs]",
    "show cluster settings": "kwdb_internal.cluster_settings",
    "show all cluster settings": "kwdb_internal.cluster_settings",
  }[statement.toLowerCase()];
  const source = whole === undefined ? undefined : sources[whole];
  if (source !== undefined) return { table: { columns: source.columns, rows: source.rows(node.view()) } };
  if (!/^select /i.test(statement)) refuse(statement);
  return { table: select(statement, node.view()) };
}
