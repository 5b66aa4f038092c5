/** The program of a half-changed node: an upgrade's own steps, told that the node is as somebody has left it. */
import type { GateSpec, PlanStep } from "../../domain/plan.ts";
import { sqlAddress } from "./address.ts";
import { archiveSteps } from "./archive-steps.ts";
import { proveDigestStep, provenFilesSteps, saveStep } from "./back-steps.ts";
import type { HalfWay } from "./half-way.ts";
import { isLeftStoreDead, secondsOf, shownStoreDead } from "./left-overs.ts";
import { addFlagStep, clearFlagStep, setStoreDeadStep } from "./mend-steps.ts";
import { minute, step } from "./step.ts";
import {
  changeSteps,
  drainStep,
  type Journey,
  lookSteps,
  readySteps,
  startSteps,
  stopSteps,
} from "./steps.ts";
import { healthy, type Upgrade } from "./upgrade.ts";

export function finishingSteps(upgrade: Upgrade, half: HalfWay, journey: Journey): readonly PlanStep[] {
  return [
    ...lookSteps(journey).map((each) => told(each, half)),
    ...downSteps(half),
    ...archiveSteps(journey),
    ...changeSteps(journey),
    ...upSteps(upgrade, half, journey),
  ];
}

/** The configuration stays: nobody has saved it before, and the script of either version leaves it alike. */
export function puttingBackSteps(upgrade: Upgrade, half: HalfWay, journey: Journey): readonly PlanStep[] {
  const { digest, to: version, node } = journey;
  const [look] = lookSteps(journey);
  const save = saveStep(node, upgrade, "/etc/kaiwudb and kaiwudb.service as they are now");
  return [
    ...[look, proveDigestStep(journey), save].flatMap((each) =>
      each === undefined ? [] : [told(each, half)],
    ),
    ...downSteps(half),
    step(
      "restore-package",
      { digest, version },
      "dpkg -r kaiwudb-server kaiwudb-libcommon; dpkg -i the old libcommon, then the old server; chown; .version",
      { class: "irreversible", deadlineMs: 15 * minute, onDeadline: "observe" },
    ),
    ...provenFilesSteps(journey),
    ...upSteps(upgrade, half, journey),
  ];
}

/** All the others are well; where the node still runs, nothing may be missing that it is needed for. */
export function othersHealthy(
  upgrade: Upgrade,
  { node, runs }: HalfWay,
  of: { readonly versions: string; readonly dwellMs: number },
): readonly GateSpec[] {
  const { input } = upgrade;
  if (input.cluster.nodes.length === 1) return [];
  const whole = healthy(upgrade, of.versions, of.dwellMs);
  const args = { ...whole.args, node: node.name, address: sqlAddress(input, node) };
  return [{ ...whole, gate: "kwdb.others-healthy", args: runs ? { ...args, runs: "yes" } : args }];
}

/** Nothing that this rollout has begun is on the node yet, and it is not as it was before the upgrade either. */
function told(each: PlanStep, { newer, evidence }: HalfWay): PlanStep {
  const { id, call } = each;
  // of what was never installed nothing can have been written into the configuration
  const isOriginal = newer === undefined && evidence.file !== "none";
  const isTold = id === "look-around" || (id === "save-configuration" && !isOriginal);
  return isTold ? { ...each, call: { ...call, args: { ...call.args, halfWay: "yes" } } } : each;
}

/** Of one that is down already its agent finds these done. */
function downSteps({ hasClient }: HalfWay): readonly PlanStep[] {
  return [...(hasClient ? [drainStep] : []), ...stopSteps];
}

function upSteps({ input }: Upgrade, half: HalfWay, journey: Journey): readonly PlanStep[] {
  const { isMarked, wantsFlag } = half;
  const shown = shownStoreDead(input);
  // the start takes the mark off, and sets this to its default
  const own = isMarked ? secondsOf(shown) : undefined;
  return [
    ...(wantsFlag ? [addFlagStep("script")] : []),
    ...startSteps,
    ...readySteps(journey),
    ...(wantsFlag ? [clearFlagStep("script")] : []),
    ...(own === undefined || isLeftStoreDead(shown) ? [] : [setStoreDeadStep({ to: own, shown })]),
  ];
}
