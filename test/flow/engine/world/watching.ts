/** How the flow tests begin a rollout and look at it. */
import { reduce } from "#coordinator/domain/rollout/reduce.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { phaseOf, viewOf } from "#coordinator/domain/rollout/view.ts";
import type { RolloutPhase, RolloutView } from "#coordinator/domain/views.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { type ApplyShape, type Shape, World } from "./world.ts";

export async function begun(
  wish: ApplyShape = {},
  shape?: Shape,
): Promise<{ readonly world: World; readonly rollout: string }> {
  const world = await awake(shape);
  return { world, rollout: await world.apply(wish) };
}

export async function awake(shape?: Shape): Promise<World> {
  const world = new World(new VirtualClock(), shape);
  await world.begin();
  return world;
}

export interface Watching {
  readonly state: () => RolloutState | undefined;
  readonly phase: () => RolloutPhase | "none";
  readonly view: () => RolloutView | undefined;
  /** Lets time pass until the rollout has come to rest. */
  readonly rests: () => Promise<RolloutPhase | "none">;
}

const resting = ["done", "stopped", "aborted", "waiting", "paused"];

/** The newest stored state, from its log: what any coordinator would see. */
export function watching(world: World, rollout: string): Watching {
  let now: RolloutState | undefined;
  const state = () => {
    for (const event of world.stores.log.stored(rollout).slice(now?.sequence ?? 0)) now = reduce(now, event);
    return now;
  };
  const phase = () => {
    const found = state();
    return found === undefined ? "none" : phaseOf(found);
  };
  return {
    state,
    phase,
    view: () => {
      const found = state();
      return found === undefined ? undefined : viewOf(found);
    },
    rests: async () => {
      // an order that was just given is heard first
      await world.settle(10);
      await world.clock.until(() => resting.includes(phase()));
      return phase();
    },
  };
}

export const versions = (world: World) =>
  [...world.nodes.values()].map(({ version, up }) => `${version}${up ? "" : " down"}`);
