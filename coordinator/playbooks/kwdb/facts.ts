/** A node's report as KWDB facts; undefined where it is of another engine or depth, which callers treat as UNKNOWN. */
import type { z } from "zod";
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
  return gateOf(report) ?? read(report, pulses, kwdbPulseSchema);
}

export function gateOf(report: NodeReport | undefined): KwdbGate | undefined {
  return read(report, gates, kwdbGateSchema);
}

export function fullOf(report: NodeReport | undefined): KwdbFull | undefined {
  return read(report, fulls, kwdbFullSchema);
}

/** A report never changes, and is looked at several times: read once per depth, for as long as somebody has it. */
type Reads<T> = WeakMap<NodeReport, { readonly facts: T | undefined }>;

const pulses: Reads<KwdbPulse> = new WeakMap();
const gates: Reads<KwdbGate> = new WeakMap();
const fulls: Reads<KwdbFull> = new WeakMap();

function read<T>(report: NodeReport | undefined, reads: Reads<T>, schema: z.ZodType<T>): T | undefined {
  if (report?.engine !== "kwdb") return undefined;
  const found = reads.get(report) ?? { facts: schema.safeParse(report.facts).data };
  reads.set(report, found);
  return found.facts;
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
