/** The fleet as it is shown in tables: from the newest reports, without asking anybody. */
import { failure } from "#proto/common/failure.ts";
import type { Word } from "../../domain/check.ts";
import type { ClaimRecord } from "../../domain/claim.ts";
import type { ClusterEntry, NodeEntry } from "../../domain/inventory.ts";
import type { LockRecord } from "../../domain/lock.ts";
import type { Playbook } from "../../domain/playbook.ts";
import type { ClusterView, LockView, NodeView, StrangerView } from "../../domain/views.ts";
import type { Fleet } from "../ports.ts";

export interface ClusterFacts {
  readonly lock: LockRecord | undefined;
  readonly claim: ClaimRecord | undefined;
  readonly words: readonly Word[];
  readonly step: string | undefined;
  readonly nowMs: number;
}

export function clusterView(
  entry: ClusterEntry,
  fleet: Fleet,
  playbook: Playbook | undefined,
  facts: ClusterFacts,
): ClusterView {
  const reports = entry.nodes.flatMap(({ name }) => fleet.lastReport(name)?.report ?? []);
  const { name, engine, topology, deployment, freeze } = entry;
  const { claim } = facts;
  return {
    name,
    engine,
    topology,
    deployment,
    nodes: entry.nodes.map((node) => nodeView(node, fleet, playbook, facts.nowMs)),
    lock: lockView(name, facts.lock, fleet, facts),
    wordsInForce: facts.words,
    findings: playbook?.compareViews(reports) ?? [failure("engine.unknown", { engine })],
    ...(claim === undefined || claim.rollout === ""
      ? {}
      : { claim: { rollout: claim.rollout, by: claim.by, since: claim.since } }),
    ...(freeze === undefined ? {} : { freeze }),
  };
}

export interface Visited extends Pick<Fleet, "presence"> {
  strangers(): readonly string[];
}

export function strangerViews(fleet: Visited, nowMs: number): readonly StrangerView[] {
  return fleet.strangers().flatMap((node) => {
    const presence = fleet.presence(node);
    if (presence === undefined) return [];
    const { from, hello, lastWordMs } = presence;
    const { engine, agentVersion } = hello;
    const lastWordAgeMs = Math.max(0, Math.round(nowMs - lastWordMs));
    return [{ name: node, from, engine, agentVersion, lastWordAgeMs }];
  });
}

function nodeView(
  { name, address }: NodeEntry,
  fleet: Fleet,
  playbook: Playbook | undefined,
  nowMs: number,
): NodeView {
  const presence = fleet.presence(name);
  const last = fleet.lastReport(name);
  if (presence === undefined)
    return { name, address, attached: false, version: "?", state: "unknown", findings: [] };
  const told = {
    name,
    address,
    attached: true,
    lastWordAgeMs: Math.max(0, Math.round(nowMs - presence.lastWordMs)),
    agentVersion: presence.hello.agentVersion,
  };
  if (last === undefined || playbook === undefined)
    return { ...told, version: "?", state: "unknown", findings: [] };
  return { ...told, ...playbook.summarise(last.report) };
}

export function lockView(
  cluster: string,
  record: LockRecord | undefined,
  fleet: Fleet,
  { step, nowMs }: Pick<ClusterFacts, "step" | "nowMs">,
): LockView {
  if (record === undefined) {
    return {
      cluster,
      epoch: 0,
      state: "missing",
      scope: "node",
      nodes: [],
      entered: [],
      rollout: "",
      stage: "",
      since: "",
      by: "",
      lastWordAgeMs: {},
    };
  }
  const { epoch, state, scope, nodes, entered, rollout, stage, since, by, broken } = record;
  const ages = nodes.flatMap((node) => {
    const presence = fleet.presence(node);
    return presence === undefined
      ? []
      : [[node, Math.max(0, Math.round(nowMs - presence.lastWordMs))] as const];
  });
  return {
    cluster,
    epoch,
    state,
    scope,
    nodes,
    entered,
    rollout,
    stage,
    since,
    by,
    lastWordAgeMs: Object.fromEntries(ages),
    ...(step === undefined ? {} : { step }),
    ...(broken === undefined ? {} : { broken }),
    ...(state === "free" ? {} : { command: `lockkeeper why ${rollout}` }),
  };
}
