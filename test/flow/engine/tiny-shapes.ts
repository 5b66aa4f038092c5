/** The stages of the tiny engine's plans: one shape for each thing that an engine to come will need. */
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import type {
  Call,
  ClusterStage,
  GateSpec,
  Phase,
  Plan,
  PlanProgram,
  PlanStep,
  Stage,
  WaitStage,
} from "#coordinator/domain/plan.ts";
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";

type StepId =
  | "look"
  | "stop"
  | "stopped"
  | "upgrade"
  | "downgrade"
  | "start"
  | "ready"
  | "fence"
  | "mend"
  | "change-all";

/** Undone by nothing, and no point of no return. */
const reversible: readonly StepId[] = ["mend"];
const undos: Partial<Record<StepId, string>> = { stop: "start", start: "stop", fence: "unfence" };

export const holdLimitMs = 30_000;
export const waitLimitMs = 600_000;
export const mostMendings = 3;
export const mendedWaitLimitMs = 3_600_000;
const watchEveryMs = 1_000;

const call = (verb: string): Call => ({ verb: `tiny.${verb}`, args: {} });

function step(id: StepId): PlanStep {
  const observes = id === "look" || id === "stopped" || id === "ready";
  const undo = undos[id];
  return {
    id,
    call: call(id),
    class: observes
      ? "observe"
      : undo === undefined && !reversible.includes(id)
        ? "irreversible"
        : "reversible",
    deadlineMs: id === "fence" ? 10_000 : 600_000,
    onDeadline: "end",
    mayStopAfter: observes,
    shownAs: id,
    ...(undo === undefined ? {} : { undo: call(undo) }),
    ...(id === "fence" ? { holdLimitMs } : {}),
    ...(id === "stop" ? { service: "goes" as const } : {}),
    ...(id === "ready" ? { service: "is-back" as const } : {}),
  };
}

export const tinySteps: readonly PlanStep[] = (
  ["look", "stop", "stopped", "upgrade", "start", "ready"] as const
).map(step);

const program = (cluster: ClusterEntry, node: string, ...ids: readonly StepId[]): PlanProgram => ({
  cluster: cluster.name,
  node,
  steps: ids.map(step),
});

const onEach = (cluster: ClusterEntry, ...ids: readonly StepId[]): readonly PlanProgram[] =>
  cluster.nodes.map(({ name }) => program(cluster, name, ...ids));

const allUp = ({ name: cluster, gates }: ClusterEntry): GateSpec => ({
  gate: "tiny.all-up",
  cluster,
  args: {},
  ...gates,
});

type Shaped = Pick<Plan, "stages" | "strategy" | "standsAfterAbort">;

export function shapeOf({ cluster, into, wish: { method } }: PlaybookInput): Shaped {
  if (into !== undefined) return pair(cluster, into.cluster);
  switch (method ?? "rolling") {
    case "offline":
      return offline(cluster);
    case "driver":
      return driver(cluster);
    case "ungated":
      return rolling(cluster, false);
    case "watched":
      return watched(cluster);
    case "watched-thrice":
      return watchedThrice(cluster);
    case "watched-long":
      return watched(cluster, 30 * 24 * 3_600_000);
    case "standing":
      return standing(cluster);
    case "watched-on":
      return watchedOn(cluster);
    case "watched-going-on":
      return goingOn(cluster);
    case "mended":
      return mended(cluster);
    case "behind-hold":
      return behindHold(cluster);
    case "watched-fast":
      return { ...watched(cluster), stages: watched(cluster).stages.slice(1) };
    default:
      return rolling(cluster);
  }
}

function rolling(cluster: ClusterEntry, gated = true): Shaped {
  const nodes = cluster.nodes.map(
    ({ name }): Stage => ({
      kind: "node",
      id: `node-${name}`,
      cluster: cluster.name,
      node: name,
      before: gated ? [allUp(cluster)] : [],
      program: { cluster: cluster.name, node: name, steps: tinySteps },
      after: [allUp(cluster)],
    }),
  );
  const last: Stage = { kind: "finish", id: "finish", programs: onEach(cluster, "look"), gates: [] };
  return { strategy: "rolling", stages: [staging(cluster), ...nodes, last] };
}

