/** pglogical as the mover of a playbook whose stages are the same: its verbs. */
import type { Verb } from "../../../verb.ts";
import type { Means } from "../settings.ts";
import { nodeVerbs } from "./nodes.ts";
import { subscriptionVerbs } from "./subscribing.ts";
import { tableVerbs } from "./tables.ts";
import { trustVerbs } from "./trust.ts";

export function pglogicalVerbs(means: Means): readonly Verb[] {
  return [...trustVerbs(means), ...nodeVerbs(means), ...tableVerbs(means), ...subscriptionVerbs(means)];
}
