/**
 * The lock: what of a cluster may be touched now. One permanent record per cluster, changed only by
 * compare-and-swap through the transitions below; they are pure, and each either gives the next record or
 * says why not. free → granted → entered → free; granted → free when withdrawn, entered → free when
 * abandoned. Nothing here ever frees a lock because time passed.
 */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";

export const lockFormat = 1;

export type LockScope = "node" | "cluster";

export interface LockRecord {
  readonly format: typeof lockFormat;
  /** The fencing number; only ever rises. */
  readonly epoch: number;
  readonly state: "free" | "granted" | "entered";
  readonly scope: LockScope;
  /** All that may be touched under this epoch. */
  readonly nodes: readonly string[];
  /** Those that have entered. */
  readonly entered: readonly string[];
  readonly rollout: string;
  readonly stage: string;
  readonly nonce: string;
  /** ISO 8601, for people. */
  readonly since: string;
  readonly by: string;
  /** Set by `lock break` and kept until every named node is proven. */
  readonly broken?: BreakNote;
}

export interface BreakNote {
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  readonly nodes: readonly string[];
}

/** What an agent says of itself on its present stream, read from its fsynced journal. */
export interface AgentReport {
  /** New with each stream: a report of an earlier one does not count. */
  readonly stream: number;
  readonly stateId: string;
  /** The highest epoch it has seen for this cluster; 0 for none. */
  readonly highestEpoch: number;
  readonly unfinished?: UnfinishedReport;
}

export interface UnfinishedReport {
  readonly rollout: string;
  readonly stage: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly standing: "waiting" | "in-flight" | "ended";
}

export interface GrantQuestion {
  readonly cluster: string;
  readonly record: LockRecord | undefined;
  /** Every node of the cluster. */
  readonly members: readonly string[];
  /** By node; undefined where no agent has reported on its present stream. */
  readonly reports: Readonly<Record<string, AgentReport | undefined>>;
  /** The state id under which each node was last proven; a node that is not in it was never seen. */
  readonly provenStateIds: Readonly<Record<string, string>>;
}

/**
 * The epoch that may be granted: one above the record and above everything that any agent has seen. Every
 * agent must have spoken, because a record that the store has rolled back looks exactly like a fresh one.
 * Refusals: `lock.held`, `lock.broken`, `node.not-reported`, `node.unproven`, `node.unfinished`.
 */
export function mayGrant(question: GrantQuestion): Outcome<number> {
  const { cluster, record, members } = question;
  if (record !== undefined && record.state !== "free") return { ok: false, failure: heldBy(cluster, record) };
  if (record?.broken !== undefined) return { ok: false, failure: brokenBy(cluster, record.broken) };
  const why = whyNotReady(question);
  if (why !== undefined) return { ok: false, failure: why };
  const seen = members.map((node) => question.reports[node]?.highestEpoch ?? 0);
  return succeed(1 + Math.max(record?.epoch ?? 0, ...seen));
}

/**
 * Why the agents of the cluster forbid a grant, if they do. Asked again when all have said yes to the epoch: an
 * agent that has lost its memory since the grant says yes to everything.
 */
export function whyNotReady(question: Omit<GrantQuestion, "record">): Failure | undefined {
  const { cluster, members, reports } = question;
  const silent = members.filter((node) => reports[node] === undefined);
  if (silent.length > 0) return failure("node.not-reported", { cluster, nodes: silent.join(", ") });
  for (const node of members) {
    const why = whyNodeForbids(question, node);
    if (why !== undefined) return why;
  }
  return undefined;
}

function whyNodeForbids(
  { cluster, reports, provenStateIds }: Omit<GrantQuestion, "record">,
  node: string,
): Failure | undefined {
  const report = reports[node];
  if (report === undefined) return failure("node.not-reported", { cluster, nodes: node });
  const unproven = whyUnproven(cluster, node, { report, proven: provenStateIds[node] });
  if (unproven !== undefined) return unproven;
  const { unfinished } = report;
  // a program that still waits to enter has changed nothing and is dropped by its agent for the newer epoch
  if (unfinished === undefined || unfinished.standing === "waiting") return undefined;
  const { rollout, stage, epoch, standing } = unfinished;
  return failure("node.unfinished", { cluster, node, rollout, stage, epoch: String(epoch), standing });
}

