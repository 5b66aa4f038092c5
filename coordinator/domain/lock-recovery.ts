/**
 * What may be done with a lock whose story is not fully known: after a new leader takes over, after an
 * acknowledgement was lost, and when a person breaks it. The node's own journal decides, never time.
 */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { type AgentReport, type GrantQuestion, heldBy, type LockRecord, whyUnproven } from "./lock.ts";

export type TakeOver =
  | { readonly do: "nothing" }
  /** Its nodes say that they have not entered; a late enter will lose its compare-and-swap. */
  | { readonly do: "withdraw" }
  /** The program runs on its node: follow it. */
  | { readonly do: "adopt"; readonly nodes: readonly string[] }
  /** Every program has ended: take the gates, then free. */
  | { readonly do: "judge"; readonly nodes: readonly string[] }
  /** Nothing was begun: the record goes back to free. */
  | { readonly do: "free" }
  /** Not enough is known; nothing is granted until it is. */
  | { readonly do: "wait"; readonly why: Failure };

export function takeOver(
  cluster: string,
  record: LockRecord | undefined,
  reports: Readonly<Record<string, AgentReport | undefined>>,
  provenStateIds: Readonly<Record<string, string>>,
): TakeOver {
  if (record === undefined || record.state === "free") return { do: "nothing" };
  // the store may have forgotten that they entered; their journals have not
  const nodes = [...new Set([...record.entered, ...begunUnder(record, reports)])];
  if (nodes.length === 0) {
    // nothing can be granted before they have spoken, so nothing is lost by waiting for them
    const silent = record.nodes.filter((node) => reports[node] === undefined);
    return silent.length === 0
      ? { do: "withdraw" }
      : { do: "wait", why: whyUnknown(cluster, record, { unknown: silent, reports, provenStateIds }) };
  }
  const standings = nodes.map((node) => standingOf(record, reports[node], provenStateIds[node]));
  const unknown = nodes.filter((_, index) => standings[index] === "unknown");
  if (unknown.length > 0)
    return { do: "wait", why: whyUnknown(cluster, record, { unknown, reports, provenStateIds }) };
  if (standings.includes("in-flight")) return { do: "adopt", nodes };
  return standings.includes("ended") || standings.includes("lost") ? { do: "judge", nodes } : { do: "free" };
}

function whyUnknown(
  cluster: string,
  record: LockRecord,
  {
    unknown,
    reports,
    provenStateIds,
  }: Pick<GrantQuestion, "reports" | "provenStateIds"> & { readonly unknown: readonly string[] },
): Failure {
  for (const node of unknown) {
    const why = whyUnproven(cluster, node, { report: reports[node], proven: provenStateIds[node] });
    if (why !== undefined) return why;
  }
  return failure("lock.holder-silent", { cluster, nodes: unknown.join(", "), epoch: String(record.epoch) });
}

/** Nodes whose own journals say that they have entered under this epoch, whatever the store or a log remembers. */
export function begunUnder(
  { epoch, nonce, nodes }: Pick<LockRecord, "epoch" | "nonce" | "nodes">,
  reports: Readonly<Record<string, AgentReport | undefined>>,
): readonly string[] {
  return nodes.filter((node) => {
    const unfinished = reports[node]?.unfinished;
    return unfinished?.epoch === epoch && unfinished.nonce === nonce && unfinished.standing !== "waiting";
  });
}

type Standing = "unknown" | "lost" | "in-flight" | "ended" | "never-begun";

function standingOf(
  record: LockRecord,
  report: AgentReport | undefined,
  proven: string | undefined,
): Standing {
  if (report === undefined) return "unknown";
  // an agent that has lost its memory proves nothing by having no program
  if (proven === undefined || proven !== report.stateId) return "unknown";
  // answered for by a person since: the node is in work, and its program must be tried again
  if (report.highestEpoch < record.epoch) return "lost";
  const { unfinished } = report;
  if (unfinished === undefined || unfinished.epoch !== record.epoch || unfinished.nonce !== record.nonce)
    return "never-begun";
  return unfinished.standing === "waiting" ? "never-begun" : unfinished.standing;
}

export interface BreakRequest {
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  /** Nodes that their own journals or the rollout's log know to be in, whatever the store remembers. */
  readonly begun?: readonly string[];
  /** Nodes that answer and have no program in flight. */
  readonly reached: readonly string[];
  /** A person has typed that the silent hosts are off or cut from their peers. */
  readonly hostsAreOff: boolean;
}

/**
 * granted or entered → free under a newer epoch, on a person's word. Nodes that have entered and were not reached
 * need that word. All that may have been touched stay quarantined: the note stands in the record, and nothing is
 * granted, until each of them is proven. Where nobody has entered nothing was touched, and there is no note.
 */
export function breakLock(cluster: string, record: LockRecord, request: BreakRequest): Outcome<LockRecord> {
  if (record.state === "free") return fail("lock.free", { cluster });
  if (request.reason.trim() === "") return fail("lock.break-without-reason", { cluster });
  const holders = [...new Set([...record.entered, ...(request.begun ?? [])])];
  const silent = holders.filter((node) => !request.reached.includes(node));
  if (silent.length > 0 && !request.hostsAreOff) {
    return fail("lock.break-needs-word", {
      cluster,
      nodes: silent.join(", "),
      held: heldBy(cluster, record).facts["stage"] ?? "",
    });
  }
  const { reason, by, at } = request;
  const { epoch, nonce, scope } = record;
  const next: LockRecord = {
    ...record,
    state: "free",
    epoch: epoch + 1,
    nonce: `${nonce}-broken`,
    entered: [],
    since: at,
  };
  if (holders.length === 0) return succeed(next);
  return succeed({
    ...next,
    broken: { reason, by, at, nodes: scope === "cluster" ? record.nodes : holders },
  });
}

/** Takes proven nodes out of the note of a break; the note goes with the last of them. */
export function proveBroken(record: LockRecord, nodes: readonly string[]): LockRecord {
  if (record.broken === undefined) return record;
  const left = record.broken.nodes.filter((node) => !nodes.includes(node));
  if (left.length > 0) return { ...record, broken: { ...record.broken, nodes: left } };
  const { broken: _proven, ...rest } = record;
  return rest;
}
