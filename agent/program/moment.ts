/** Moments that can be compared after a restart of the agent, and the time between two of them. */
import type { Clock } from "#proto/common/clock.ts";
import type { Moment } from "./entry.ts";

export interface Timekeeper {
  readonly clock: Clock;
  readonly bootId: string;
  /** Time since the host's boot, in ms, that no clock setting moves. */
  readonly uptimeMs: () => number;
}

export function momentOf({ clock, bootId, uptimeMs }: Timekeeper): Moment {
  return { wallMs: clock.now(), bootId, uptimeMs: uptimeMs() };
}

/** Exact within one boot; by wall time across boots, and undefined where that runs backwards. */
export function elapsedMs(from: Moment, to: Moment): number | undefined {
  if (from.bootId === to.bootId && to.uptimeMs >= from.uptimeMs) return to.uptimeMs - from.uptimeMs;
  return to.wallMs >= from.wallMs ? to.wallMs - from.wallMs : undefined;
}
