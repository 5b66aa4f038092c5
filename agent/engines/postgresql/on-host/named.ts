/** What the agent's own file may name of a host, and in which form: it reaches command lines and units. */
import { z } from "zod";

export const path = z
  .string()
  .regex(/^\/[^\0\s"']*[^\0\s"'/]$/, "must be an absolute path without spaces and quotes");

export const unit = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9:_.@-]*$/, "must be the name of a systemd unit");

/** Or the same. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
