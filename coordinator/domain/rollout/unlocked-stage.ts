/** Preflight and finish: programs that only look, on all nodes at once, without a lock. */
import type { FinishStage, PreflightStage } from "../plan.ts";
import { type Action, nextGate, stopAtEnd } from "./action.ts";
import { programKey, type RolloutState, type StageState } from "./state.ts";

export function decideUnlocked(
  state: RolloutState,
  spec: PreflightStage | FinishStage,
  stage: StageState,
): Action {
  if (spec.kind === "preflight" && !stage.snapshots.includes("before"))
    return { do: "snapshot", stage: spec.id, when: "before" };
  const wanted = spec.programs.filter(({ node }) => !state.skipped.includes(node));
  const states = wanted.map(({ node }) => stage.programs[programKey(spec.id, node)]);
  const unsent = wanted.filter((_, index) => states[index] === undefined);
  if (unsent.length > 0) return { do: "send", stage: spec.id, programs: unsent, attempt: stage.attempt };
  const running = states.flatMap((program) =>
    program !== undefined && program.standing !== "ended" ? [program.node] : [],
  );
  if (running.length > 0) return { do: "await-programs", stage: spec.id, nodes: running };
  const failed = states.find((program) => program?.outcome !== "done");
  if (failed !== undefined) return stopAtEnd(spec.id, failed, "hint.mend-and-resume");
  const gate = nextGate(spec.id, spec.kind === "finish" ? spec.gates : [], stage, "after");
  if (gate !== undefined) return gate;
  if (spec.kind === "finish" && !stage.snapshots.includes("after"))
    return { do: "snapshot", stage: spec.id, when: "after" };
  return { do: "pass-stage", stage: spec.id };
}
