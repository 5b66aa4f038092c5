import { describe, expect, it } from "vitest";
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import type { RolloutFact, StepPhase } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { Planning } from "#coordinator/engine/orders/planning.ts";
import { fail, failure, succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { tiny } from "#test/flow/engine/tiny.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const cluster: ClusterEntry = {
  name: "c",
  engine: "tiny",
  topology: "ring",
  deployment: "script",
  nodes: ["db1", "db1.b", "db2"].map((name) => ({ name, address: `${name}:1` })),
  gates: { everyMs: 1, dwellMs: 1, limitMs: 1 },
  settings: {},
  windows: [],
};
const artefact = { digest: "ab".repeat(32), name: "package.tar.gz" };

function reportOf(node: string, version: string): NodeReport {
  const not = { at: "", unknown: { code: "measure.never-taken", facts: {} } } as const;
  const host = {
    os: not,
    kernel: not,
    bootId: not,
    clockSynchronised: not,
    load: not,
    memory: not,
    fileSystems: not,
    agentVersion: "",
  };
  const facts = { up: true, version };
  return { format: 1, node, takenAt: "", depth: "full", engine: "tiny", host, facts };
}

/** A coordinator that took over: it was never given the package. Nodes run version 1 unless said otherwise. */
function planning(versions: Readonly<Record<string, string>> = {}): Planning {
  return new Planning({
    fleet: {
      presence: () => undefined,
      send: () => false,
      takeReport: async (node) => succeed(reportOf(node, versions[node] ?? "1")),
      lastReport: () => undefined,
      clockOffset: () => undefined,
    },
    clock: new VirtualClock(),
    hash: (text) => text,
    cluster: () => cluster,
    broken: async () => undefined,
    forgotten: async () => [],
    playbook: () => tiny,
    artefact: async () => undefined,
    rollout: async () => undefined,
  });
}

type Told = Exclude<RolloutFact, { kind: "rollout-started" }>;

async function lookAfter(told: readonly Told[], versions: Readonly<Record<string, string>> = {}) {
  const made = await planning().plan({ cluster: "c", version: "2" });
  if (!made.ok) throw new Error(made.failure.code);
  const plan = { ...made.value, artefact };
  const options = { approveEach: false };
  const start: RolloutFact = { kind: "rollout-started", plan, by: "ann", options, words: [] };
  const state = fold(
    [start, ...told].map((fact, index) => {
      return { format: 1, rollout: "r", sequence: index + 1, at: "2026-01-01T00:00:00.000Z", fact };
    }),
  );
  if (state === undefined) throw new Error("no state");
  return planning(versions).lookBeforeGrant(state);
}

describe("a node that was not touched", () => {
  it("is waited for where it does not tell what it is, and stops where it is another one", async () => {
    expect(await lookAfter([], { db2: "unknown" })).toEqual({
      drift: [],
      notYet: failure("plan.unmeasured", { fields: "node.db2.version" }),
    });
    expect(await lookAfter([], { db1: "unknown", db2: "7" })).toEqual({
      drift: [{ field: "node.db2.version", planned: "1", found: "7" }],
    });
  });
});

describe("a coordinator without the package", () => {
  it("goes on with a rollout whose nodes have it", async () => {
    expect(await lookAfter([])).toEqual({ drift: [] });
  });

  it("plans nothing new with it", async () => {
    const target = { cluster: "c", version: "2", digest: artefact.digest };
    expect(await planning().plan(target)).toEqual(fail("artefact.unknown", { digest: artefact.digest }));
  });
});

const stage = "node-db1";
const nonce = "n";
const started: Told = { kind: "stage-started", stage, attempt: 1 };
const granted: Told = {
  kind: "granted",
  stage,
  clusters: ["c"],
  nodes: ["db1"],
  scope: "node",
  epochs: { c: 1 },
  nonce,
};
const sent: Told = { kind: "program-sent", stage, node: "db1", attempt: 1, epoch: 1 };
const entered: Told = { kind: "entered", stage, node: "db1", epoch: 1 };
const withdrawn: Told = { kind: "withdrawn", stage, nonce, why: failure("lock.given-up", {}) };
const broken: Told = {
  kind: "lock-broken",
  cluster: "c",
  nodes: ["db1"],
  by: "ann",
  reason: "it hangs",
  reached: false,
};
const stopped: Told = { kind: "stopped", stage, why: failure("tiny.ill", {}), hint: "hint.gate-limit" };
const resumed: Told = { kind: "resumed", by: "ann", words: [] };

function step(id: string, phase: StepPhase): Told {
  return {
    kind: "step",
    node: "db1",
    stage,
    attempt: 1,
    agentSequence: 1,
    step: id,
    phase,
    measuredAt: "",
    elapsedMs: 1,
    outputs: {},
    tail: "",
    runner: "",
  };
}

describe("the look before a grant", () => {
  const drift = [{ field: "node.db1.version", planned: "1", found: "1b" }];

  it.each<[string, readonly Told[]]>([
    ["at the first attempt", [started]],
    ["when a gate stopped it before", [started, stopped, resumed]],
    ["at the second attempt", [started, stopped, resumed, { ...started, attempt: 2 }]],
    ["when it only looked", [started, granted, sent, step("look", "started"), withdrawn, stopped, resumed]],
    ["when its first change was found done", [started, granted, sent, step("stop", "found-done"), withdrawn]],
  ])("finds what has changed on a node that was never begun: %s", async (_, told) => {
    expect(await lookAfter(told, { db1: "1b" })).toEqual({ drift });
    expect(await lookAfter(told)).toEqual({ drift: [] });
  });

  it.each<[string, readonly Told[]]>([
    ["begun, and its lock is gone", [started, granted, sent, step("stop", "started"), withdrawn, resumed]],
    ["in when its lock was broken, and silent", [started, granted, sent, entered, broken, resumed]],
    [
      "proven and freed",
      [started, granted, sent, entered, { kind: "freed", stage, nonce }, stopped, resumed],
    ],
    ["passed", [started, { kind: "stage-passed", stage }]],
  ])("takes as it is what this rollout has changed: %s", async (_, told) => {
    expect(await lookAfter(told, { db1: "2" })).toEqual({ drift: [] });
  });

  it("still looks at every other node, whatever it is called", async () => {
    const told: readonly Told[] = [started, { kind: "stage-passed", stage }];
    const found = await lookAfter(told, { db1: "2", "db1.b": "3" });
    expect(found.drift).toEqual([{ field: "node.db1.b.version", planned: "1", found: "3" }]);
  });
});
