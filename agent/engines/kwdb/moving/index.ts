/** Verbs that move a cluster's data into another one: export, carry, import, compare. */
import type { Verb } from "../../../verb.ts";
import type { Means } from "../installation.ts";
import { accountVerbs } from "./accounts.ts";
import { clearingVerbs } from "./clearing.ts";
import { comparingVerbs } from "./comparing.ts";
import { describingVerbs } from "./describing.ts";
import { exportVerbs } from "./exporting.ts";
import { fenceVerbs } from "./fence.ts";
import { importVerbs } from "./importing.ts";
import { moveLookingVerbs } from "./looking.ts";

export function movingVerbs(means: Means): readonly Verb[] {
  return [
    ...moveLookingVerbs(means),
    ...fenceVerbs(means),
    ...comparingVerbs(means),
    ...describingVerbs(means),
    ...exportVerbs(means),
    ...accountVerbs(means),
    ...importVerbs(means),
    ...clearingVerbs(means),
  ];
}
