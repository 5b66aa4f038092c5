/**
 * I8: a check that could not run is UNKNOWN and blocks; it is never OK. Shown without a list of which check
 * reads which fact: where a bad value of a fact turns a check away from OK, the absence of that fact must too.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocking } from "#coordinator/domain/check.ts";
import type { ClusterSample } from "#coordinator/domain/gate.ts";
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { gates } from "#coordinator/playbooks/kwdb/gates.ts";
import type { KwdbFull, KwdbGate } from "#proto/engines/kwdb.ts";
import {
  at,
  type Changed,
  inputOf,
  is,
  mode,
  type NodeName,
  names,
  rowOf,
  rows,
  unknown,
} from "../unit/coordinator/playbooks/kwdb/cluster.ts";

const job = {
  id: "1",
  type: "IMPORT",
  status: "running",
  created: at,
  finished: null,
  coordinatorId: 1,
  error: "",
  lastSuccess: null,
};

/** Values of each fact that nobody should be content with. Total: a new fact needs its line. */
const bad: Readonly<Record<keyof KwdbFull, readonly unknown[]>> = {
  form: ["compose-service", "docker-run", "compiled"],
  // asked only of a form that is one
  container: [],
  build: [],
  start: [],
  docker: [],
  versionFile: [{ basic: "9.9.9", extended: null }],
  unit: [
    { loaded: false, active: "inactive", sub: "dead", mainPid: 0, needsReload: false },
    { loaded: true, active: "active", sub: "running", mainPid: 1, needsReload: true },
  ],
  ready: [false],
  nodes: [
    [],
    rows().slice(0, 2),
    rows().map((row) => ({ ...row, isLive: false })),
    rows().map((row) => ({ ...row, startMode: "start-single-replica" })),
    [...rows(), rowOf(3, "3.0.0")],
  ],
  // asked only of a move
  databases: [],
  ranges: [{ unavailable: 1, underReplicated: 0 }],
  jobs: [[job]],
  running: [{ pid: 1, version: "2.2.0", executableSha256: "f", startedAt: at }],
  binary: [{ version: "9.9.9", sha256: "f" }],
  mode: [
    { ...mode, kind: "container" },
    { ...mode, topology: "single" },
  ],
  startModeFile: ["start-single-node"],
  // bound by the plan's fingerprint: no value is bad in itself, only not knowing it
  unitSha256: [],
  configurationSha256: [],
  settings: [{}, { "server.time_until_store_dead": "00:05:00" }],
  spread: [[], [{ nodeId: 1, leaseholders: 0, replicas: 9 }]],
  sessions: [[{ nodeId: 1, client: "10.8.8.8:1", count: 3 }]],
  sudo: [false],
  foreign: [["12 dpkg"]],
  meddlers: [["apt-daily-upgrade.timer"]],
  keptPackages: [[]],
  upgradeCompleteFlag: [true],
  // the agent judges the package by these when it proves it
  archive: [],
  archives: [],
  archiveRate: [],
  storeDeadRaised: [{ rollout: "r0", was: "30m0s", raisedTo: "30m" }],
  // asked by the way back alone
  saved: [],
  packageTool: [],
  architecture: [],
};

const factNames = Object.keys(bad) as (keyof KwdbFull)[];
const cases = factNames.flatMap((fact) => names.map((node) => [fact, node] as const));

function okIn(input: PlaybookInput): ReadonlySet<string> {
  return new Set(
    checkCluster(input)
      .filter(({ status }) => status === "ok")
      .map(({ id, node }) => `${id}@${node ?? "cluster"}`),
  );
}

const withFact = (node: NodeName, fact: keyof KwdbFull, value: unknown): Changed => ({
  facts: { [node]: { [fact]: value } },
});

