/** The verbs that make a new server for a move: the old host's sends its configuration, the new one's makes it. */
import type { Verb } from "../../../verb.ts";
import type { Means } from "../settings.ts";
import { dataVerbs } from "./data.ts";
import { sendingVerbs } from "./sending.ts";
import { serverVerbs } from "./server.ts";
import { tablespaceVerbs } from "./tablespaces.ts";
import { takingVerbs } from "./taking.ts";

export function madeVerbs(means: Means): readonly Verb[] {
  return [
    ...sendingVerbs(means),
    ...dataVerbs(means),
    ...takingVerbs(means),
    ...tablespaceVerbs(means),
    ...serverVerbs(means),
  ];
}