/** A known node under another state id has lost its memory: having no program proves nothing. */
export function whyUnproven(
  cluster: string,
  node: string,
  { report, proven }: { readonly report: AgentReport | undefined; readonly proven: string | undefined },
): Failure | undefined {
  if (report === undefined || proven === undefined || proven === report.stateId) return undefined;
  return failure("node.unproven", { cluster, node, stateId: report.stateId });
}

export interface Grant {
  readonly epoch: number;
  readonly scope: LockScope;
  readonly nodes: readonly string[];
  readonly rollout: string;
  readonly stage: string;
  readonly nonce: string;
  readonly since: string;
  readonly by: string;
}

/** free → granted. The epoch comes from mayGrant. */
export function grant(cluster: string, record: LockRecord | undefined, wanted: Grant): Outcome<LockRecord> {
  if (record !== undefined && record.state !== "free") return { ok: false, failure: heldBy(cluster, record) };
  if (wanted.epoch <= (record?.epoch ?? 0))
    return fail("lock.epoch-not-higher", { cluster, epoch: String(wanted.epoch) });
  return succeed({ format: lockFormat, state: "granted", entered: [], ...wanted });
}

export interface Holding {
  readonly epoch: number;
  readonly nonce: string;
}

/** granted → free: an agent said no, gave no answer, or the enter was never asked. Refused once a node has entered. */
export function withdraw(
  cluster: string,
  record: LockRecord,
  holding: Holding,
  since: string,
): Outcome<LockRecord> {
  if (!isHolding(record, holding)) return notYours(cluster, record, holding);
  if (record.state === "entered") return { ok: false, failure: heldBy(cluster, record) };
  return succeed({ ...record, state: "free", since });
}

/** granted → entered, or one more node of a lock of cluster scope. A repeated request changes nothing. */
export function enter(
  cluster: string,
  record: LockRecord,
  holding: Holding,
  node: string,
): Outcome<LockRecord> {
  if (!isHolding(record, holding)) return notYours(cluster, record, holding);
  if (!record.nodes.includes(node))
    return fail("lock.other-node", { cluster, node, nodes: record.nodes.join(", ") });
  if (record.entered.includes(node)) return succeed(record);
  if (record.scope === "node" && record.entered.length > 0)
    return { ok: false, failure: heldBy(cluster, record) };
  return succeed({ ...record, state: "entered", entered: [...record.entered, node] });
}

/**
 * The agent gave up waiting for its enter and has changed nothing. The last one out frees the lock; whoever
 * else has entered keeps it.
 */
export function abandonEnter(
  cluster: string,
  record: LockRecord,
  holding: Holding & { readonly node: string },
  since: string,
): Outcome<LockRecord> {
  if (!isHolding(record, holding)) return notYours(cluster, record, holding);
  const entered = record.entered.filter((node) => node !== holding.node);
  return succeed(entered.length > 0 ? { ...record, entered } : { ...record, state: "free", entered, since });
}

/** Says that the nodes were looked at after their programs and are well; made by the engine from gates and probes. */
export interface Proof {
  readonly nodes: readonly string[];
}

/** entered → free, on proof of every node that has entered. */
export function free(
  cluster: string,
  record: LockRecord,
  holding: Holding & { readonly proof: Proof },
  since: string,
): Outcome<LockRecord> {
  if (!isHolding(record, holding)) return notYours(cluster, record, holding);
  const unproven = record.entered.filter((node) => !holding.proof.nodes.includes(node));
  if (unproven.length > 0) return fail("lock.not-proven", { cluster, nodes: unproven.join(", ") });
  return succeed({ ...record, state: "free", entered: [], since });
}

export function isHolding(record: LockRecord, { epoch, nonce }: Holding): boolean {
  return record.state !== "free" && record.epoch === epoch && record.nonce === nonce;
}

export function heldBy(cluster: string, record: LockRecord): Failure {
  const { epoch, nodes, rollout, stage, since, state } = record;
  return failure("lock.held", {
    cluster,
    state,
    epoch: String(epoch),
    nodes: nodes.join(", "),
    rollout,
    stage,
    since,
  });
}

export function brokenBy(cluster: string, { nodes, by, at, reason }: BreakNote): Failure {
  return failure("lock.broken", { cluster, nodes: nodes.join(", "), by, at, reason });
}

function notYours(cluster: string, record: LockRecord, { epoch }: Holding): Outcome<never> {
  return fail("lock.not-yours", {
    cluster,
    epoch: String(epoch),
    record: String(record.epoch),
    state: record.state,
  });
}
