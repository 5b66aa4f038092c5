/** What of a way back depends on how the node is installed. The order of the whole does not. */
import type { Form } from "#proto/engines/kwdb.ts";
import type { PlanStep } from "../../domain/plan.ts";
import type { Undone } from "../../domain/undone.ts";
import { backCompiled } from "./back-compiled.ts";
import { backCompose, backComposeService, backDockerRun } from "./back-container.ts";
import type { OldSource } from "./back-source.ts";
import { oldPackageSteps, proveDigestStep, savedStep } from "./back-steps.ts";
import { type Journey, keepingSteps, startSteps, stopSteps } from "./steps.ts";

/** A node that gets its old programs back: `journey` goes from the new version to the old one. */
export interface BackNode {
  readonly back: Undone;
  readonly journey: Journey;
  readonly source: OldSource;
  /** Its programs tell a version: there is something to keep of what is there now. */
  readonly isWhole: boolean;
}

export interface BackSet {
  /** Nothing is stopped yet: what it goes back to is fetched and proven. */
  proving(node: BackNode): readonly PlanStep[];
  /** Once more under the lock. */
  proveOld(node: BackNode): readonly PlanStep[];
  /** What is kept of what is there now, after its configuration. */
  keep(node: BackNode): readonly PlanStep[];
  stop(journey: Journey): readonly PlanStep[];
  change(node: BackNode): readonly PlanStep[];
  /** Of every node that was stopped, changed or not. */
  start(journey: Journey, node: BackNode | undefined): readonly PlanStep[];
  /** After all is proven: what both ways have kept goes. */
  tidy(node: BackNode): readonly PlanStep[];
  /** What `save-configuration` copies. */
  readonly saves: string;
}

const script: BackSet = {
  proving: ({ back, journey, source }) => [
    ...(source.kind === "package" ? keepingSteps({ digest: source.digest, version: journey.to }) : []),
    savedStep("prove-saved", back, journey),
  ],
  proveOld: ({ journey }) => [proveDigestStep(journey)],
  keep: () => [],
  stop: () => stopSteps,
  change: ({ back, journey }) => oldPackageSteps(back, journey),
  start: () => startSteps,
  tidy: () => [],
  saves: "/etc/kaiwudb and kaiwudb.service as they are now",
};

export function backSetOf(form: Form): BackSet {
  switch (form) {
    case "script":
      return script;
    case "compose-service":
      return backComposeService;
    case "compose":
      return backCompose;
    case "docker-run":
      return backDockerRun;
    case "compiled":
      return backCompiled;
  }
}
