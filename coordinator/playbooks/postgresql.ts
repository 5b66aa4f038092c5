/** PostgreSQL: the front door of its playbook. Databases go to a server of a newer major version while they are written to. */
import type { Playbook, PlaybookInput } from "../domain/playbook.ts";
import { planBack } from "./postgresql/back.ts";
import { checkMove } from "./postgresql/checks.ts";
import { fullOf } from "./postgresql/facts.ts";
import { fingerprint, playbookVersion } from "./postgresql/fingerprint.ts";
import { following } from "./postgresql/following.ts";
import { answeredAtGates, gates } from "./postgresql/gates.ts";
import { planBackInPlace } from "./postgresql/in-place/back.ts";
import { checkInPlace } from "./postgresql/in-place/checks.ts";
import { fingerprintInPlace } from "./postgresql/in-place/fingerprint.ts";
import { inPlaceGates } from "./postgresql/in-place/gates.ts";
import { planInPlace } from "./postgresql/in-place/plan.ts";
import { isInPlace } from "./postgresql/in-place/upgrade.ts";
import { inPlaceWays } from "./postgresql/in-place/way.ts";
import { planBackMaking } from "./postgresql/making/back.ts";
import { checkMaking } from "./postgresql/making/checks.ts";
import { fingerprintMaking } from "./postgresql/making/fingerprint.ts";
import { isMaking } from "./postgresql/making/making.ts";
import { planMaking } from "./postgresql/making/plan.ts";
import { makingWays } from "./postgresql/making/way.ts";
import { planMove } from "./postgresql/plan.ts";
import { discoverClusters, summarise } from "./postgresql/summary.ts";
import { moveWays } from "./postgresql/ways.ts";

type Way = Required<Pick<Playbook, "check" | "plan" | "planBack" | "fingerprint">>;

const move: Way = { check: checkMove, plan: planMove, planBack, fingerprint };
const inPlace: Way = {
  check: checkInPlace,
  plan: planInPlace,
  planBack: planBackInPlace,
  fingerprint: fingerprintInPlace,
};
/** Before a move, where its new server is not there yet. */
const making: Way = {
  check: checkMaking,
  plan: planMaking,
  planBack: planBackMaking,
  fingerprint: fingerprintMaking,
};

function wayOf({ wish }: PlaybookInput): Way {
  if (isInPlace(wish)) return inPlace;
  return isMaking(wish) ? making : move;
}

export const postgresql: Playbook = {
  engine: "postgresql",
  version: playbookVersion,
  check: (input) => wayOf(input).check(input),
  plan: (input) => wayOf(input).plan(input),
  planBack: (input, undone) => wayOf(input).planBack(input, undone),
  undoesPassedStages: true,
  ways: (input) => [...moveWays(input), ...inPlaceWays(input), ...makingWays(input)],
  gates: { ...gates, ...inPlaceGates },
  answeredAtGates,
  mayServeMixed: () => false,
  fingerprint: (input) => wayOf(input).fingerprint(input),
  summarise,
  following,
  leftOvers: (report) => fullOf(report)?.leftOvers,
  discover: discoverClusters,
  compareViews: () => [],
};