/** Changed nodes one after the other, whatever they are at; all are well only after the last. */
export function backStages(cluster: ClusterEntry, changed: readonly string[]): readonly Stage[] {
  return changed.map((node, index) => ({
    kind: "node",
    id: `back-${node}`,
    cluster: cluster.name,
    node,
    before: [],
    program: program(cluster, node, "stop", "stopped", "downgrade", "start", "ready"),
    after: index === changed.length - 1 ? [allUp(cluster)] : [],
  }));
}

function staging(cluster: ClusterEntry): Stage {
  return { kind: "preflight", id: "stage", programs: onEach(cluster, "look") };
}

function phase(id: string, programs: readonly PlanProgram[], more: Partial<Phase> = {}): Phase {
  return { id, order: "parallel", programs, after: [], ...more };
}

function together(
  id: string,
  clusters: readonly ClusterEntry[],
  phases: readonly Phase[],
  more: Partial<ClusterStage> = {},
): ClusterStage {
  return {
    kind: "cluster",
    id,
    clusters: clusters.map(({ name }) => name),
    before: clusters.slice(0, 1).map(allUp),
    phases,
    waysOnFailure: ["way.go-on-with-node"],
    ...more,
  };
}

/** Everything stopped, then upgraded one after the other, then started: a cluster-scope stage with ordered phases. */
function offline(cluster: ClusterEntry): Shaped {
  const phases = [
    phase("look", onEach(cluster, "look")),
    phase("stop", onEach(cluster, "stop")),
    phase("prove", onEach(cluster, "stopped")),
    phase("upgrade", onEach(cluster, "upgrade"), { order: "one-by-one" }),
    phase("start", onEach(cluster, "start", "ready"), { after: [allUp(cluster)] }),
  ];
  return { strategy: "offline", stages: [staging(cluster), together("offline", [cluster], phases)] };
}

/** One node's tool changes all. */
function driver(cluster: ClusterEntry): Shaped {
  const [first] = cluster.nodes;
  const name = first?.name ?? "";
  const phases = [phase("run", [program(cluster, name, "look", "change-all")], { after: [allUp(cluster)] })];
  const touches = cluster.nodes.map((node) => node.name);
  return {
    strategy: "rolling",
    stages: [together("drive", [cluster], phases, { driver: name, touches })],
  };
}

/** Days of copying under a watch, a person's yes, then a cut-over behind a fence. */
function watched(cluster: ClusterEntry, limitMs = waitLimitMs): Shaped {
  const [old = "", fresh = ""] = cluster.nodes.map(({ name }) => name);
  const copy: WaitStage = {
    kind: "wait",
    id: "copy",
    gates: [allUp(cluster)],
    watches: [
      {
        id: "lag",
        cluster: cluster.name,
        node: old,
        probe: call("lag"),
        warnAt: 5,
        reactAt: 9,
        reaction: call("drop-slot"),
        everyMs: watchEveryMs,
      },
    ],
    approval: { question: "cut over now?", mayAnswer: "the owner of the data" },
    limitMs,
  };
  const phases = [
    phase("fence", [program(cluster, old, "fence")]),
    phase("see", [program(cluster, fresh, "stopped")], { makesPermanent: ["cut/fence/fence"] }),
    phase("switch", [program(cluster, fresh, "upgrade")], { after: [allUp(cluster)] }),
  ];
  return { strategy: "rolling", stages: [copy, together("cut", [cluster], phases)] };
}

