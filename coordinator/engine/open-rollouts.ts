/** What a new leader finds: a claim says that a rollout is open, its log what became of it. */
import type { RolloutEvent } from "../domain/rollout/event.ts";
import type { Drivers } from "./drivers.ts";
import type { Claims } from "./lock/claims.ts";
import type { EventLog } from "./ports.ts";

interface OpenMeans {
  readonly claims: Claims;
  readonly log: EventLog<RolloutEvent>;
  readonly drivers: Drivers;
}

/**
 * Drives every rollout that holds a claim. One whose log is empty was never begun: its coordinator died between
 * the two writes, nobody was told that it exists, and its claim is given back.
 */
export async function driveOpen({ claims, log, drivers }: OpenMeans, by: string): Promise<void> {
  for (const [rollout, clusters] of await claims.open()) {
    if ((await log.read(rollout)).length > 0) drivers.start(rollout, true);
    else await claims.releaseAll(clusters, { rollout, by });
  }
}
