/** The engine's lock deeds (coordinator/engine/lock/lock-deeds.ts), step for step, around the same transitions. */
import * as lock from "#coordinator/domain/lock.ts";
import { type TakeOver, takeOver } from "#coordinator/domain/lock-recovery.ts";
import type { AgentReports } from "#coordinator/engine/agents/agent-reports.ts";
import { type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { type Clocked, type Held, readSurely, type Steps, swapSurely } from "./asking.ts";
import type { Versioned } from "./register.ts";
import type { Rules } from "./rules.ts";

const cluster = "c";
const enterLimitMs = 4_000;

export interface LockStepsMeans extends Clocked {
  readonly name: string;
  readonly members: readonly string[];
  readonly reports: AgentReports;
  readonly rules: Rules;
}

export type Wish = Pick<lock.Grant, "nodes" | "scope" | "stage" | "nonce">;

function* readLock(means: LockStepsMeans, limitMs?: number): Steps<Versioned<lock.LockRecord> | undefined> {
  const found = yield* readSurely(means, "lock", limitMs);
  const value = means.rules.read(found?.value, means.nowMs);
  return found === undefined || value === undefined ? undefined : { value, revision: found.revision };
}

function* provenStateIds(means: LockStepsMeans): Steps<Readonly<Record<string, string>>> {
  return (yield* readSurely(means, "standings"))?.value ?? {};
}

function* swap(
  means: LockStepsMeans,
  before: Versioned<lock.LockRecord> | undefined,
  next: lock.LockRecord,
  limitMs?: number,
): Steps<Outcome<lock.LockRecord>> {
  const isOurs = (found: lock.LockRecord) =>
    found.nonce === next.nonce &&
    found.epoch === next.epoch &&
    JSON.stringify(found) === JSON.stringify(next);
  const limit = limitMs === undefined ? {} : { limitMs };
  const result = yield* swapSurely(means, { key: "lock", before, next, isOurs, ...limit });
  if (result === "written") return succeed(next);
  return result === "lost" ? fail("store.swap-lost") : fail("store.unreachable");
}

function* change(
  means: LockStepsMeans,
  alter: (record: lock.LockRecord) => Outcome<lock.LockRecord>,
  limitMs?: number,
): Steps<Outcome<lock.LockRecord>> {
  for (let tries = 0; tries < 5; tries += 1) {
    const before = yield* readLock(means, limitMs);
    if (before === undefined) return fail("lock.missing");
    const next = alter(before.value);
    if (!next.ok || next.value === before.value) return next;
    const written = yield* swap(means, before, next.value, limitMs);
    if (written.ok || written.failure.code !== "store.swap-lost") return written;
  }
  return fail("store.swap-lost");
}

export function* grant(means: LockStepsMeans, wish: Wish): Steps<Outcome<lock.LockRecord>> {
  const before = yield* readLock(means);
  const reports = means.reports.of(cluster, means.members);
  const proven = yield* provenStateIds(means);
  const epoch = lock.mayGrant({
    cluster,
    record: before?.value,
    members: means.members,
    reports,
    provenStateIds: proven,
  });
  if (!epoch.ok) return epoch;
  const record = lock.grant(cluster, before?.value, {
    ...wish,
    epoch: epoch.value,
    rollout: "r",
    since: String(means.nowMs),
    by: means.name,
  });
  return record.ok ? yield* swap(means, before, record.value) : record;
}

/** Asked when all agents have said yes: are they the agents that the grant was made on? */
export function* whyNotReady(means: LockStepsMeans): Steps<Failure | undefined> {
  const proven = yield* provenStateIds(means);
  const reports = means.reports.of(cluster, means.members);
  return lock.whyNotReady({ cluster, members: means.members, reports, provenStateIds: proven });
}

export function enter(
  means: LockStepsMeans,
  holding: lock.Holding,
  node: string,
): Steps<Outcome<lock.LockRecord>> {
  return change(means, (record) => lock.enter(cluster, record, holding, node), enterLimitMs);
}

export function withdraw(
  means: LockStepsMeans,
  holding: lock.Holding,
  abandoned: readonly string[],
): Steps<Outcome<lock.LockRecord>> {
  const since = String(means.nowMs);
  return change(means, (record) => {
    if (!lock.isHolding(record, holding)) return succeed(record);
    let left: Outcome<lock.LockRecord> = succeed(record);
    for (const node of abandoned) {
      if (left.ok && left.value.state === "entered")
        left = lock.abandonEnter(cluster, left.value, { ...holding, node }, since);
    }
    return left.ok && left.value.state === "granted"
      ? lock.withdraw(cluster, left.value, holding, since)
      : left;
  });
}

/** A record that the store has lost meanwhile is written anew as free, under our epoch. */
export function* free(means: LockStepsMeans, held: Held): Steps<Outcome<lock.LockRecord>> {
  const { epoch, nonce, stage, nodes, scope, entered } = held;
  const before = yield* readLock(means);
  const since = String(means.nowMs);
  if (before === undefined || before.value.epoch < epoch) {
    const by = means.name;
    const empty = { format: lock.lockFormat, state: "free", entered: [] } as const;
    return yield* swap(means, before, {
      ...empty,
      epoch,
      scope,
      nodes,
      rollout: "r",
      stage,
      nonce,
      since,
      by,
    });
  }
  if (before.value.state === "free" && before.value.nonce === nonce) return succeed(before.value);
  const proof = { nodes: entered };
  return yield* change(means, (record) => lock.free(cluster, record, { epoch, nonce, proof }, since));
}

export function* lookAtTakeOver(
  means: LockStepsMeans,
): Steps<{ readonly record: lock.LockRecord | undefined; readonly what: TakeOver }> {
  const record = (yield* readLock(means))?.value;
  const reports = means.reports.of(cluster, means.members);
  return { record, what: takeOver(cluster, record, reports, yield* provenStateIds(means)) };
}

export function* meet(means: LockStepsMeans, node: string): Steps<void> {
  const stateId = means.reports.stateId(node);
  if (stateId !== undefined && (yield* provenStateIds(means))[node] === undefined)
    yield* prove(means, node, stateId);
}

export function* prove(means: LockStepsMeans, node: string, stateId: string): Steps<void> {
  const before = yield* readSurely(means, "standings");
  if (before?.value[node] === stateId) return;
  const next = { ...before?.value, [node]: stateId };
  yield* swapSurely(means, { key: "standings", before, next, isOurs: (found) => found[node] === stateId });
}
