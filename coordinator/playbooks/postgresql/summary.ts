/** One word per server, and clusters as the servers describe them. */

import { renderDuration } from "#proto/common/duration.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { PgSlot, PgWalRoom } from "#proto/engines/postgresql.ts";
import { isFullSoon } from "../../domain/following.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import { notMadeOn, pulseOf, serverOf } from "./facts.ts";
import { worst } from "./following.ts";
import { followerOf, isOurs } from "./replication.ts";

export function summarise(report: NodeReport): {
  readonly version: string;
  readonly state: string;
  readonly findings: readonly Failure[];
  readonly notes?: readonly Failure[];
} {
  const server = serverOf(report);
  const facts = pulseOf(report);
  const why = facts === undefined ? undefined : whyUnknown(facts.server);
  if (server === undefined)
    return {
      version: "?",
      state: notMadeOn(report) === undefined ? "unknown" : "not made",
      findings: [why === undefined ? failure("postgresql.facts-unreadable", { node: report.node }) : why],
    };
  const isClosed = known(facts?.fence)?.isReadOnly === true;
  const state = server.isStandby ? "standby" : isClosed ? "closed" : "primary";
  const lost = (known(facts?.slots) ?? []).filter(({ walStatus }) => walStatus === "lost");
  const followers = (known(facts?.subscriptions) ?? [])
    .filter(isOurs)
    .map((each) => followerOf(report.node, each));
  const slots = (known(facts?.slots) ?? []).filter(isOurs);
  return {
    version: server.version.split(" ")[0] ?? server.version,
    state,
    findings: [
      ...lost.map(({ name }) => failure("postgresql.slot-lost", { node: report.node, slot: name })),
      ...followers.flatMap(({ why }) => (why === undefined ? [] : [why])),
    ],
    notes: [
      ...followers.map((each) => failure("postgresql.follows", { ...each.facts, standing: each.standing })),
      ...slots.map(slotNote),
      ...(slots.length === 0 ? [] : roomNote(known(facts?.walRoom), worst(slots, "retainedBytes"))),
    ],
  };
}

/** What the move costs this server: WAL that it keeps, and how far the other one is behind. */
function slotNote({ name, lagBytes, retainedBytes, isActive }: PgSlot): Failure {
  return failure("postgresql.slot", {
    slot: name,
    lag: String(lagBytes ?? "unknown"),
    kept: String(retainedBytes ?? "unknown"),
    read: isActive ? "read" : "not read by anybody",
  });
}

/** Pace and time for scripts always; people are told of them where the disk would be full soon. */
function roomNote(room: PgWalRoom | undefined, kept: number | undefined): readonly Failure[] {
  if (room === undefined) return [];
  const { usedPercent, freeBytes, bytesPerS } = room;
  const facts = { used: String(usedPercent), free: String(freeBytes) };
  if (bytesPerS === null || bytesPerS === 0) return [failure("postgresql.wal-room", facts)];
  const fullInMs = Math.floor(freeBytes / bytesPerS) * 1_000;
  const isTold = isFullSoon(fullInMs, freeBytes, kept);
  return [
    failure(isTold ? "postgresql.wal-full-in" : "postgresql.wal-room", {
      ...facts,
      pace: String(bytesPerS),
      fullIn: renderDuration(fullInMs),
    }),
  ];
}

type Found = Pick<ClusterEntry, "name" | "engine" | "topology" | "deployment" | "nodes">;

/** Servers of one system identifier are one cluster; its name and its addresses are a person's to give. */
export function discoverClusters(reports: readonly NodeReport[]): readonly Found[] {
  const groups = new Map<string, { name: string; address: string }[]>();
  for (const report of reports) {
    const server = serverOf(report);
    if (server === undefined) continue;
    const nodes = groups.get(server.systemId) ?? [];
    nodes.push({ name: report.node, address: `${report.node}:5432` });
    groups.set(server.systemId, nodes);
  }
  return [...groups.values()].map((nodes, index) => ({
    name: `postgresql${index + 1}`,
    engine: "postgresql",
    topology: nodes.length > 1 ? "single-replica" : "standalone",
    deployment: "script",
    nodes,
  }));
}
