/** Measured values of this engine: what throws, fails or is late is UNKNOWN, with its reason. */
import { FailureError, type Outcome } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { Host } from "../verb.ts";

/** The value within a measured one. */
export type Known<M> = M extends { readonly value: infer T } ? T : never;

export type Take = <T>(work: () => Promise<Outcome<T>>) => Promise<Measured<T>>;

/** Takes measurements until the signal aborts; what is not there by then is UNKNOWN, and the others stand. */
export function takeUntil(host: Host, signal: AbortSignal): Take {
  const passed = whenAborted(signal);
  return async <T>(work: () => Promise<Outcome<T>>): Promise<Measured<T>> => {
    try {
      const found = await Promise.race([work(), passed]);
      const at = now(host);
      if (found === undefined) return { at, unknown: { code: "measure.limit-passed", facts: {} } };
      return found.ok ? { at, value: found.value } : { at, unknown: found.failure };
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const why =
        error instanceof FailureError
          ? error.failure
          : ({ code: "measure.failed", facts: { cause } } as const);
      return { at: now(host), unknown: why };
    }
  };
}

function now(host: Host): string {
  return new Date(host.clock.now()).toISOString();
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
