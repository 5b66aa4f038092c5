/** What of a node's program depends on how the node is installed. The order of the whole does not. */
import type { Form } from "#proto/engines/kwdb.ts";
import type { PlanStep } from "../../domain/plan.ts";
import { compiledSteps } from "./compiled-steps.ts";
import { composeServiceSteps, composeSteps, dockerRunSteps } from "./container-steps.ts";
import {
  changeSteps,
  type Journey,
  lookSteps,
  type Staging,
  stagingSteps,
  startSteps,
  stopSteps,
} from "./steps.ts";

export interface StepSet {
  staging(staging: Staging): readonly PlanStep[];
  look(journey: Journey): readonly PlanStep[];
  stop(journey: Journey): readonly PlanStep[];
  change(journey: Journey): readonly PlanStep[];
  start(journey: Journey): readonly PlanStep[];
  /** After all is proven: what was kept of the old goes. */
  tidy(journey: Journey): readonly PlanStep[];
  /** The step after whose beginning there is no way back in place, and the phase that it stands in. */
  readonly noReturn: { readonly phase: "change" | "start"; readonly step: string };
  /** What leads back before that step and after it, where it is not what it is for packages. */
  readonly wayBack?: { readonly before: string; readonly after: string };
}

const script: StepSet = {
  staging: stagingSteps,
  look: lookSteps,
  stop: () => stopSteps,
  change: changeSteps,
  start: () => startSteps,
  tidy: () => [],
  noReturn: { phase: "change", step: "upgrade-package" },
};

export function stepSetOf(form: Form): StepSet {
  switch (form) {
    case "compose-service":
      return composeServiceSteps;
    case "compose":
      return composeSteps;
    case "docker-run":
      return dockerRunSteps;
    case "compiled":
      return compiledSteps;
    case "script":
      return script;
  }
}
