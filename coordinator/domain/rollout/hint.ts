/** What a stop says beside its cause: what stands now and what goes on from there. */
import type { ProgramOutcome } from "./event.ts";

/** Every hint that the engine records by itself; a playbook's gate may have its own. Each has words in the catalogue. */
export const stopHints = [
  "hint.gate-limit",
  "hint.hold-refused",
  "hint.left-standing",
  "hint.lock-stays",
  "hint.lock.broken",
  "hint.mend-and-resume",
  "hint.mended-in-vain",
  "hint.node-silent",
  "hint.past-return",
  "hint.plan-anew",
  "hint.program-failed",
  "hint.program-lost",
  "hint.program-never-begun",
  "hint.program-stopped",
  "hint.program-unknown",
  "hint.report-defect",
  "hint.undo-failed",
  "hint.wait-limit",
  "hint.watch-failed",
  "hint.watch-reacted",
] as const;

export type StopHint = (typeof stopHints)[number];

/** A code of the catalogue, a playbook's own included. */
export type Hint = `hint.${string}`;

const ofOutcome: Readonly<Record<Exclude<ProgramOutcome, "done">, StopHint>> = {
  failed: "hint.program-failed",
  unknown: "hint.program-unknown",
  stopped: "hint.program-stopped",
  "never-begun": "hint.program-never-begun",
};

/** For a program whose node keeps the lock; one that ended without a word ended unknown. */
export function hintOfEnd(outcome: ProgramOutcome | undefined): StopHint {
  return ofOutcome[outcome === undefined || outcome === "done" ? "unknown" : outcome];
}
