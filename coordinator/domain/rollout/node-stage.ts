/** A node stage: one node under its cluster's lock, from the first snapshot to the lock's end. */
import type { NodeStage } from "../plan.ts";
import { type Action, nextGate } from "./action.ts";
import { programKey, type RolloutState, type StageState } from "./state.ts";
import { afterFreed, afterWithdrawn, beforeGrant, enterAgain, lockOf, programFailed } from "./under-lock.ts";

export function decideNode(state: RolloutState, spec: NodeStage, stage: StageState): Action {
  const lock = lockOf(state, spec.id);
  const program = stage.programs[programKey(spec.id, spec.node)];
  if (lock === undefined) {
    const before = beforeGrant(state, spec, stage) ?? {
      do: "grant",
      stage: spec.id,
      clusters: [spec.cluster],
      nodes: [spec.node],
      scope: "node",
    };
    return afterFreed(state, spec.id, stage, program) ?? afterWithdrawn(spec.id, stage) ?? before;
  }
  if (!lock.announced) return { do: "announce", stage: spec.id };
  if (program === undefined)
    return { do: "send", stage: spec.id, programs: [spec.program], attempt: stage.attempt, lock };
  if (program.standing !== "ended") return { do: "await-programs", stage: spec.id, nodes: [spec.node] };
  if (program.outcome !== "done") {
    const again = enterAgain(spec, stage, { programs: [spec.program], lock, failed: program });
    return again ?? programFailed(stage, lock, program);
  }
  return nextGate(spec.id, spec.after, stage, "after") ?? { do: "free", stage: spec.id, lock };
}
