import { describe, expect, it } from "vitest";
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { Planning } from "#coordinator/engine/planning.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { tiny } from "#test/flow/engine/tiny.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const cluster: ClusterEntry = {
  name: "c",
  engine: "tiny",
  topology: "ring",
  deployment: "script",
  nodes: [{ name: "db1", address: "db1:1" }],
  gates: { everyMs: 1, dwellMs: 1, limitMs: 1 },
  settings: {},
  windows: [],
};
const artefact = { digest: "ab".repeat(32), name: "package.tar.gz" };

function reportOf(node: string): NodeReport {
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
  const facts = { up: true, version: "1" };
  return { format: 1, node, takenAt: "", depth: "full", engine: "tiny", host, facts };
}

/** A coordinator that took over: it was never given the package. */
function planning(): Planning {
  return new Planning({
    fleet: {
      presence: () => undefined,
      send: () => false,
      takeReport: async (node) => succeed(reportOf(node)),
      lastReport: () => undefined,
      clockOffset: () => undefined,
    },
    clock: new VirtualClock(),
    hash: (text) => text,
    cluster: () => cluster,
    broken: async () => undefined,
    playbook: () => tiny,
    artefact: async () => undefined,
  });
}

describe("a coordinator without the package", () => {
  it("goes on with a rollout whose nodes have it", async () => {
    const made = await planning().plan({ cluster: "c", version: "2" });
    if (!made.ok) throw new Error(made.failure.code);
    const plan = { ...made.value, artefact };
    const fact = {
      kind: "rollout-started",
      plan,
      by: "ann",
      options: { approveEach: false },
      words: [],
    } as const;
    const state = fold([{ format: 1, rollout: "r", sequence: 1, at: "2026-01-01T00:00:00.000Z", fact }]);
    if (state === undefined) throw new Error("no state");
    expect(await planning().lookBeforeGrant(state, "node-db1")).toEqual({ drift: [] });
  });

  it("plans nothing new with it", async () => {
    const target = { cluster: "c", version: "2", digest: artefact.digest };
    expect(await planning().plan(target)).toEqual(fail("artefact.unknown", { digest: artefact.digest }));
  });
});
