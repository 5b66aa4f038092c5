/** PostgreSQL: the front door of its playbook. Databases go to a server of a newer major version while they are written to. */
import type { Playbook } from "../domain/playbook.ts";
import { planBack } from "./postgresql/back.ts";
import { checkMove } from "./postgresql/checks.ts";
import { fullOf } from "./postgresql/facts.ts";
import { fingerprint, playbookVersion } from "./postgresql/fingerprint.ts";
import { following } from "./postgresql/following.ts";
import { gates } from "./postgresql/gates.ts";
import { planBackInPlace } from "./postgresql/in-place/back.ts";
import { checkInPlace } from "./postgresql/in-place/checks.ts";
import { fingerprintInPlace } from "./postgresql/in-place/fingerprint.ts";
import { inPlaceGates } from "./postgresql/in-place/gates.ts";
import { planInPlace } from "./postgresql/in-place/plan.ts";
import { isInPlace } from "./postgresql/in-place/upgrade.ts";
import { inPlaceWays } from "./postgresql/in-place/way.ts";
import { planMove } from "./postgresql/plan.ts";
import { discoverClusters, summarise } from "./postgresql/summary.ts";
import { moveWays } from "./postgresql/ways.ts";

export const postgresql: Playbook = {
  engine: "postgresql",
  version: playbookVersion,
  check: (input) => (isInPlace(input.wish) ? checkInPlace(input) : checkMove(input)),
  plan: (input) => (isInPlace(input.wish) ? planInPlace(input) : planMove(input)),
  planBack: (input, undone) =>
    isInPlace(input.wish) ? planBackInPlace(input, undone) : planBack(input, undone),
  undoesPassedStages: true,
  ways: (input) => [...moveWays(input), ...inPlaceWays(input)],
  gates: { ...gates, ...inPlaceGates },
  mayServeMixed: () => false,
  fingerprint: (input) => (isInPlace(input.wish) ? fingerprintInPlace(input) : fingerprint(input)),
  summarise,
  following,
  leftOvers: (report) => fullOf(report)?.leftOvers,
  discover: discoverClusters,
  compareViews: () => [],
};