/** The same watch, standing through the work between the copy and the wait for a person. */
function watchedOn(cluster: ClusterEntry): Shaped {
  const { stages } = watched(cluster);
  const [copy] = stages;
  if (copy?.kind !== "wait") throw new Error("no wait");
  const { approval, ...copied } = copy;
  const [old = "", fresh = ""] = cluster.nodes.map(({ name }) => name);
  const watches = copy.watches.map((watch) => ({ ...watch, until: "ready" }));
  const ready: WaitStage = { ...copied, id: "ready", watches: [], ...(approval && { approval }) };
  const index = together(
    "index",
    [cluster],
    [
      phase("look", [program(cluster, old, "look")]),
      phase("build", [program(cluster, fresh, "stop", "start", "ready")], { after: [allUp(cluster)] }),
    ],
  );
  return { strategy: "rolling", stages: [{ ...copied, watches }, index, ready, ...stages.slice(1)] };
}

/** What its stages make stands after an abort; the last one takes away what a way back needs. */
function standing(cluster: ClusterEntry): Shaped {
  const { stages, strategy } = watchedOn(cluster);
  const [, fresh = ""] = cluster.nodes.map(({ name }) => name);
  const phases = [phase("clear", [program(cluster, fresh, "stop", "start", "ready")])];
  const retire = { ...together("retire", [cluster], phases), endsWayBack: "begun" as const };
  return { strategy, stages: [...stages.slice(0, 3), retire], standsAfterAbort: true };
}

/** Three of that watch. */
function watchedThrice(cluster: ClusterEntry): Shaped {
  const stages = watched(cluster).stages.map((stage) =>
    stage.kind === "wait"
      ? {
          ...stage,
          watches: stage.watches.flatMap((watch) =>
            ["lag", "lag-2", "lag-3"].map((id) => ({ ...watch, id, reactAt: 99 })),
          ),
        }
      : stage,
  );
  return { strategy: "rolling", stages };
}

/** The same watch, which measures on after its reaction. */
function goingOn(cluster: ClusterEntry): Shaped {
  const stages = watched(cluster).stages.map((stage) =>
    stage.kind === "wait"
      ? { ...stage, watches: stage.watches.map((watch) => ({ ...watch, goesOn: true as const })) }
      : stage,
  );
  return { strategy: "rolling", stages };
}

/** A wait for a person, under a watch, and before it a stage that mends what the wait's gate may say of a node. */
function mended(cluster: ClusterEntry): Shaped {
  const { stages } = watched(cluster, mendedWaitLimitMs);
  const [copy] = stages;
  if (copy?.kind !== "wait") throw new Error("no wait");
  const [old = "", fresh = ""] = cluster.nodes.map(({ name }) => name);
  const mend = together(
    "mend",
    [cluster],
    [phase("look", [program(cluster, old, "look")]), phase("mend", [program(cluster, fresh, "mend")])],
    { before: [] },
  );
  const mendedBy = { stage: "mend", codes: ["tiny.torn"], most: mostMendings };
  return { strategy: "rolling", stages: [mend, { ...copy, mendedBy }, ...stages.slice(1)] };
}

/** A hold that is never made permanent, and beyond it what cannot be undone. */
function behindHold(cluster: ClusterEntry): Shaped {
  const [old = "", fresh = ""] = cluster.nodes.map(({ name }) => name);
  const phases = [
    phase("fence", [program(cluster, old, "fence")]),
    phase("switch", [program(cluster, fresh, "upgrade")]),
    phase("prove", [program(cluster, fresh, "ready")], { after: [allUp(cluster)] }),
  ];
  return { strategy: "rolling", stages: [together("cut", [cluster], phases)] };
}

/** One stage over two clusters. */
function pair(from: ClusterEntry, to: ClusterEntry): Shaped {
  const both = [from, to];
  const phases = [
    phase(
      "stop",
      both.flatMap((cluster) => onEach(cluster, "stop")),
    ),
    phase(
      "start",
      both.flatMap((cluster) => onEach(cluster, "start", "ready")),
      { after: both.map(allUp) },
    ),
  ];
  return { strategy: "offline", stages: [together("both", both, phases)] };
}
