/** A snapshot: the fleet's health and versions at one moment, stored under a format number, diffable. */
import type { Failure } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { Word } from "../check.ts";
import type { ClaimRecord } from "../claim.ts";
import type { ClusterEntry } from "../inventory.ts";
import type { LockRecord } from "../lock.ts";
import type { Playbook } from "../playbook.ts";

export const snapshotFormat = 1;

export interface NodeSnapshot {
  readonly node: string;
  readonly address: string;
  /** The agent's full report, or why there is none. */
  readonly report: Measured<NodeReport>;
  /** Against the coordinator's clock; the error is half the round trip. */
  readonly clockOffset: Measured<{ readonly offsetMs: number; readonly errorMs: number }>;
  readonly version: string;
  readonly state: string;
  readonly findings: readonly Failure[];
  /** What is kept there, in the playbook's words. */
  readonly notes?: readonly Failure[];
}

export interface ClusterSnapshot {
  readonly name: string;
  readonly engine: string;
  readonly topology: string;
  readonly deployment: string;
  readonly nodes: readonly NodeSnapshot[];
  readonly lock: Measured<LockRecord>;
  readonly claim: Measured<ClaimRecord>;
  readonly wordsInForce: readonly Word[];
  /** What the nodes disagree on, and what the playbook finds odd. */
  readonly findings: readonly Failure[];
}

export interface Snapshot {
  readonly format: typeof snapshotFormat;
  readonly id: string;
  readonly takenAt: string;
  readonly by: string;
  readonly reason: string;
  readonly clusters: readonly ClusterSnapshot[];
}

/** What is listed without opening the document. */
export interface SnapshotHead {
  readonly id: string;
  readonly takenAt: string;
  readonly by: string;
  readonly reason: string;
  readonly clusters: readonly string[];
  readonly nodes: number;
}

export function headOf({ id, takenAt, by, reason, clusters }: Snapshot): SnapshotHead {
  return {
    id,
    takenAt,
    by,
    reason,
    clusters: clusters.map(({ name }) => name),
    nodes: clusters.reduce((sum, { nodes }) => sum + nodes.length, 0),
  };
}

export interface NodeInput {
  readonly report: Measured<NodeReport>;
  readonly clockOffset: NodeSnapshot["clockOffset"];
}

export interface ClusterInput {
  readonly entry: ClusterEntry;
  readonly nodes: Readonly<Record<string, NodeInput>>;
  readonly lock: Measured<LockRecord>;
  readonly claim: Measured<ClaimRecord>;
  readonly wordsInForce: readonly Word[];
}

/** One cluster's record from what was gathered; a node without a report is in it, as UNKNOWN. */
export function describeCluster(input: ClusterInput, playbook: Playbook | undefined): ClusterSnapshot {
  const { entry, lock, claim, wordsInForce } = input;
  const nodes = entry.nodes.map(({ name, address }) =>
    describeNode(name, address, input.nodes[name], playbook),
  );
  const reports = nodes.flatMap(({ report }) => ("value" in report ? [report.value] : []));
  const findings =
    playbook === undefined
      ? [{ code: "engine.unknown" as const, facts: { engine: entry.engine } }]
      : playbook.compareViews(reports);
  const { name, engine, topology, deployment } = entry;
  return { name, engine, topology, deployment, nodes, lock, claim, wordsInForce, findings };
}

function describeNode(
  node: string,
  address: string,
  input: NodeInput | undefined,
  playbook: Playbook | undefined,
): NodeSnapshot {
  const never = { at: "", unknown: { code: "measure.never-taken" as const, facts: { node } } };
  const report = input?.report ?? never;
  const clockOffset = input?.clockOffset ?? never;
  if (!("value" in report) || playbook === undefined) {
    return {
      node,
      address,
      report,
      clockOffset,
      version: "?",
      state: "unknown",
      findings: "unknown" in report ? [report.unknown] : [],
    };
  }
  return { node, address, report, clockOffset, ...playbook.summarise(report.value) };
}
