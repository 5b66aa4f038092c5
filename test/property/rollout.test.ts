/** The rollout's state machine: whatever comes of its deeds, and however people steer, it keeps these promises. */
import { expect, it } from "vitest";
import { phaseOf } from "#coordinator/domain/rollout/view.ts";
import { Play } from "./rollout/play.ts";
import { randomOf } from "./simulator/history.ts";

const histories = Number(process.env["LOCKKEEPER_HISTORIES"] ?? 2_000);

function playOf(seed: number): Play {
  const random = randomOf(seed);
  const trouble = [0, 20, 80, 200][random() % 4] ?? 0;
  const steering = [0, 20, 100][random() % 3] ?? 0;
  const stopAfterNodes = random() % 4 === 0 ? 1 : undefined;
  return new Play({ random, trouble, steering, approveEach: random() % 4 === 0, stopAfterNodes });
}

it(
  "never two stages in flight, never done with an unproven node, never at rest without a name",
  () => {
    const phases = new Map<string, number>();
    let reopened = 0;
    for (let seed = 1; seed <= histories; seed += 1) {
      const play = playOf(seed);
      play.run();
      play.settle();
      const story =
        play.violations.length === 0
          ? []
          : play.events.map(({ fact }) => JSON.stringify({ ...fact, plan: 0 }));
      expect(play.violations, `seed ${seed}\n${story.join("\n")}`).toEqual([]);
      const phase = phaseOf(play.state);
      reopened += play.reopened;
      phases.set(phase, (phases.get(phase) ?? 0) + 1);
    }
    // every end is reached, so that none of the promises was kept for want of a case
    expect(reopened).toBeGreaterThan(histories / 100);
    for (const phase of ["done", "aborted", "stopped"])
      expect(phases.get(phase) ?? 0).toBeGreaterThan(histories / 100);
  },
  60_000 + histories * 10,
);
