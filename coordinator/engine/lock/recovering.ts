/** After a start, and after every order: what the lock's record and the nodes' journals say of each other. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { brokenBy, type LockRecord } from "../../domain/lock.ts";
import { begunUnder } from "../../domain/lock-recovery.ts";
import type { RolloutFact } from "../../domain/rollout/event.ts";
import { stageState } from "../../domain/rollout/state.ts";
import { mayBeHalfWay } from "../../domain/rollout/under-lock.ts";
import { answeredFor } from "../agents/answering.ts";
import { type RolloutDesk, tickMs } from "../rollout-desk.ts";
import type { LockDeeds } from "./lock-deeds.ts";
import { isAllFree, takeOverOf } from "./taking-over.ts";

/** Leaves `desk.recovered` false where not enough is known yet: it is asked again. */
export async function recover(desk: RolloutDesk): Promise<void> {
  for (const cluster of desk.state.plan.clusters) {
    const { record, what } = await takeOverOf(desk, cluster);
    if (await noteBreak(desk, cluster, record)) continue;
    // a person's word lets go of what ended under a broken lock: before that its agent would take nothing
    if (record?.broken !== undefined) await answeredFor(desk, brokenBy(cluster, record.broken));
    if (await adoptBegun(desk)) continue;
    if (record === undefined || record.rollout !== desk.state.id) {
      if (desk.state.lock !== undefined && desk.state.lock.entered.length === 0 && record !== undefined)
        await forgotten(desk, cluster);
      continue;
    }
    const settled = await settle(
      desk,
      cluster,
      {
        epoch: record.epoch,
        nonce: record.nonce,
        stage: record.stage,
        entered: record.entered,
        nodes: record.nodes,
      },
      what,
    );
    if (!settled) return;
    if (record.state === "free" && (await isAllFree(desk, cluster))) await settleFree(desk, record.nonce);
  }
  desk.recovered = true;
}

/** The break was written, and its event was not: the coordinator died between the two. */
async function noteBreak(
  desk: RolloutDesk,
  cluster: string,
  record: LockRecord | undefined,
): Promise<boolean> {
  const epoch = desk.state.lock?.epochs[cluster];
  if (record?.broken === undefined || epoch === undefined || record.epoch <= epoch) return false;
  const { nodes, by, reason, at: brokenAt } = record.broken;
  await desk.append({ kind: "lock-broken", cluster, brokenAt, nodes, by, reason, reached: false });
  return true;
}

/**
 * Nodes of our lock that say that they have entered count as entered, though the store or this log may have
 * forgotten it. True where there are such nodes: then nothing is given back.
 */
export async function adoptBegun(desk: RolloutDesk): Promise<boolean> {
  const { lock } = desk.state;
  if (lock === undefined) return false;
  const begun = Object.entries(lock.epochs).flatMap(([cluster, epoch]) => {
    const reports = desk.means.reports.of(cluster, desk.means.members(cluster));
    return begunUnder({ ...lock, epoch }, reports).map((node) => ({ node, epoch }));
  });
  const missing = begun.filter(({ node }) => !lock.entered.includes(node));
  const { stage } = lock;
  await desk.append(...missing.map((each): RolloutFact => ({ kind: "entered", stage, ...each })));
  return missing.length > 0;
}

async function settle(
  desk: RolloutDesk,
  cluster: string,
  record: {
    readonly epoch: number;
    readonly nonce: string;
    readonly stage: string;
    readonly entered: readonly string[];
    readonly nodes: readonly string[];
  },
  what: Awaited<ReturnType<LockDeeds["takeOver"]>>["what"],
): Promise<boolean> {
  const { deeds } = desk.means;
  const { epoch, nonce, stage } = record;
  const ours = desk.state.lock?.nonce === nonce;
  switch (what.do) {
    case "nothing":
      return true;
    case "withdraw":
    case "free": {
      if (ours && holdsHalfWay(desk)) return true;
      const given = await deeds.withdraw(cluster, { epoch, nonce }, what.do === "free" ? record.entered : []);
      if (given.ok && ours)
        await desk.append({
          kind: "withdrawn",
          stage,
          nonce,
          why: failure("lock.taken-over", { cluster }),
        });
      return given.ok;
    }
    case "adopt":
    case "judge": {
      const missing = what.nodes.filter((node) => ours && !desk.state.lock?.entered.includes(node));
      await desk.append(...missing.map((node): RolloutFact => ({ kind: "entered", stage, node, epoch })));
      return true;
    }
    case "wait":
      if (await answeredFor(desk, what.why)) return false;
      return awaitHolder(desk, stage, what.why);
  }
}

/** Journals that know of no program do not speak for a node that this log knows to be half-way. */
function holdsHalfWay({ state }: RolloutDesk): boolean {
  const { lock } = state;
  if (lock === undefined) return false;
  const stage = stageState(state, lock.stage);
  return lock.entered.some((node) => mayBeHalfWay(stage, lock, node));
}

/** The holder is silent: nothing is granted; after the limit a person is told, and the lock stays. */
async function awaitHolder(desk: RolloutDesk, stage: string, why: Failure): Promise<boolean> {
  const { clock, timing } = desk.means;
  desk.refusedSinceMs ??= clock.monotonicMs();
  const isUnproven = why.code === "node.unproven";
  if (isUnproven || clock.monotonicMs() - desk.refusedSinceMs >= timing.silenceLimitMs) {
    desk.refusedSinceMs = undefined;
    desk.recovered = true;
    await desk.stop(stage, why, isUnproven ? "hint.program-lost" : "hint.node-silent");
    return false;
  }
  await desk.rest(stage, why, tickMs);
  return false;
}

/** The record is free under our nonce: the compare-and-swap was done, only its event is missing. */
async function settleFree(desk: RolloutDesk, nonce: string): Promise<void> {
  const { lock } = desk.state;
  if (lock?.nonce !== nonce) return;
  const { stage } = lock;
  if (lock.entered.length > 0) await desk.append({ kind: "freed", stage, nonce });
  else await desk.append({ kind: "withdrawn", stage, nonce, why: failure("lock.taken-over", {}) });
}

/** The store has forgotten a grant that nobody had entered. */
async function forgotten(desk: RolloutDesk, cluster: string): Promise<void> {
  const { lock } = desk.state;
  if (lock === undefined) return;
  await desk.append({
    kind: "withdrawn",
    stage: lock.stage,
    nonce: lock.nonce,
    why: failure("lock.missing", { cluster }),
  });
}
