/** The stages of a way back: node by node on kept data, or all stopped together. */
import { known } from "#proto/common/measured.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { ClusterStage, NodeStage, Phase, PlanStep } from "../../domain/plan.ts";
import type { Undone } from "../../domain/undone.ts";
import { sqlAddress } from "./address.ts";
import { type BackNode, type BackSet, backSetOf } from "./back-set.ts";
import type { OldSource, OldSources } from "./back-source.ts";
import { restoreDataStep, saveStep } from "./back-steps.ts";
import type { BackWay } from "./back-way.ts";
import { evidenceOf } from "./evidence.ts";
import { fullOf } from "./facts.ts";
import { drainStep, type Journey, lookSteps, readySteps } from "./steps.ts";
import { putBackStep } from "./store-dead-steps.ts";
import { healthy, journeyOf, programOn, type Upgrade, upgraded } from "./upgrade.ts";

export interface Backwards {
  /** From the new version to the old one. */
  readonly hop: Upgrade;
  readonly back: Undone;
  readonly way: BackWay;
  /** Of each node that is changed. */
  readonly sources: OldSources;
}

export function setOf({ hop }: Backwards): BackSet {
  return backSetOf(hop.form);
}

/** Undefined where nothing but its data is put back. */
export function backNodeOf({ hop, back, sources }: Backwards, node: NodeEntry): BackNode | undefined {
  const source = sources[node.name];
  if (source === undefined) return undefined;
  const journey = { ...journeyOf(hop, node), ...takenFrom(source) };
  return {
    back,
    journey,
    source,
    isWhole: known(fullOf(hop.input.reports[node.name])?.binary) !== undefined,
  };
}

function takenFrom(source: OldSource): Partial<Pick<Journey, "digest" | "reference" | "present">> {
  switch (source.kind) {
    case "package":
    case "package-image":
      return { digest: source.digest };
    case "image":
      return { present: { image: source.image, name: source.name } };
    case "registry":
      return { reference: source.reference };
    case "build":
      return {};
  }
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
  const { hop } = backwards;
  const { input, from, to } = hop;
  const { name: cluster, gates, nodes } = input.cluster;
  const versions = `${from},${to}`;
  const set = setOf(backwards);
  const of = backNodeOf(backwards, node);
  const journey = of?.journey ?? journeyOf(hop, node);
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
      ...(serves ? lookSteps(journey).slice(0, 1) : []),
      ...lookedAt(backwards, node),
      ...(serves ? drainSteps(nodes.length) : []),
      ...set.stop(journey),
      ...(of === undefined ? [] : set.change(of)),
      ...set.start(journey, of),
      ...readySteps(journey),
      ...(isRaisedFrom(backwards, node) ? [putBackStep] : []),
    ]),
    after: [upgraded(hop, node), healthy(hop, versions, gates.dwellMs)],
  };
}

/** What it goes back to is proven once more, and what it is now is saved. */
function lookedAt(backwards: Backwards, node: NodeEntry): readonly PlanStep[] {
  const set = setOf(backwards);
  const of = backNodeOf(backwards, node);
  const save = saveStep(node.name, backwards.hop, set.saves);
  return of === undefined ? [save] : [...set.proveOld(of), save, ...set.keep(of)];
}

function drainSteps(nodes: number): readonly PlanStep[] {
  return nodes === 1 ? [] : [drainStep];
}

/** None is started before all are as they were: one node alone has no majority, and versions may not serve mixed. */
export function backTogether(backwards: Backwards): ClusterStage {
  const { hop, back, way } = backwards;
  const { input, to } = hop;
  const set = setOf(backwards);
  const journey = (node: NodeEntry) => backNodeOf(backwards, node)?.journey ?? journeyOf(hop, node);
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
      phase("look", all, (node) => lookedAt(backwards, node)),
      phase("stop", all, (node) => set.stop(journey(node))),
      phase("restore", changed, (node) => changeOn(backwards, node), { order: "one-by-one" }),
      ...(way.data === "archives" ? [phase("data", all, ({ name }) => [restoreDataStep(back, name)])] : []),
      phase("start", all, (node) => set.start(journey(node), backNodeOf(backwards, node))),
      phase("prove", all, (node) => readySteps(journeyOf(hop, node)), {
        after: [...all.map((node) => upgraded(hop, node)), healthy(hop, to, cluster.gates.dwellMs)],
      }),
    ],
    waysOnFailure: ["way.kwdb.go-on-back", "way.kwdb.back-anew"],
  };
}

function changeOn(backwards: Backwards, node: NodeEntry): readonly PlanStep[] {
  const of = backNodeOf(backwards, node);
  return of === undefined ? [] : setOf(backwards).change(of);
}

/** What each node is at, for the plan's reader. */
export function evidenceOn({ hop: { input } }: Backwards, node: NodeEntry) {
  const facts = fullOf(input.reports[node.name]);
  return facts === undefined ? undefined : evidenceOf(facts, sqlAddress(input, node));
}
