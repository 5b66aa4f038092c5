/** Archives of the data folder: made and proven while the node is down, the older ones removed later. */
import type { PlanStep } from "../../domain/plan.ts";
import { minute, step } from "./step.ts";
import type { Journey } from "./steps.ts";

/** Of making one, and again of proving it. */
export const archiveLimitMs = 4 * 60 * minute;

/** None where the cluster's entry does not ask for it. */
export function archiveSteps({ cluster, node, from, to, archives }: Journey): readonly PlanStep[] {
  if (archives === undefined) return [];
  const args = { label: `${node}-${from}-to-${to}`, cluster, node, from, to, kind: archives };
  const options = { deadlineMs: archiveLimitMs, mayStopAfter: false };
  const made =
    "tar --one-file-system of the data folder, into the agent's archiveDir; sha256sum of every file";
  const proven = "tar -x beside the archive; sha256sum of every file; compared with the data folder";
  return [step("archive-data", args, made, options), step("prove-archive", args, proven, options)];
}

/** In the agent's archiveDir, and only what says that it is this node's; never one of the present rollout. */
export function retentionStep(args: {
  readonly cluster: string;
  readonly node: string;
  readonly keep: string;
}): PlanStep {
  return step(
    "remove-old-archives",
    args,
    `rm of this node's archives older than its ${args.keep} newest proven ones`,
    { deadlineMs: 30 * minute },
  );
}
