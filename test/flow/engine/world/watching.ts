/** How the flow tests begin a rollout and look at it. */
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { phaseOf, viewOf } from "#coordinator/domain/rollout/view.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { World } from "./world.ts";

export async function begun(): Promise<{ readonly world: World; readonly rollout: string }> {
  const world = new World(new VirtualClock());
  await world.begin();
  return { world, rollout: await world.apply() };
}

/** The newest stored state, read anew: what any coordinator would see. */
export function watching(
  world: World,
  rollout: string,
): { readonly phase: () => string; readonly view: () => ReturnType<typeof viewOf> | undefined } {
  let events: readonly RolloutEvent[] = [];
  const refresh = () =>
    void world.stores.log.read(rollout).then(
      (read) => {
        events = read;
      },
      () => undefined,
    );
  const state = () => {
    refresh();
    return fold(events);
  };
  return {
    phase: () => {
      const now = state();
      return now === undefined ? "none" : phaseOf(now);
    },
    view: () => {
      const now = state();
      return now === undefined ? undefined : viewOf(now);
    },
  };
}

export const versions = (world: World) =>
  [...world.nodes.values()].map(({ version, up }) => `${version}${up ? "" : " down"}`);
