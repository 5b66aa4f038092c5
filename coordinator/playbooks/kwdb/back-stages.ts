/** The stages of a way back: node by node on kept data, or all stopped together. */
import type { NodeEntry } from "../../domain/inventory.ts";
import type { ClusterStage, NodeStage, Phase, PlanStep } from "../../domain/plan.ts";
import type { Undone } from "../../domain/undone.ts";
import { sqlAddress } from "./address.ts";
import {
  type OldPackage,
  oldPackageSteps,
  proveDigestStep,
  restoreDataStep,
  saveStep,
} from "./back-steps.ts";
import type { BackWay } from "./back-way.ts";
import { evidenceOf } from "./evidence.ts";
import { fullOf } from "./facts.ts";
import { drainStep, lookSteps, putBackStep, readySteps, startSteps, stopSteps } from "./steps.ts";
import { healthy, journeyOf, programOn, type Upgrade, upgraded } from "./upgrade.ts";

export interface Backwards {
  /** From the new version to the old one, with the old package's digest. */
  readonly hop: Upgrade;
  readonly back: Undone;
  readonly way: BackWay;
  readonly old: OldPackage;
}

export const togetherStage = "all-back";

/** First those that do not serve, so that at no time two are away. */
export function backNodeByNode(backwards: Backwards): readonly NodeStage[] {
  const { hop, way } = backwards;
  const nodes = hop.input.cluster.nodes.filter(({ name }) => way.nodes.includes(name));
  const [down, up] = [false, true].map((serves) =>
    nodes.filter((node) => isServing(backwards, node) === serves),
  );
  return [...(down ?? []), ...(up ?? [])].map((node, index) => nodeStage(backwards, node, index === 0));
}

function isServing({ hop }: Backwards, { name }: NodeEntry): boolean {
  const facts = fullOf(hop.input.reports[name]);
  return facts !== undefined && "value" in facts.ready && facts.ready.value;
}

/** The rollout that one goes back from had raised how long the cluster waits for a node, and not come to put it back. */
function isRaisedFrom({ hop }: Backwards, { name }: NodeEntry): boolean {
  const raised = fullOf(hop.input.reports[name])?.storeDeadRaised;
  return raised !== undefined && "value" in raised && raised.value !== null;
}

function nodeStage(backwards: Backwards, node: NodeEntry, isFirst: boolean): NodeStage {
  const { hop, back, old } = backwards;
  const { input, from, to } = hop;
  const { name: cluster, gates, nodes } = input.cluster;
  const versions = `${from},${to}`;
  const journey = journeyOf(hop, node);
  const serves = isServing(backwards, node);
  const whole = healthy(hop, versions, isFirst ? gates.dwellMs : 0);
  const without = { ...whole.args, node: node.name, address: sqlAddress(input, node) };
  const before = serves
    ? [whole]
    : nodes.length === 1
      ? []
      : [{ ...whole, gate: "kwdb.others-healthy", args: without }];
  return {
    kind: "node",
    id: `back-${node.name}`,
    cluster,
    node: node.name,
    before,
    program: programOn(hop, node, [
      ...(serves
        ? [...lookSteps(journey), ...drainSteps(nodes.length)]
        : [proveDigestStep(old), saveStep(node.name, hop)]),
      ...stopSteps,
      ...oldPackageSteps(back, node.name, old),
      ...startSteps,
      ...readySteps(journey),
      ...(isRaisedFrom(backwards, node) ? [putBackStep] : []),
    ]),
    after: [upgraded(hop, node), healthy(hop, versions, gates.dwellMs)],
  };
}

function drainSteps(nodes: number): readonly PlanStep[] {
  return nodes === 1 ? [] : [drainStep];
}

/** None is started before all are as they were: one node alone has no majority, and versions may not serve mixed. */
export function backTogether({ hop, back, way, old }: Backwards): ClusterStage {
  const { input, to } = hop;
  const { cluster } = input;
  const phase = (
    id: string,
    nodes: readonly NodeEntry[],
    stepsOf: (node: NodeEntry) => readonly PlanStep[],
    rest: Partial<Phase> = {},
  ): Phase => ({
    id,
    order: "parallel",
    programs: nodes.map((node) => programOn(hop, node, stepsOf(node))),
    after: [],
    ...rest,
  });
  const all = cluster.nodes;
  const changed = all.filter(({ name }) => way.nodes.includes(name));
  return {
    kind: "cluster",
    id: togetherStage,
    clusters: [cluster.name],
    // what is half-way is not well: that is why one goes back
    before: [],
    phases: [
      phase("look", all, ({ name }) => [
        ...(way.nodes.includes(name) ? [proveDigestStep(old)] : []),
        saveStep(name, hop),
      ]),
      phase("stop", all, () => stopSteps),
      phase("restore", changed, ({ name }) => oldPackageSteps(back, name, old), { order: "one-by-one" }),
      ...(way.data === "archives" ? [phase("data", all, ({ name }) => [restoreDataStep(back, name)])] : []),
      phase("start", all, () => startSteps),
      phase("prove", all, (node) => readySteps(journeyOf(hop, node)), {
        after: [...all.map((node) => upgraded(hop, node)), healthy(hop, to, cluster.gates.dwellMs)],
      }),
    ],
    waysOnFailure: ["way.kwdb.go-on-back", "way.kwdb.back-anew"],
  };
}

/** What each node is at, for the plan's reader. */
export function evidenceOn({ hop: { input } }: Backwards, node: NodeEntry) {
  const facts = fullOf(input.reports[node.name]);
  return facts === undefined ? undefined : evidenceOf(facts, sqlAddress(input, node));
}
