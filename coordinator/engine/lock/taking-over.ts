/** A lock over several clusters is one lock: what becomes of its record in one of them hangs on the others. */
import type { LockRecord } from "../../domain/lock.ts";
import type { TakeOver } from "../../domain/lock-recovery.ts";
import type { RolloutDesk } from "../rollout-desk.ts";

interface Taken {
  readonly record: LockRecord | undefined;
  readonly what: TakeOver;
}

/** No part of our lock is given back while another part is in work, or nobody knows whether it is. */
export async function takeOverOf(desk: RolloutDesk, cluster: string): Promise<Taken> {
  const { deeds } = desk.means;
  const own = await deeds.takeOver(cluster);
  const { record, what } = own;
  if (record === undefined || (what.do !== "withdraw" && what.do !== "free")) return own;
  for (const other of await othersHeld(desk, cluster)) {
    if (record.nonce !== other.record?.nonce) continue;
    if (other.what.do === "wait") return { record, what: other.what };
    if (other.what.do === "adopt" || other.what.do === "judge")
      return { record, what: { do: other.what.do, nodes: record.entered } };
  }
  return own;
}

/** The record is free, and those of the other clusters are not any more held by our lock either. */
export async function isAllFree(desk: RolloutDesk, cluster: string): Promise<boolean> {
  const others = await othersHeld(desk, cluster);
  return others.every(({ record }) => record?.nonce !== desk.state.lock?.nonce || record?.state === "free");
}

function othersHeld({ means, state }: RolloutDesk, cluster: string): Promise<readonly Taken[]> {
  const held = Object.keys(state.lock?.epochs ?? {}).filter((each) => each !== cluster);
  return Promise.all(held.map((each) => means.deeds.takeOver(each)));
}
