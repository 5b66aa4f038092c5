/** Measured values of this engine: what throws or fails is UNKNOWN, with its reason. */
import { FailureError, type Outcome } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { Host } from "../../verb.ts";

export async function take<T>(host: Host, work: () => Promise<Outcome<T>>): Promise<Measured<T>> {
  const at = new Date(host.clock.now()).toISOString();
  try {
    const found = await work();
    return found.ok ? { at, value: found.value } : { at, unknown: found.failure };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return {
      at,
      unknown: error instanceof FailureError ? error.failure : { code: "measure.failed", facts: { cause } },
    };
  }
}
