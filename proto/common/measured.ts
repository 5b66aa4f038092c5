/**
 * A value with the moment it was measured, or the reason why it is not known. There is no third case:
 * "not measured" is never an absent field, because absence reads like health.
 */
import { z } from "zod";
import type { Failure, FailureCode } from "./failure.ts";

export type Measured<T> =
  | { readonly at: string; readonly value: T }
  | { readonly at: string; readonly unknown: Failure }
  | { readonly at: string; readonly notApplicable: string };

export const failureSchema = z.object({
  code: z.custom<FailureCode>((code) => typeof code === "string" && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(code)),
  facts: z.record(z.string(), z.string()),
});

/** Schema of a measured value; `at` is an ISO 8601 instant of the measuring host's clock. */
export function measured<T extends z.ZodType>(value: T) {
  return z.union([
    z.object({ at: z.string(), value }),
    z.object({ at: z.string(), unknown: failureSchema }),
    z.object({ at: z.string(), notApplicable: z.string() }),
  ]);
}

/** The value, or undefined where it is UNKNOWN or not applicable. Callers must treat undefined as "stop". */
export function known<T>(found: Measured<T> | undefined): T | undefined {
  return found !== undefined && "value" in found ? found.value : undefined;
}

/** Why the value is not known; undefined when it is known or does not apply. */
export function whyUnknown(found: Measured<unknown> | undefined): Failure | undefined {
  if (found === undefined) return { code: "measure.never-taken", facts: {} };
  return "unknown" in found ? found.unknown : undefined;
}
