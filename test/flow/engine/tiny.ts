/** A tiny engine: a node is up or down, and has a version. Enough to see what an upgrade could break. */

import { type Gate, pass, waitFor } from "#coordinator/domain/gate.ts";
import type { GateSpec, PlanStep, Stage } from "#coordinator/domain/plan.ts";
import type { Playbook } from "#coordinator/domain/playbook.ts";
import { succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";

export interface TinyFacts {
  readonly up: boolean;
  readonly version: string;
}

const step = (id: string, stepClass: PlanStep["class"]): PlanStep => ({
  id,
  call: { verb: `tiny.${id}`, args: {} },
  class: stepClass,
  deadlineMs: 10_000,
  onDeadline: "end",
  mayStopAfter: stepClass === "observe",
  shownAs: id,
  ...(stepClass === "reversible" ? { undo: { verb: "tiny.start", args: {} } } : {}),
});

export const tinySteps: readonly PlanStep[] = [
  step("look", "observe"),
  step("stop", "reversible"),
  step("upgrade", "irreversible"),
  step("start", "reversible"),
  step("ready", "observe"),
];

const allUp: Gate = ({ now }) => {
  const down = Object.entries(now.nodes).find(
    ([, report]) => "unknown" in report || !((report as NodeReport).facts as TinyFacts).up,
  );
  return down === undefined ? pass : waitFor("tiny.down", { node: down[0] });
};

export const tiny: Playbook = {
  engine: "tiny",
  version: 1,
  gates: { "tiny.all-up": allUp },
  check: () => [],
  fingerprint: ({ cluster, wish }) => ({
    nodes: cluster.nodes.map(({ name }) => name).join(" "),
    to: wish.to,
  }),
  plan: (input) => {
    const { cluster, wish } = input;
    const gate: GateSpec = {
      gate: "tiny.all-up",
      cluster: cluster.name,
      args: {},
      everyMs: 1_000,
      dwellMs: 3_000,
      limitMs: 60_000,
    };
    const program = (node: string, steps: readonly PlanStep[]) => ({ cluster: cluster.name, node, steps });
    const stages: readonly Stage[] = [
      {
        kind: "preflight",
        id: "stage",
        programs: cluster.nodes.map(({ name }) => program(name, [step("look", "observe")])),
      },
      ...cluster.nodes.map(
        ({ name }): Stage => ({
          kind: "node",
          id: `node-${name}`,
          cluster: cluster.name,
          node: name,
          before: [gate],
          program: program(name, tinySteps),
          after: [gate],
        }),
      ),
      {
        kind: "finish",
        id: "finish",
        programs: cluster.nodes.map(({ name }) => program(name, [step("look", "observe")])),
        gates: [],
      },
    ];
    return succeed({
      format: 1,
      digest: "",
      engine: "tiny",
      clusters: [cluster.name],
      from: "1",
      to: wish.to,
      strategy: "rolling",
      method: "tiny",
      boundTo: tiny.fingerprint(input),
      stages,
      checks: [],
      asks: [],
      wayBack: [],
      warnings: [],
    });
  },
  summarise: () => ({ version: "1", state: "ready", findings: [] }),
  compareViews: () => [],
  discover: () => [],
  mayServeMixed: () => true,
};
