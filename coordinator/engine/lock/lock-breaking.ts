/**
 * A break: the holders are asked to stop at their next safe boundary first, and only a node that does not answer
 * needs a person's word that its host is off. What it leaves is a note in the record, and a stopped rollout.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { LockRecord } from "../../domain/lock.ts";
import { begunUnder, breakLock } from "../../domain/lock-recovery.ts";
import type { LockView } from "../../domain/views.ts";
import type { ApplicationMeans, LockBreak } from "../orders/application-means.ts";
import { lockView } from "../orders/fleet-view.ts";

/** How long a node that answers may take to its next safe boundary before the break is refused. */
const stopLimitMs = 60_000;
const pollMs = 500;
const askEveryMs = 5_000;

interface Held {
  readonly cluster: string;
  readonly record: LockRecord;
}

type Reach = "ended" | "silent" | "works";

export async function breakHeldLock(
  means: ApplicationMeans,
  by: string,
  { cluster, reason, word }: LockBreak,
): Promise<Outcome<LockView>> {
  const record = (await means.deeds.read(cluster))?.value;
  if (record === undefined || record.state === "free") return fail("lock.free", { cluster });
  if (reason.trim() === "") return fail("lock.break-without-reason", { cluster });
  const { epoch, nodes } = record;
  const facts = { epoch: String(epoch), nodes: nodes.join(", "), word };
  await means.audit.record({ who: by, deed: "lock-break", subject: cluster, reason, facts });
  const held = await heldTogether(means, { cluster, record });
  const reach = await reachAll(means, held);
  const works = [...reach].flatMap(([node, how]) => (how === "works" ? [node] : []));
  if (works.length > 0) return fail("lock.break-still-works", { cluster, nodes: works.join(", ") });
  const reached = [...reach].flatMap(([node, how]) => (how === "ended" ? [node] : []));
  const at = new Date(means.clock.now()).toISOString();
  const request = { reason, by, at, reached, hostsAreOff: word === "the host is off" };
  // before the first break: its rollout knows of no lock after it
  const breaks = held.map((each) => ({ ...each, request: { ...request, begun: holdersOf(means, each) } }));
  for (const each of breaks) {
    const may = breakLock(each.cluster, each.record, each.request);
    if (!may.ok) return may;
  }
  for (const { cluster: name, request: asked } of breaks) {
    const broken = await means.deeds.change(name, (found) => breakLock(name, found, asked));
    if (!broken.ok && broken.failure.code !== "lock.free") return broken;
    if (broken.ok) await tell(means, { cluster: name, record: broken.value }, { by, reason, reached });
  }
  const left = (await means.deeds.read(cluster))?.value;
  return succeed(lockView(cluster, left, means.fleet, { step: undefined, nowMs: means.clock.monotonicMs() }));
}

/** A stage over several clusters holds all their locks as one: half of it cannot be broken. */
async function heldTogether({ drivers, deeds }: ApplicationMeans, held: Held): Promise<readonly Held[]> {
  const { lock } = drivers.state(held.record.rollout) ?? {};
  if (lock?.nonce !== held.record.nonce) return [held];
  const all: Held[] = [];
  for (const cluster of Object.keys(lock.epochs)) {
    const record = (await deeds.read(cluster))?.value;
    if (record?.nonce === lock.nonce && record.state !== "free") all.push({ cluster, record });
  }
  return all;
}

/** Who is in, whatever the store remembers: by its record, by their own journals, and by the rollout's log. */
function holdersOf({ drivers, reports }: ApplicationMeans, { cluster, record }: Held): readonly string[] {
  const { lock } = drivers.state(record.rollout) ?? {};
  const logged = lock?.nonce === record.nonce && lock.epochs[cluster] === record.epoch ? lock.entered : [];
  const begun = begunUnder(record, reports.of(cluster, record.nodes));
  return [...new Set([...record.entered, ...begun, ...logged.filter((node) => record.nodes.includes(node))])];
}

/** All have ended at one moment, or at the end of the limit some have not: the rollout goes on meanwhile. */
async function reachAll(means: ApplicationMeans, held: readonly Held[]): Promise<ReadonlyMap<string, Reach>> {
  const { standings, clock } = means;
  const proven = await standings.provenStateIds(held.flatMap(({ record }) => record.nodes));
  const endMs = clock.monotonicMs() + stopLimitMs;
  let askAtMs = clock.monotonicMs();
  for (;;) {
    const found = new Map(
      held.flatMap((each) =>
        holdersOf(means, each).map((node) => [node, reach(means, node, { ...each, proven })] as const),
      ),
    );
    const works = [...found].flatMap(([node, how]) => (how === "works" ? [node] : []));
    const nowMs = clock.monotonicMs();
    if (works.length === 0 || nowMs >= endMs) return found;
    if (nowMs >= askAtMs) {
      askAtMs = nowMs + askEveryMs;
      for (const node of works) askToStop(means, node);
    }
    await clock.sleep(pollMs);
  }
}

/** As it is now; one that has lost its memory cannot say whether it still works. */
function reach(
  { fleet, reports }: ApplicationMeans,
  node: string,
  { record, proven }: Held & { readonly proven: Readonly<Record<string, string>> },
): Reach {
  if (fleet.presence(node) === undefined || reports.stateId(node) !== proven[node]) return "silent";
  const program = reports.unfinished(node);
  return program?.nonce === record.nonce && program.standing === "in-flight" ? "works" : "ended";
}

function askToStop({ fleet, reports }: ApplicationMeans, node: string): void {
  const program = reports.unfinished(node);
  if (program === undefined) return;
  const { rollout, stage, epoch } = program;
  fleet.send(node, { $case: "stopProgram", value: { rollout, stage, epoch, undo: false, ask: 0 } });
}

async function tell(
  { drivers, inventory, fleet, audit }: ApplicationMeans,
  { cluster, record }: Held,
  {
    by,
    reason,
    reached,
  }: { readonly by: string; readonly reason: string; readonly reached: readonly string[] },
): Promise<void> {
  const { epoch, nonce, rollout, scope, nodes } = record;
  const clusterScope = scope === "cluster";
  // who is free to take the newer epoch takes it now; the others before anything is granted again
  for (const { name } of inventory.cluster(cluster)?.nodes ?? []) {
    const value = { cluster, epoch, nonce, rollout, nodes, clusterScope, auditHead: audit.head };
    fleet.send(name, { $case: "epochNotice", value });
  }
  const broken = record.broken?.nodes ?? [];
  await drivers.order(rollout, {
    kind: "lock-broken",
    cluster,
    brokenAt: record.broken?.at ?? record.since,
    nodes: broken,
    by,
    reason,
    reached: broken.every((node) => reached.includes(node)),
  });
}
