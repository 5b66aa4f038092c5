/** A node's report as KWDB facts; undefined where it is of another engine or depth, which callers treat as UNKNOWN. */
import { known } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import {
  type KwdbFull,
  type KwdbGate,
  type KwdbPulse,
  kwdbFullSchema,
  kwdbGateSchema,
  kwdbPulseSchema,
  type NodeRow,
} from "#proto/engines/kwdb.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";

export function pulseOf(report: NodeReport | undefined): KwdbPulse | undefined {
  return report?.engine === "kwdb" ? kwdbPulseSchema.safeParse(report.facts).data : undefined;
}

export function gateOf(report: NodeReport | undefined): KwdbGate | undefined {
  return report?.engine === "kwdb" ? kwdbGateSchema.safeParse(report.facts).data : undefined;
}

export function fullOf(report: NodeReport | undefined): KwdbFull | undefined {
  return report?.engine === "kwdb" ? kwdbFullSchema.safeParse(report.facts).data : undefined;
}

/** Version of the process that runs, not of the file beside it. */
export function runningVersion(facts: Pick<KwdbGate, "running"> | undefined): string | undefined {
  return normalVersion(known(facts?.running)?.version);
}

/** `V3.1.0` and `3.1.0` are the same version. */
export function normalVersion(version: string | undefined): string | undefined {
  return version?.replace(/^[Vv](?=\d)/, "");
}

/** The row that speaks of the node itself, found by its address. */
export function ownRow(rows: readonly NodeRow[], address: string): NodeRow | undefined {
  const host = hostOf(address);
  const byAddress = rows.filter(({ address: of, sqlAddress }) => of === address || sqlAddress === address);
  if (byAddress.length === 1) return byAddress[0];
  const byHost = rows.filter(({ address: of }) => of !== null && hostOf(of) === host);
  return byHost.length === 1 ? byHost[0] : undefined;
}

export function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

export function nodeNames({ nodes }: ClusterEntry): readonly string[] {
  return nodes.map(({ name }) => name);
}
