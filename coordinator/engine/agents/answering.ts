/** What a person's word does, where the engine may act on it by itself. */
import type { Failure } from "#proto/common/failure.ts";
import { letGo } from "../lock/letting-go.ts";
import type { RolloutDesk } from "../rollout-desk.ts";

/** True where a word was given to this very stop, for a node that lost its memory or for a broken lock. */
export async function answeredFor(desk: RolloutDesk, { code, facts }: Failure): Promise<boolean> {
  const { clock, deeds, standings } = desk.means;
  const word = desk.state.words.find(
    ({ check, until, about }) =>
      check === code &&
      (until === undefined || Date.parse(until) > clock.now()) &&
      about !== undefined &&
      Object.entries(facts).every(([name, fact]) => about[name] === fact),
  );
  const { cluster, node, stateId } = facts;
  if (word === undefined || cluster === undefined) return false;
  if (code === "node.unproven" && node !== undefined && stateId !== undefined) {
    await standings.prove(node, stateId, word.by);
    return true;
  }
  if (code !== "lock.broken" || !letGo(desk, cluster, (facts["nodes"] ?? "").split(", "))) return false;
  await deeds.clearBreak(cluster);
  return true;
}
