/** The packages of a new server's host: added, proven, and taken away again, as far as the agent's own file names them. */
import type { Verb } from "../../../verb.ts";
import type { Means } from "../settings.ts";
import { addingVerb } from "./adding.ts";
import { provingVerb } from "./proving.ts";
import { removingVerb } from "./removing.ts";

export function packageVerbs(means: Means): readonly Verb[] {
  return [addingVerb(means), provingVerb(means), removingVerb(means)];
}
