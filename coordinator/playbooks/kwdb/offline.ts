/**
 * A cluster stopped as a whole: all nodes down, one changed after the other, all up together. Versions never serve
 * mixed, and nothing is started before everything is changed: one node alone has no majority and would only wait.
 */
import type { NodeEntry } from "../../domain/inventory.ts";
import type { ClusterStage, Phase, PlanStep } from "../../domain/plan.ts";
import { archiveSteps } from "./archive-steps.ts";
import { settleMs } from "./hop.ts";
import { type Journey, readySteps } from "./steps.ts";
import { healthy, journeyOf, programOn, type Upgrade, upgraded } from "./upgrade.ts";

export const offlineStage = "all-nodes";

/** `nodes`: those that are not at the new version yet; the others are stopped and started with them. */
export function allAtOnce(upgrade: Upgrade, nodes: readonly NodeEntry[]): ClusterStage {
  const { input, from, to, settings, steps } = upgrade;
  const { cluster } = input;
  const phase = (
    id: string,
    stepsOf: (journey: Journey) => readonly PlanStep[],
    rest: Partial<Phase> = {},
  ): Phase => ({
    id,
    order: "parallel",
    programs: cluster.nodes.map((node) => programOn(upgrade, node, stepsOf(journeyOf(upgrade, node)))),
    after: [],
    ...rest,
  });
  const changing = nodes.map((node) => programOn(upgrade, node, steps.change(journeyOf(upgrade, node))));
  return {
    kind: "cluster",
    id: offlineStage,
    clusters: [cluster.name],
    before: [healthy(upgrade, `${from},${to}`, Math.max(cluster.gates.dwellMs, settleMs(input)))],
    phases: [
      phase("look", steps.look),
      phase("stop", steps.stop),
      ...(settings.archiveData ? [phase("archive", archiveSteps)] : []),
      { id: "change", order: "one-by-one", programs: changing, after: [] },
      phase("start", steps.start),
      phase("prove", readySteps, {
        after: [
          ...cluster.nodes.map((node) => upgraded(upgrade, node)),
          healthy(upgrade, to, cluster.gates.dwellMs),
        ],
      }),
    ],
    waysOnFailure: ["way.kwdb.go-on-with-node", "way.kwdb.old-version-back"],
  };
}
