/**
 * The documented rolling upgrade of a multi-replica cluster: per node look, save, drain, stop, `deploy.sh upgrade -l`,
 * prove, start, prove; the script never sees a running node. A standalone node goes the same way, with nobody left
 * to serve meanwhile.
 */
import type { NodeEntry } from "../../domain/inventory.ts";
import type { NodeStage } from "../../domain/plan.ts";
import type { HalfWay } from "./half-way.ts";
import { finishingSteps, othersHealthy } from "./half-way-steps.ts";
import { settleMs } from "./hop.ts";
import { type Journey, nodeSteps } from "./steps.ts";
import { healthy, journeyOf, ownVersion, programOn, type Upgrade, upgraded } from "./upgrade.ts";

export function nodeByNode(upgrade: Upgrade, nodes: readonly NodeEntry[]): readonly NodeStage[] {
  const { half } = upgrade;
  const inOrder = half === undefined ? nodes : [half.node, ...nodes.filter((node) => node !== half.node)];
  return inOrder.map((node, index) => nodeStage(upgrade, node, index === 0));
}

function nodeStage(upgrade: Upgrade, node: NodeEntry, isFirst: boolean): NodeStage {
  const { from, to, input } = upgrade;
  const { name: cluster, gates } = input.cluster;
  const versions = `${from},${to}`;
  const own = ownVersion(upgrade, node);
  const half = upgrade.half?.node === node ? upgrade.half : undefined;
  const journey = journeyOf(upgrade, node);
  // the dwell before the next node is the one after the last
  const dwellMs = isFirst ? Math.max(gates.dwellMs, settleMs(input)) : 0;
  return {
    kind: "node",
    id: `node-${node.name}`,
    cluster,
    node: node.name,
    ...(own === from ? {} : { from: own }),
    before:
      half === undefined
        ? [healthy(upgrade, versions, dwellMs)]
        : othersHealthy(upgrade, half, { versions, dwellMs }),
    program: programOn(
      upgrade,
      node,
      half === undefined
        ? nodeSteps(upgrade.steps, journey)
        : finishingSteps(upgrade, half, withHonestArchive(journey, half)),
    ),
    after: [upgraded(upgrade, node), healthy(upgrade, versions, gates.dwellMs)],
  };
}

/** Where the newer version may have run, the archive is of no stop of the old one: nothing goes back to it. */
function withHonestArchive({ archives, ...journey }: Journey, { newer }: HalfWay): Journey {
  if (archives === undefined) return journey;
  return { ...journey, archives: newer === undefined ? archives : "node-image" };
}
