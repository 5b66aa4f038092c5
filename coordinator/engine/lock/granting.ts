/** The grant and its end, with every message that belongs to it: announce, withdraw, free. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { UnfinishedReport } from "../../domain/lock.ts";
import type { Action } from "../../domain/rollout/action.ts";
import type { StopHint } from "../../domain/rollout/hint.ts";
import { type HeldLock, stageState } from "../../domain/rollout/state.ts";
import { answeredFor } from "../agents/answering.ts";
import { toFailure } from "../agents/wire.ts";
import { type RolloutDesk, tickMs } from "../rollout-desk.ts";
import { adoptBegun } from "./recovering.ts";

export async function grant(
  desk: RolloutDesk,
  { stage, clusters, nodes, scope }: Extract<Action, { do: "grant" }>,
): Promise<void> {
  const nonce = desk.means.nonce();
  const granted = await desk.means.deeds.grant({
    clusters,
    nodes,
    scope,
    rollout: desk.state.id,
    stage,
    nonce,
  });
  if (granted.ok) {
    desk.refusedSinceMs = undefined;
    return desk.append({
      kind: "granted",
      stage,
      clusters,
      nodes,
      scope,
      epochs: granted.value,
      nonce,
    });
  }
  if (await answeredFor(desk, granted.failure)) return;
  if (granted.failure.code === "claim.missing") {
    const claimed = await desk.means.claimAgain(desk.state);
    return claimed.ok ? undefined : notYet(desk, stage, claimed.failure);
  }
  await notYet(desk, stage, granted.failure);
}

/** Tried again for a while, with jitter; then the rollout stops for that reason. */
export async function notYet(desk: RolloutDesk, stage: string, why: Failure): Promise<void> {
  const { clock, timing, random } = desk.means;
  desk.refusedSinceMs ??= clock.monotonicMs();
  const final =
    why.code === "node.unproven" ||
    why.code === "lock.broken" ||
    why.code === "claim.held" ||
    clock.monotonicMs() - desk.refusedSinceMs >= timing.grantLimitMs;
  if (final) {
    desk.refusedSinceMs = undefined;
    return desk.stop(stage, why, hintOfRefusal(desk, why));
  }
  await desk.rest(stage, why, tickMs * (0.5 + random()));
}

function hintOfRefusal({ state }: RolloutDesk, { code }: Failure): StopHint {
  if (code === "lock.broken") return "hint.lock.broken";
  if (code === "node.unproven") return "hint.program-lost";
  return state.lock === undefined ? "hint.mend-and-resume" : "hint.lock-stays";
}

export async function announce(desk: RolloutDesk, stage: string): Promise<void> {
  const { lock } = desk.state;
  if (lock === undefined) return;
  const refusal = (await announceTo(desk, lock)) ?? (await noLongerReady(desk, lock));
  if (refusal === undefined) await desk.appendWithNext({ kind: "announced", stage, nonce: lock.nonce });
  else {
    await withdraw(desk, lock, refusal);
    await desk.means.clock.sleep(200 + 800 * desk.means.random(), desk.stopped).catch(() => undefined);
  }
}

export function noticeOf(
  desk: RolloutDesk,
  lock: HeldLock,
  cluster: string,
): NonNullable<ConnectResponse["message"]> {
  const value = {
    cluster,
    epoch: lock.epochs[cluster] ?? 0,
    nonce: lock.nonce,
    rollout: desk.state.id,
    nodes: lock.nodes,
    clusterScope: lock.scope === "cluster",
    auditHead: desk.means.auditHead(),
  };
  return { $case: "epochNotice", value };
}

