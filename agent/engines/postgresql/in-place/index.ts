/** The verbs of an upgrade in place by `pg_upgrade`. */
import type { Verb } from "../../../verb.ts";
import type { Means } from "../settings.ts";
import { configurationVerbs } from "./configuration.ts";
import { dataVerbs } from "./data.ts";
import { provingVerbs } from "./proving.ts";
import { serverVerbs } from "./servers.ts";
import { upgradingVerbs } from "./upgrading.ts";

export function inPlaceVerbs(means: Means): readonly Verb[] {
  return [
    ...provingVerbs(means),
    ...dataVerbs(means),
    ...configurationVerbs(means),
    ...serverVerbs(means),
    ...upgradingVerbs(means),
  ];
}
