/** `make bench`: the figures of the budget, measured here and now. Nothing is asserted; it ends by itself. */
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { benchFleetSize } from "./fleet-size.ts";
import { heading } from "./print.ts";
import { benchRollout } from "./rollout.ts";

const rolloutLimitMs = 100_000;
const sizeLimitMs = 70_000;

/** A part that does not end in time is given up, its processes ended, and said so. */
async function within(limitMs: number, part: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limitMs);
  try {
    await part(late.signal);
    return true;
  } catch (error) {
    if (!late.signal.aborted) throw error;
    console.log(
      `  the rest was not measured: not done within ${limitMs / 1_000} s on this machine, as busy as it is`,
    );
    return false;
  } finally {
    clearTimeout(timer);
  }
}

const load = loadavg().map((each) => each.toFixed(1));
heading(
  `${availableParallelism()} processors, load ${load.join(" ")}: on a busy machine every figure is too high`,
);
const dist = path.join(import.meta.dirname, "../../dist");
const rolled = await within(rolloutLimitMs, (signal) => benchRollout(dist, signal));
const sized = await within(sizeLimitMs, benchFleetSize);
process.exit(rolled && sized ? 0 : 1);
