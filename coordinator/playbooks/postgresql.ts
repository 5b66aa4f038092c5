/** PostgreSQL: the front door of its playbook. Databases go to a server of a newer major version while they are written to. */
import { failure } from "#proto/common/failure.ts";
import type { Playbook } from "../domain/playbook.ts";
import { planBack } from "./postgresql/back.ts";
import { checkMove } from "./postgresql/checks.ts";
import { fullOf } from "./postgresql/facts.ts";
import { fingerprint, playbookVersion } from "./postgresql/fingerprint.ts";
import { gates } from "./postgresql/gates.ts";
import { moveMethod } from "./postgresql/move.ts";
import { planMove } from "./postgresql/plan.ts";
import { discoverClusters, summarise } from "./postgresql/summary.ts";

export const postgresql: Playbook = {
  engine: "postgresql",
  version: playbookVersion,
  check: checkMove,
  plan: planMove,
  planBack,
  undoesPassedStages: true,
  ways: () => [
    {
      strategy: "move",
      method: moveMethod,
      isDefault: true,
      downtime: failure("downtime.postgresql.seconds"),
      lost: failure("lost.postgresql.nothing"),
      wayBack: failure("way-back.postgresql.after"),
    },
  ],
  gates,
  mayServeMixed: () => false,
  fingerprint,
  summarise,
  leftOvers: (report) => fullOf(report)?.leftOvers,
  discover: discoverClusters,
  compareViews: () => [],
};
