/** What an abort does not undo: it undoes the stage that it meets, and none that has passed. */
import type { Stage } from "../plan.ts";
import { programsOf } from "../stage-programs.ts";
import { type RolloutState, type StageState, stageState } from "./state.ts";

/** Something of this rollout stands that a way back from it would take away, and no way back has taken it over. */
export function leavesStanding(state: RolloutState): boolean {
  const { plan, leftTo } = state;
  if (plan.standsAfterAbort !== true || leftTo !== undefined) return false;
  const seen = plan.stages.map((spec) => ({ spec, stage: stageState(state, spec.id) }));
  const isLetGo = seen.some(
    ({ spec, stage }) => endOfWayBack(spec) !== undefined && stage.standing === "passed",
  );
  // a way back that does not come to its end leaves what it was to take away
  return !isLetGo && (plan.back !== undefined || seen.some(({ spec, stage }) => standsOf(spec, stage)));
}

/** The rollout whose way back takes it away: there is none from a way back. */
export function wayBackOf({ id, plan }: RolloutState): string {
  return plan.back ?? id;
}

/** The present stage has begun to take away what a way back needs: it is gone on with, whatever happens. */
export function isPastAbort(state: RolloutState): boolean {
  return state.plan.stages.some((spec) => {
    if (endOfWayBack(spec) !== "begun") return false;
    const { standing, begun, programs } = stageState(state, spec.id);
    const isInWork = Object.values(programs).some((program) => program.standing === "entered");
    return standing !== "passed" && (begun.length > 0 || isInWork);
  });
}

function endOfWayBack(spec: Stage): "begun" | "passed" | undefined {
  return spec.kind === "cluster" ? spec.endsWayBack : undefined;
}

function standsOf(spec: Stage, { standing, begun }: StageState): boolean {
  const changes = programsOf(spec).some(({ program }) =>
    program.steps.some((step) => step.class !== "observe"),
  );
  return (standing === "passed" && changes) || begun.some(({ undone }) => !undone);
}
