/** Whose objects a step means, and in which direction they carry rows. */
import type { Side } from "../move.ts";

export type Way = "forward" | "back";

/** `of`: the rollout whose objects are meant; absent: the plan's own. */
export type Of = { readonly of: string } | Readonly<Record<string, never>>;

export function systemOf(side: Side | undefined): Readonly<Record<string, string>> {
  return side === undefined ? {} : { subscriber: side.systemId };
}
