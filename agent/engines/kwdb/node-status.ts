/** `kwbase node status` as rows, joined with the marks that only gossip tells. */
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode, NodeRow } from "#proto/engines/kwdb.ts";
import { type Row, readTable } from "./answers.ts";
import type { AskOptions, Client } from "./client.ts";
import { normal } from "./version-text.ts";

/** Those that every version prints; columns of later versions may stand between them. */
const wanted = [
  "id",
  "address",
  "sql_address",
  "build",
  "started_at",
  "start_mode",
  "is_available",
  "is_live",
];

/**
 * Nodes as the answering one sees them, without marks. Not with --decommission: that would list nodes that were
 * taken out long ago, for ever dead.
 */
export async function nodeStatus(client: Client, options: AskOptions = {}): Promise<Outcome<NodeRow[]>> {
  const table = readTable(await client.run(["node", "status", "--format=csv"], options), wanted);
  return table.ok ? succeed(table.value.map(toNodeRow)) : table;
}

export function withMarks(rows: readonly NodeRow[], marks: readonly Row[]): NodeRow[] {
  const byId = new Map(marks.map((row) => [row["node_id"] ?? "", row]));
  return rows.map((row) => {
    const mark = byId.get(String(row.id));
    if (mark === undefined) return row;
    return {
      ...row,
      draining: isTrue(mark["draining"]),
      decommissioning: isTrue(mark["decommissioning"]),
      upgrading: isTrue(mark["upgrading"]),
    };
  });
}

function toNodeRow(row: Row): NodeRow {
  const text = (name: string) => row[name] ?? null;
  return {
    id: Number(row["id"]),
    address: text("address"),
    sqlAddress: text("sql_address"),
    build: text("build"),
    startedAt: text("started_at"),
    startMode: text("start_mode"),
    isAvailable: isTrue(row["is_available"]),
    isLive: isTrue(row["is_live"]),
  };
}

/** Anything but the database's own word for it is no. */
function isTrue(value: string | null | undefined): boolean {
  return value === "true";
}

/** The row of this node, by the address of its MODE file. */
export function ownRow(
  rows: readonly NodeRow[],
  { address, sqlPort, advertised }: Mode,
): NodeRow | undefined {
  const own = advertised ?? `${address}:${sqlPort}`;
  return rows.find((row) => row.address === own || row.sqlAddress === own);
}

export function isWell(row: NodeRow, versions: readonly string[]): boolean {
  const busy = row.draining === true || row.decommissioning === true || row.upgrading === true;
  return row.isLive && row.isAvailable && !busy && versions.includes(normal(row.build));
}

export function describe(row: NodeRow): string {
  const flags = [
    row.draining && "draining",
    row.decommissioning && "decommissioning",
    row.upgrading && "upgrading",
  ].filter(Boolean);
  return [
    `build ${row.build ?? "NULL"}`,
    `is_available ${row.isAvailable}`,
    `is_live ${row.isLive}`,
    ...flags,
  ].join(", ");
}

/** What keeps a row from being that of an upgraded node; undefined when nothing does. */
export function whyNotUpgraded(row: NodeRow | undefined, target: string): Failure | undefined {
  if (row === undefined) return failure("kwdb.own-row-missing", { address: "" });
  if (isWell(row, [target])) return undefined;
  return failure("kwdb.row-not-well", { row: describe(row), target });
}
