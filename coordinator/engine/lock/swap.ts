/**
 * A compare-and-swap that ends in "written" or "lost", never in "perhaps". A lost acknowledgement is not a
 * lost race: the record is read again, and as long as it is the old one the same swap is tried again,
 * because the first may still be on its way.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Register, Versioned } from "../ports.ts";

export interface SwapMeans {
  readonly clock: Clock;
  readonly random: Random;
  /** How long an election of the store may take before the caller hears of it. */
  readonly limitMs: number;
}

export const electionLimitMs = 15_000;

export interface Swap<T> {
  readonly key: string;
  readonly before: Versioned<T> | undefined;
  readonly next: T;
  /** Is this record the one that we wanted to write? Compares the nonce, not only the fields. */
  readonly isOurs: (found: T) => boolean;
}

/** Failures: `store.swap-lost` (another write came first) and `store.unreachable` (nobody knows; ask again later). */
export async function swapSurely<T>(
  register: Register<T>,
  swap: Swap<T>,
  { clock, random, limitMs }: SwapMeans,
): Promise<Outcome<Versioned<T>>> {
  const { key, before, next, isOurs } = swap;
  const revision = before?.revision ?? 0;
  const endMs = clock.monotonicMs() + limitMs;
  let cause = "";
  for (let tries = 1; ; tries += 1) {
    const swapped = await register.swap(key, next, revision);
    if (swapped.result === "written") return succeed({ value: next, revision: swapped.revision });
    const found = await register.read(key).catch((error: unknown) => error as Error);
    if (!(found instanceof Error)) {
      if (found !== undefined && isOurs(found.value)) return succeed(found);
      if (swapped.result === "lost" || (found?.revision ?? 0) !== revision)
        return fail("store.swap-lost", { key });
    } else cause = found.message;
    if (clock.monotonicMs() >= endMs)
      return fail("store.unreachable", { cause: cause || "no acknowledgement" });
    await clock.sleep(Math.min(2_000, 100 * 2 ** tries) * (0.5 + random()));
  }
}

/** Reads, waiting out an election of the store; throws what the last try threw. */
export async function readSurely<T>(
  register: Register<T>,
  key: string,
  { clock, random, limitMs }: SwapMeans,
): Promise<Versioned<T> | undefined> {
  const endMs = clock.monotonicMs() + limitMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await register.read(key);
    } catch (error) {
      if (clock.monotonicMs() >= endMs) throw error;
      await clock.sleep(Math.min(2_000, 100 * 2 ** tries) * (0.5 + random()));
    }
  }
}
