/** The steps that put an old version back, with the command a person would type for each. */
import type { PlanStep } from "../../domain/plan.ts";
import type { Undone } from "../../domain/undone.ts";
import { argsOf } from "./back-way.ts";
import { step } from "./step.ts";
import type { Journey } from "./steps.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Before anything is stopped: the archive that the data goes back to is whole, and of that rollout. */
export function provingDataSteps(back: Undone, node: string, data: "kept" | "archives"): readonly PlanStep[] {
  return data === "kept" ? [] : [archiveStep("prove-way-back", back, node)];
}

type Old = Pick<Journey, "digest" | "to" | "node">;

/** In this order: what fails in between can go on either way. */
export function oldPackageSteps(back: Undone, old: Old): readonly PlanStep[] {
  const { digest, to: version } = old;
  return [
    step(
      "restore-package",
      { digest, version },
      "dpkg -r kaiwudb-server kaiwudb-libcommon; dpkg -i the old libcommon, then the old server; chown; .version",
      { class: "irreversible", deadlineMs: 15 * minute, onDeadline: "observe" },
    ),
    savedStep("restore-configuration", back, old),
    ...provenFilesSteps(old),
  ];
}

export function provenFilesSteps(
  { to }: Pick<Journey, "to">,
  ...more: readonly PlanStep[]
): readonly PlanStep[] {
  return [
    step("prove-files", { version: to }, "/etc/kaiwudb/info/.version and kwbase version", {
      deadlineMs: minute,
      mayStopAfter: false,
    }),
    ...more,
    reloadStep,
  ];
}

export const reloadStep = step("reload-units", {}, "systemctl daemon-reload", {
  class: "reversible",
  deadlineMs: minute,
});

export function restoreDataStep(back: Undone, node: string): PlanStep {
  return archiveStep("restore-data", back, node);
}

export function proveDigestStep({ digest }: Pick<Journey, "digest">): PlanStep {
  return step("prove-digest", { digest }, "sha256sum of the kept package", { deadlineMs: 10 * minute });
}

export function saveStep(
  node: string,
  { from, to }: { readonly from: string; readonly to: string },
  what: string,
): PlanStep {
  return step(
    "save-configuration",
    { label: `${node}-${from}-to-${to}` },
    `copy ${what} into the agent's folder`,
    { deadlineMs: 2 * minute },
  );
}

export function savedStep(
  id: "prove-saved" | "restore-configuration",
  back: Undone,
  { node }: Pick<Journey, "node">,
): PlanStep {
  const label = argsOf(back, node, "save-configuration")?.["label"] ?? "none";
  const args = { label, rollout: back.rollout };
  return id === "prove-saved"
    ? step(id, args, `sha256sum of what ${back.rollout} has saved of configuration and unit`, {
        deadlineMs: 2 * minute,
      })
    : step(id, args, `cp of what ${back.rollout} has saved, back to its places`, {
        class: "irreversible",
        deadlineMs: 2 * minute,
        onDeadline: "observe",
      });
}

function archiveStep(id: "prove-way-back" | "restore-data", back: Undone, node: string): PlanStep {
  const made = argsOf(back, node, "archive-data");
  const args = { label: made?.["label"] ?? "none", rollout: back.rollout, stage: made?.wireStage ?? "none" };
  return id === "prove-way-back"
    ? step(id, args, "the archive's record, length and manifest; room beside the data folder", {
        deadlineMs: 10 * minute,
      })
    : step(
        id,
        args,
        "tar -x beside the data folder; sync -f; sha256sum of every file; mv of the folder aside, mv of the copy in",
        {
          class: "irreversible",
          deadlineMs: 4 * hour,
          onDeadline: "observe",
        },
      );
}
