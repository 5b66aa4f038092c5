/**
 * The documented rolling upgrade of a multi-replica cluster: per node look, save, drain, stop, `deploy.sh upgrade -l`,
 * prove, start, prove; the script never sees a running node. A standalone node goes the same way, with nobody left
 * to serve meanwhile.
 */
import type { NodeEntry } from "../../domain/inventory.ts";
import type { NodeStage } from "../../domain/plan.ts";
import { settleMs } from "./hop.ts";
import { nodeSteps } from "./steps.ts";
import { healthy, journeyOf, ownVersion, programOn, type Upgrade, upgraded } from "./upgrade.ts";

export function nodeByNode(upgrade: Upgrade, nodes: readonly NodeEntry[]): readonly NodeStage[] {
  return nodes.map((node, index) => nodeStage(upgrade, node, index === 0));
}

function nodeStage(upgrade: Upgrade, node: NodeEntry, isFirst: boolean): NodeStage {
  const { from, to, input } = upgrade;
  const { name: cluster, gates } = input.cluster;
  const versions = `${from},${to}`;
  const own = ownVersion(upgrade, node);
  return {
    kind: "node",
    id: `node-${node.name}`,
    cluster,
    node: node.name,
    ...(own === from ? {} : { from: own }),
    // the dwell before the next node is the one after the last
    before: [healthy(upgrade, versions, isFirst ? Math.max(gates.dwellMs, settleMs(input)) : 0)],
    program: programOn(upgrade, node, nodeSteps(upgrade.steps, journeyOf(upgrade, node))),
    after: [upgraded(upgrade, node), healthy(upgrade, versions, gates.dwellMs)],
  };
}
