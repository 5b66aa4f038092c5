// Waiting for something that a host will do in its own time.
import { setTimeout as sleep } from "node:timers/promises";

const DEFAULT_LIMIT_MS = 30_000;
const POLL_MS = 50;

/** Asks again and again until it holds; throws with what was waited for. 30 s unless told. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  limitMs = DEFAULT_LIMIT_MS,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