describe("I8: UNKNOWN is never OK", () => {
  it("the healthy cluster is, so that what follows means something", () => {
    const results = checkCluster(inputOf());
    const notOk = results.filter(({ status }) => status !== "ok").map(({ id }) => id);
    expect(notOk).toEqual(["kwdb.backup"]);
  });

  it.each(cases)("a check that minds a bad %s of %s minds its absence", (fact, node) => {
    const okWithout = okIn(inputOf(withFact(node, fact, unknown)));
    for (const value of bad[fact]) {
      const okWithBad = okIn(inputOf(withFact(node, fact, is(value))));
      expect([...okWithout].filter((check) => !okWithBad.has(check))).toEqual([]);
    }
  });

  it.each(
    cases.filter(
      ([fact]) =>
        ![
          "archive",
          "archives",
          "archiveRate",
          "build",
          "container",
          "saved",
          "databases",
          "packageTool",
          "start",
          "docker",
          "architecture",
        ].includes(fact),
    ),
  )("nothing begins while %s of %s is not known", (fact, node) => {
    const results = checkCluster(inputOf(withFact(node, fact, unknown)));
    const blockers = blocking(results, [], 0).filter(({ id }) => id !== "kwdb.backup");
    expect(blockers.length).toBeGreaterThan(0);
  });

  it.each(names)("a silent %s blocks, and no word answers for it", (node) => {
    const results = checkCluster(inputOf({ facts: { [node]: null } }));
    const words = results.map(({ id }) => ({
      kind: "acknowledgement" as const,
      check: id,
      reason: "r",
      by: "b",
      at,
    }));
    expect(blocking(results, words, 0).map((each) => `${each.id}@${each.node ?? ""}`)).toContain(
      `kwdb.agent-reports@${node}`,
    );
  });

  it("an unmeasured clock or file system blocks", () => {
    const results = checkCluster(
      inputOf({ clocks: { db2: undefined }, host: { db3: { fileSystems: unknown } } }),
    );
    expect(results).toContainEqual(
      expect.objectContaining({ id: "kwdb.clock", node: "db2", status: "unknown" }),
    );
    expect(results).toContainEqual(
      expect.objectContaining({ id: "kwdb.space", node: "db3", status: "unknown" }),
    );
  });

  it("losing facts never turns a check to OK that was not", () => {
    const losses = fc.array(
      fc.record({ node: fc.constantFrom(...names), fact: fc.constantFrom(...factNames) }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(losses, losses, (spoilt, lost) => {
        const facts: Record<string, Record<string, unknown>> = {};
        for (const { node, fact } of spoilt) facts[node] = { ...facts[node], [fact]: is(bad[fact][0]) };
        for (const { node, fact } of spoilt) if (bad[fact].length === 0) delete facts[node]?.[fact];
        const before = okIn(inputOf({ facts }));
        for (const { node, fact } of lost) facts[node] = { ...facts[node], [fact]: unknown };
        const gained = [...okIn(inputOf({ facts }))].filter((check) => !before.has(check));
        expect(gained).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("I8: a gate does not pass on what was not measured", () => {
  const gateFacts: readonly (keyof KwdbGate)[] = ["nodes", "ranges", "jobs", "ready"];
  const sampleOf = (changed: Changed): ClusterSample => {
    const { reports } = inputOf({ from: "3.0.1", ...changed });
    const silent = { unknown: { code: "node.silent" as const, facts: {} } };
    return {
      cluster: "账单",
      atMs: 0,
      nodes: Object.fromEntries(names.map((name) => [name, reports[name] ?? silent])),
    };
  };
  const judge = (gate: string, args: Readonly<Record<string, string>>, changed: Changed) =>
    gates[gate]?.({
      spec: { gate, cluster: "账单", args, everyMs: 1, dwellMs: 1, limitMs: 1 },
      before: undefined,
      now: sampleOf(changed),
    }).verdict;
  const healthy = { versions: "3.0.0,3.0.1", nodes: "3" };
  const upgraded = { node: "db1", version: "3.0.1", address: "10.0.0.1:26257" };

  it("both pass when all is well", () => {
    expect(judge("kwdb.cluster-healthy", healthy, {})).toBe("pass");
    expect(judge("kwdb.node-upgraded", upgraded, {})).toBe("pass");
  });

  it.each(gateFacts.flatMap((fact) => names.map((node) => [fact, node] as const)))(
    "cluster-healthy waits for %s of %s",
    (fact, node) => {
      expect(judge("kwdb.cluster-healthy", healthy, withFact(node, fact, unknown))).toBe("wait");
    },
  );

  it.each([
    ["running", "db1"],
    ["nodes", "db1"],
    ["nodes", "db2"],
    ["nodes", "db3"],
  ] as const)("node-upgraded waits for %s of %s", (fact, node) => {
    expect(judge("kwdb.node-upgraded", upgraded, withFact(node, fact, unknown))).toBe("wait");
  });

  it.each(names)("both wait for a silent %s", (node) => {
    expect(judge("kwdb.cluster-healthy", healthy, { facts: { [node]: null } })).toBe("wait");
    expect(judge("kwdb.node-upgraded", upgraded, { facts: { [node]: null } })).toBe("wait");
  });

  it("a gate that was told no number of nodes, or got no sample, does not pass", () => {
    const spec = { gate: "g", cluster: "c", args: {}, everyMs: 1, dwellMs: 1, limitMs: 1 };
    const now = { cluster: "c", atMs: 0, nodes: {} };
    for (const gate of Object.values(gates))
      expect(gate({ spec, before: undefined, now }).verdict).not.toBe("pass");
  });
});
