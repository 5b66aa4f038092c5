/** Which nodes serve nobody because of a rollout, and since when: from its plan's words and what the agents told. */
import type { Stage } from "../plan.ts";
import { stepsOf } from "../stage-programs.ts";
import { type RolloutState, type StageState, stageState } from "./state.ts";

export interface Outage {
  readonly nodes: readonly string[];
  /** Of the node that has been away for longest. */
  readonly since: string;
}

/** undefined while every node serves, as far as this rollout goes. */
export function outageOf(state: RolloutState): Outage | undefined {
  const down = new Map<string, string>();
  for (const spec of state.plan.stages) {
    const stage = stageState(state, spec.id);
    for (const { wireStage, node, step, at, undone } of stage.begun) {
      const found = stepsOf(spec, { wireStage, node }).find(({ id }) => id === step);
      if (found?.service === "goes" && !undone) down.set(node, earlier(down.get(node), at));
    }
    for (const node of down.keys()) if (isBack(spec, stage, node)) down.delete(node);
  }
  const [since] = [...down.values()].sort();
  return since === undefined ? undefined : { nodes: [...down.keys()].sort(), since };
}

function earlier(known: string | undefined, at: string): string {
  return known === undefined || at < known ? at : known;
}

/** The step that proves it back is done, in the newest try. */
function isBack(spec: Stage, { programs }: StageState, node: string): boolean {
  return Object.values(programs).some(({ node: of, wireStage, steps }) =>
    stepsOf(spec, { wireStage, node }).some(
      ({ id, service }) => of === node && service === "is-back" && steps[id]?.phase === "done",
    ),
  );
}
