/**
 * Whatever is kept carries the number of its format. A reader reads its own number and every older one. A newer one
 * is refused by name: what a reader does not know of may be the very thing that forbids the next step.
 */
import type { Facts } from "./failure.ts";

/** Facts for the refusal, `format` and `known`; undefined where the number is one from 1 to `known`. */
export function unknownFormat(kept: unknown, known: number): Facts | undefined {
  const format = typeof kept === "object" && kept !== null && "format" in kept ? kept.format : undefined;
  const isRead = typeof format === "number" && Number.isInteger(format) && format >= 1 && format <= known;
  return isRead ? undefined : { format: String(format ?? "none"), known: String(known) };
}
