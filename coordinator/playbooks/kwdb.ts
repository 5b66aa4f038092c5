/**
 * KWDB: the front door of its playbook. Clusters deployed by script, in containers or compiled from source go to a new
 * version in the documented order of their topology; every other way is refused by name.
 */
import type { Playbook } from "../domain/playbook.ts";
import { planBack } from "./kwdb/back.ts";
import { checkCluster } from "./kwdb/checks.ts";
import { discoverClusters } from "./kwdb/discover.ts";
import { fingerprint } from "./kwdb/fingerprint.ts";
import { gates } from "./kwdb/gates.ts";
import { planMend } from "./kwdb/mend.ts";
import { moveFingerprint, openMoves, planMove } from "./kwdb/move.ts";
import { checkMove } from "./kwdb/move-checks.ts";
import { isMove } from "./kwdb/move-sides.ts";
import { planUpgrade } from "./kwdb/plan.ts";
import { compareViews, summarise } from "./kwdb/summary.ts";
import { playbookVersion } from "./kwdb/version.ts";
import { openWays } from "./kwdb/way.ts";

export const kwdb: Playbook = {
  engine: "kwdb",
  version: playbookVersion,
  check: (input) => (isMove(input) ? checkMove(input) : checkCluster(input)),
  plan: (input) => (isMove(input) ? planMove(input) : planUpgrade(input)),
  planBack,
  ways: (input) => [...openWays(input), ...openMoves(input)],
  planMend,
  gates,
  fingerprint: (input) => (isMove(input) ? moveFingerprint(input) : fingerprint(input)),
  summarise,
  compareViews,
  discover: discoverClusters,
  mayServeMixed: ({ strategy }) => strategy === "rolling",
};
