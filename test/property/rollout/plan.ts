/** A plan with a stage of every kind, small enough to be played ten thousand times. */
import type { GateSpec, Plan, PlanProgram, PlanStep, Stage } from "#coordinator/domain/plan.ts";

export const nodes = ["db1", "db2", "db3"] as const;

const gate: GateSpec = { gate: "up", cluster: "c", args: {}, everyMs: 1, dwellMs: 1, limitMs: 1 };

const step = (id: string, stepClass: PlanStep["class"]): PlanStep => ({
  id,
  call: { verb: `tiny.${id}`, args: {} },
  class: stepClass,
  deadlineMs: 1,
  onDeadline: "end",
  mayStopAfter: false,
  shownAs: id,
});

const program = (node: string, ...steps: readonly PlanStep[]): PlanProgram => ({ cluster: "c", node, steps });
const observes = nodes.map((node) => program(node, step("look", "observe")));
const fences = nodes.map((node) => program(node, step("fence", "reversible")));

const stages: readonly Stage[] = [
  { kind: "preflight", id: "stage", programs: observes },
  ...nodes.map(
    (node): Stage => ({
      kind: "node",
      id: `node-${node}`,
      cluster: "c",
      node,
      before: [gate],
      program: program(node, step("stop", "reversible"), step("upgrade", "irreversible")),
      after: [gate],
    }),
  ),
  {
    kind: "cluster",
    id: "mend",
    clusters: ["c"],
    before: [gate],
    phases: [
      { id: "look", order: "parallel", programs: observes, after: [] },
      { id: "mend", order: "parallel", programs: fences, after: [gate] },
    ],
    waysOnFailure: [],
  },
  {
    kind: "wait",
    id: "wait",
    gates: [gate],
    watches: [],
    approval: { question: "q", mayAnswer: "m" },
    limitMs: 1,
    mendedBy: { stage: "mend", codes: ["sim.mendable"], most: 2 },
  },
  {
    kind: "cluster",
    id: "switch",
    clusters: ["c"],
    before: [gate],
    phases: [
      { id: "fence", order: "parallel", programs: fences, after: [] },
      { id: "turn", order: "one-by-one", programs: fences, after: [gate] },
    ],
    waysOnFailure: [],
  },
  { kind: "finish", id: "finish", programs: observes, gates: [gate] },
];

export const plan: Plan = {
  format: 1,
  digest: "",
  engine: "tiny",
  clusters: ["c"],
  from: "1",
  to: "2",
  strategy: "rolling",
  method: "tiny",
  boundTo: {},
  stages,
  checks: [],
  asks: [],
  wayBack: [],
  warnings: [],
};
