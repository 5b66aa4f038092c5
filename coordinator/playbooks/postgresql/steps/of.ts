/** Whose objects a step means, and in which direction they carry rows. */
import type { Endpoint } from "../move.ts";

export type Way = "forward" | "back";

/** `of`: the rollout whose objects are meant; absent: the plan's own. */
export type Of = { readonly of: string } | Readonly<Record<string, never>>;

export function systemOf(endpoint: Endpoint | undefined): Readonly<Record<string, string>> {
  return endpoint === undefined ? {} : { subscriber: endpoint.systemId };
}
