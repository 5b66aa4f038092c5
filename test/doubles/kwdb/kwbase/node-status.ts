/** `kwbase node status`, from the gossip of the node that answers. */
import { describedIn, isLive, livenessStatus, type NodeRecord, type View } from "./records.ts";
import { type Cell, type Table, timestamp } from "./table.ts";
import { metricsOf, nodeIsLive } from "./tables.ts";

const base =
  "id address sql_address build started_at updated_at locality start_mode is_available is_live".split(" ");
const extras = {
  ranges: "replicas_leaders replicas_leaseholders ranges ranges_unavailable ranges_underreplicated".split(
    " ",
  ),
  stats: "live_bytes key_bytes value_bytes intent_bytes system_bytes".split(" "),
  decommission: "gossiped_replicas is_decommissioning is_draining".split(" "),
} as const;
export type StatusExtra = keyof typeof extras;

const rangeMetrics = [
  "replicas.leaders",
  "replicas.leaseholders",
  "ranges",
  "ranges.unavailable",
  "ranges.underreplicated",
];

function extraCells(record: NodeRecord, extra: StatusExtra): readonly Cell[] {
  const metrics = metricsOf(record);
  switch (extra) {
    case "ranges":
      return rangeMetrics.map((name) => metrics[name] ?? 0);
    case "stats":
      return [metrics["livebytes"] ?? 0, 1024, 1_048_576, 0, 4096];
    case "decommission":
      return [metrics["replicas"] ?? 0, record.membership !== "active", record.draining];
  }
}

/** Decommissioned nodes are hidden unless asked for; a node whose descriptor has gone shows NULL. */
export function nodeStatus(view: View, ids: readonly number[], asked: readonly StatusExtra[]): Table {
  const shown = view.records
    .filter((record) => ids.length === 0 || ids.includes(record.id))
    .filter(
      (record) => asked.includes("decommission") || livenessStatus(record, view.now) !== "DECOMMISSIONED",
    );
  const rows = shown.map((record) => {
    const desc = describedIn(view, record);
    const place = [desc?.address ?? null, desc?.address ?? null, desc?.build ?? null];
    const times = [desc === undefined ? null : timestamp(desc.startedAt), timestamp(record.updatedAt)];
    const state = [isLive(record, view.now) && !record.upgrading, nodeIsLive(view, record)];
    const cells = [record.id, ...place, ...times, desc?.locality ?? null, desc?.startMode ?? null, ...state];
    return [...cells, ...asked.flatMap((name) => extraCells(record, name))];
  });
  return { columns: [...base, ...asked.flatMap((name) => extras[name])], rows };
}