/** All have said yes: are they still the agents that the grant was made on? One without memory says yes to all. */
async function noLongerReady({ means }: RolloutDesk, lock: HeldLock): Promise<Failure | undefined> {
  for (const cluster of Object.keys(lock.epochs)) {
    const why = await means.deeds.whyNotReady(cluster);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Every agent of every cluster must say yes on this announcement; one no, or silence, takes the grant back. */
async function announceTo(desk: RolloutDesk, lock: HeldLock): Promise<Failure | undefined> {
  const { clock, fleet, timing } = desk.means;
  const awaited = new Set<string>();
  for (const cluster of Object.keys(lock.epochs)) {
    for (const node of desk.means.members(cluster)) {
      if (!fleet.send(node, noticeOf(desk, lock, cluster)))
        return failure("node.not-reported", { cluster, nodes: node });
      awaited.add(`${cluster} ${node}`);
    }
  }
  const endMs = clock.monotonicMs() + timing.answerLimitMs;
  while (awaited.size > 0) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0 || desk.stopped.aborted)
      return failure("node.silent", { nodes: [...awaited].map((each) => each.split(" ")[1]).join(", ") });
    const mail = await desk.takeMail(leftMs);
    if (mail?.kind !== "said" || mail.message.$case !== "epochSeen") continue;
    const { accepted, refusal, cluster, epoch, nonce } = mail.message.value;
    if (nonce !== lock.nonce || epoch !== lock.epochs[cluster]) continue;
    if (!accepted)
      return refusal === undefined
        ? failure("fence.refused", { node: mail.node })
        : { ...toFailure(refusal), facts: { ...refusal.facts, node: mail.node } };
    awaited.delete(`${cluster} ${mail.node}`);
  }
  return undefined;
}

export async function withdraw(desk: RolloutDesk, lock: HeldLock, why: Failure): Promise<void> {
  if (await adoptBegun(desk)) return;
  const { stage, nonce } = lock;
  for (const [cluster, epoch] of Object.entries(lock.epochs)) {
    const given = await desk.means.deeds.withdraw(
      cluster,
      { epoch, nonce },
      lock.nodes.filter((node) => neverBegan(desk, stage, node)),
    );
    if (given.ok && given.value.state !== "free" && given.value.nonce === nonce)
      return desk.stop(stage, failure("lock.held", { cluster, stage }), "hint.lock-stays");
    if (!given.ok && given.failure.code !== "lock.missing") return notYet(desk, stage, given.failure);
  }
  await desk.append({ kind: "withdrawn", stage, nonce, why });
  tellFreed(desk, lock);
}

function neverBegan(desk: RolloutDesk, stage: string, node: string): boolean {
  return Object.values(stageState(desk.state, stage).programs).some(
    (program) => program.node === node && program.outcome === "never-begun",
  );
}

export async function free(desk: RolloutDesk, lock: HeldLock): Promise<void> {
  const { deeds, standings, reports } = desk.means;
  // gates may be green before a program has begun to change anything: its node says when it is at its end
  for (const node of lock.entered) {
    const left = reports.unfinished(node);
    if (left?.nonce === lock.nonce && left.standing === "in-flight")
      return notYet(desk, lock.stage, isRunning(node, left));
  }
  for (const cluster of Object.keys(lock.epochs)) {
    const freed = await deeds.free(lock, cluster, { nodes: lock.entered });
    if (!freed.ok) return notYet(desk, lock.stage, freed.failure);
  }
  const stateIds = lock.entered.flatMap((node) => {
    const stateId = reports.stateId(node);
    return stateId === undefined ? [] : [{ node, stateId }];
  });
  await Promise.all([
    desk.append({ kind: "freed", stage: lock.stage, nonce: lock.nonce }),
    ...stateIds.map(({ node, stateId }) => standings.meet(node, stateId, "gates")),
  ]);
  tellFreed(desk, lock);
}

function isRunning(node: string, program: UnfinishedReport & { readonly cluster: string }): Failure {
  const { cluster, rollout, stage, epoch, standing } = program;
  return failure("node.unfinished", { cluster, node, rollout, stage, epoch: String(epoch), standing });
}

function tellFreed(desk: RolloutDesk, lock: HeldLock): void {
  for (const [cluster, epoch] of Object.entries(lock.epochs)) {
    for (const node of desk.means.members(cluster)) {
      if (!lock.nodes.includes(node)) continue;
      const sent = desk.means.fleet.send(node, {
        $case: "programFreed",
        value: { rollout: desk.state.id, stage: lock.stage, epoch },
      });
      if (sent) desk.means.reports.programGone(node);
    }
  }
}
