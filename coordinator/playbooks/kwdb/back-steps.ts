/** The steps that put an old version back, with the command a person would type for each. */
import type { PlanStep } from "../../domain/plan.ts";
import type { Undone } from "../../domain/undone.ts";
import { argsOf } from "./back-way.ts";
import { keepingSteps, step } from "./steps.ts";

const minute = 60_000;
const hour = 60 * minute;

export interface OldPackage {
  readonly digest: string;
  readonly version: string;
}

/** Before anything is stopped: all that the way back needs is there, whole, and of that rollout. */
export function provingBackSteps(
  back: Undone,
  node: string,
  { old, data }: { readonly old: OldPackage | undefined; readonly data: "kept" | "archives" },
): readonly PlanStep[] {
  return [
    ...(old === undefined ? [] : [...keepingSteps(old), savedStep("prove-saved", back, node)]),
    ...(data === "kept" ? [] : [archiveStep("prove-way-back", back, node)]),
  ];
}

/** In this order: what fails in between can go on either way. */
export function oldPackageSteps(back: Undone, node: string, old: OldPackage): readonly PlanStep[] {
  const { digest, version } = old;
  return [
    step(
      "restore-package",
      { digest, version },
      "dpkg -r kaiwudb-server kaiwudb-libcommon; dpkg -i the old libcommon, then the old server; chown; .version",
      { class: "irreversible", deadlineMs: 15 * minute, onDeadline: "observe" },
    ),
    savedStep("restore-configuration", back, node),
    step("prove-files", { version }, "/etc/kaiwudb/info/.version and kwbase version", {
      deadlineMs: minute,
      mayStopAfter: false,
    }),
    step("reload-units", {}, "systemctl daemon-reload", { class: "reversible", deadlineMs: minute }),
  ];
}

export function restoreDataStep(back: Undone, node: string): PlanStep {
  return archiveStep("restore-data", back, node);
}

export function proveDigestStep({ digest }: OldPackage): PlanStep {
  return step("prove-digest", { digest }, "sha256sum of the kept package", { deadlineMs: 10 * minute });
}

export function saveStep(
  node: string,
  { from, to }: { readonly from: string; readonly to: string },
): PlanStep {
  return step(
    "save-configuration",
    { label: `${node}-${from}-to-${to}` },
    "copy /etc/kaiwudb and kaiwudb.service as they are now into the agent's folder",
    { deadlineMs: 2 * minute },
  );
}

function savedStep(id: "prove-saved" | "restore-configuration", back: Undone, node: string): PlanStep {
  const label = argsOf(back, node, "save-configuration")?.["label"] ?? "none";
  const args = { label, rollout: back.rollout };
  return id === "prove-saved"
    ? step(id, args, `sha256sum of what ${back.rollout} has saved of /etc/kaiwudb and the unit`, {
        deadlineMs: 2 * minute,
      })
    : step(id, args, `cp of what ${back.rollout} has saved, back to /etc/kaiwudb and the unit`, {
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
