/** What the stages of an upgrade are made from, whichever way it goes, and the gates that they share. */
import type { NodeEntry } from "../../domain/inventory.ts";
import type { GateSpec, PlanProgram, PlanStep } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { fullOf, runningVersion } from "./facts.ts";
import type { KwdbClusterSettings } from "./settings.ts";
import type { Journey } from "./steps.ts";
import type { Raise } from "./store-dead.ts";
import type { Way } from "./way.ts";

export interface Upgrade {
  readonly input: PlaybookInput;
  readonly from: string;
  readonly to: string;
  /** sha256 of the package. */
  readonly digest: string;
  readonly settings: KwdbClusterSettings;
  readonly way: Way["strategy"];
  readonly raise?: Raise;
}

export function journeyOf(
  { input, from, to, digest, settings, way, raise }: Upgrade,
  node: NodeEntry,
): Journey {
  const others = input.cluster.nodes.filter(({ name }) => name !== node.name);
  return {
    from,
    to,
    digest,
    node: node.name,
    peers: others.map((other) => sqlAddress(input, other)),
    cluster: input.cluster.name,
    ...(settings.archiveData ? { archives: way === "offline" ? "cluster-stop" : "node-image" } : {}),
    ...(raise === undefined ? {} : { raise }),
  };
}

export function programOn({ input }: Upgrade, node: NodeEntry, steps: readonly PlanStep[]): PlanProgram {
  return { cluster: input.cluster.name, node: node.name, steps };
}

/** Several versions are separated by commas. */
export function healthy({ input: { cluster } }: Upgrade, versions: string, dwellMs: number): GateSpec {
  const { everyMs, limitMs } = cluster.gates;
  return {
    gate: "kwdb.cluster-healthy",
    cluster: cluster.name,
    args: { versions, nodes: String(cluster.nodes.length) },
    everyMs,
    dwellMs,
    limitMs: Math.max(limitMs, 3 * dwellMs),
  };
}

export function upgraded({ input, to }: Upgrade, node: NodeEntry): GateSpec {
  const { everyMs, limitMs } = input.cluster.gates;
  return {
    gate: "kwdb.node-upgraded",
    cluster: input.cluster.name,
    args: { node: node.name, version: to, address: sqlAddress(input, node) },
    everyMs,
    dwellMs: 0,
    limitMs,
  };
}

export function ownVersion({ input, from }: Upgrade, { name }: NodeEntry): string {
  return runningVersion(fullOf(input.reports[name])) ?? from;
}
