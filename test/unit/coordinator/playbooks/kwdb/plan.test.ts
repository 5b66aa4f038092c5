/** Golden plans: what operators read before they say yes. A change here is a change of the procedure. */
import { describe, expect, it } from "vitest";
import { canonical, digestedText } from "#coordinator/domain/digest.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { walk } from "../../domain/paper/walk.ts";
import { type Changed, factsOf, inputOf, is, rows, unknown } from "./cluster.ts";

function planOf(changed: Changed): Plan {
  const made = planUpgrade(inputOf(changed));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const refusal = (changed: Changed) => {
  const made = planUpgrade(inputOf(changed));
  return made.ok ? "planned" : made.failure.code;
};

const golden = (name: string) => `../../../../fixtures/coordinator/playbooks/kwdb/${name}.json`;

describe("the plan of an offline upgrade", () => {
  it.each<readonly [string, Changed]>([
    ["standalone-2.2.0-to-2.2.1", { topology: "standalone", from: "2.2.0", to: "2.2.1" }],
    ["single-replica-3.0.0-to-3.1.0", { topology: "single-replica", to: "3.1.0" }],
  ])("%s is the documented procedure", async (name, changed) => {
    await expect(`${JSON.stringify(planOf(changed), null, 2)}\n`).toMatchFileSnapshot(golden(name));
  });

  it("stops all, changes one after the other, and starts none before all are changed", () => {
    const plan = planOf({ topology: "single-replica", cluster: { settings: { "archive-data": "true" } } });
    const stage = plan.stages.find(({ kind }) => kind === "cluster");
    if (stage?.kind !== "cluster") throw new Error("no cluster stage");
    expect(stage.phases.map(({ id, order, programs }) => `${id} ${order} ${programs.length}`)).toEqual([
      "look parallel 3",
      "stop parallel 3",
      "archive parallel 3",
      "change one-by-one 3",
      "start parallel 3",
      "prove parallel 3",
    ]);
    expect(plan).toMatchObject({
      strategy: "offline",
      pointOfNoReturn: "all-nodes/change/upgrade-package",
      warnings: ["warning.kwdb.no-downgrade", "warning.kwdb.downtime"],
    });
    const gate = stage.phases.at(-1)?.after.find(({ gate: name }) => name === "kwdb.cluster-healthy");
    expect(gate?.args["versions"]).toBe("3.0.1");
  });

  it.each(["standalone", "single-replica"] as const)("of a %s cluster is walked to its end", (topology) => {
    const { state } = walk(planOf({ topology }));
    expect(state.end).toBe("done");
    expect(state.lock).toBeUndefined();
  });

  it("is open to a multi-replica cluster too, and needs no word for what the vendor's pages disagree on", () => {
    const plan = planOf({ to: "3.1.0", wish: { strategy: "offline" } });
    expect(plan.stages.map(({ id }) => id)).toEqual(["stage-package", "all-nodes", "finish"]);
    expect(plan.asks).toEqual(["kwdb.backup"]);
  });

  it("changes no node again that an earlier one has changed, and stops and starts it with the others", () => {
    const plan = planOf({
      topology: "single-replica",
      facts: { db1: factsOf("db1", "3.0.1") },
    });
    const stage = plan.stages.find(({ kind }) => kind === "cluster");
    if (stage?.kind !== "cluster") throw new Error("no cluster stage");
    const nodesOf = (id: string) =>
      stage.phases.find((phase) => phase.id === id)?.programs.map(({ node }) => node);
    expect(nodesOf("change")).toEqual(["db2", "db3"]);
    expect(nodesOf("stop")).toEqual(["db1", "db2", "db3"]);
  });
});

describe("a hop that needs a setting", () => {
  it.each(["rolling", "offline"] as const)(
    "is green for as long as the setting needs before the first node is touched, %s",
    (strategy) => {
      const settings = is({ "server.time_until_store_dead": "00:30:00", "ts.raft_log.sync_period": "0s" });
      const each = { settings };
      const plan = planOf({ to: "3.2.0", wish: { strategy }, facts: { db1: each, db2: each, db3: each } });
      const [gate] = plan.stages.flatMap((stage) =>
        stage.kind === "node" || stage.kind === "cluster" ? stage.before : [],
      );
      expect(gate?.dwellMs).toBe(300_000);
      expect(gate?.limitMs).toBeGreaterThan(300_000);
      expect(plan.asks).toContain("kwdb.installer-of-3-2");
    },
  );
});

describe("the plan of a rolling upgrade", () => {
  it.each([
    ["2.2.0", "2.2.1"],
    ["3.0.0", "3.1.0"],
  ])("%s to %s on three nodes is the documented procedure", async (from, to) => {
    await expect(`${JSON.stringify(planOf({ from, to }), null, 2)}\n`).toMatchFileSnapshot(
      golden(`rolling-${from}-to-${to}`),
    );
  });

  it("takes one node after another, each between gates, stopped before deploy.sh and proven after it", () => {
    const plan = planOf({});
    expect(plan.stages.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      "preflight stage-package",
      "node node-db1",
      "node node-db2",
      "node node-db3",
      "finish finish",
    ]);
    for (const stage of plan.stages.filter((each) => each.kind === "node")) {
      expect(stage.before.length).toBeGreaterThan(0);
      expect(stage.after.some(({ dwellMs }) => dwellMs === 30_000)).toBe(true);
      const steps = stage.program.steps.map(({ id }) => id);
      const inOrder = [
        "look-around",
        "drain",
        "stop",
        "prove-stopped",
        "upgrade-package",
        "prove-files",
        "start",
        "prove-ready",
      ];
      expect(steps.filter((id) => inOrder.includes(id))).toEqual(inOrder);
    }
  });

  it("has its point of no return at the first package change, and stops nowhere between stop and start", () => {
    const plan = planOf({});
    expect(plan.pointOfNoReturn).toBe("node-db1/upgrade-package");
    const node = plan.stages.find((stage) => stage.kind === "node");
    const mayStop = node?.program.steps.filter(({ mayStopAfter }) => mayStopAfter).map(({ id }) => id);
    expect(mayStop).not.toContain("stop");
    expect(mayStop).not.toContain("upgrade-package");
  });

  it("goes on where an earlier one was left: nodes that are done are not touched again", () => {
    const plan = planOf({ facts: { db1: factsOf("db1", "3.0.1") } });
    expect(plan.stages.filter(({ kind }) => kind === "node").map(({ id }) => id)).toEqual([
      "node-db2",
      "node-db3",
    ]);
    expect(plan.from).toBe("3.0.0");
  });

  it("asks for the words that only a person can give", () => {
    expect(planOf({ to: "3.1.0" }).asks).toEqual(["kwdb.rolling-from-3-0", "kwdb.backup"]);
  });

  it("is bound to what was found: each of these gives another digest", () => {
    const base = digestedText(planOf({}));
    const others: readonly Changed[] = [
      { to: "3.0.2" },
      { wish: { artefact: { digest: "f".repeat(64), name: "x", totalBytes: 1, facts: {} } } },
      { cluster: { gates: { everyMs: 1, dwellMs: 1, limitMs: 1 } } },
      { facts: { db2: { unitSha256: is("changed") } } },
      { facts: { db2: { configurationSha256: is({ MODE: "changed" }) } } },
      { facts: { db2: { versionFile: is({ basic: "3.0.0", extended: "hotfix" }) } } },
    ];
    for (const changed of others) expect(digestedText(planOf(changed))).not.toBe(base);
    // load, lag and jobs move by the minute: gates, not drift
    const moved = planOf({
      facts: { db2: { ready: is(false), nodes: is(rows().map((row) => ({ ...row, isLive: false }))) } },
    });
    expect(digestedText(moved)).toBe(base);
  });

  it.each<readonly [string, Changed]>([
    ["kwdb.deployment-not-served", { cluster: { deployment: "by-hand" } }],
    ["kwdb.form-unknown", { cluster: { deployment: "container" } }],
    ["kwdb.strategy-not-served", { topology: "single-replica", wish: { strategy: "rolling" } }],
    ["kwdb.strategy-not-served", { topology: "standalone", wish: { strategy: "rolling" } }],
    ["kwdb.method-not-served", { wish: { method: "export-import" } }],
    ["kwdb.target-missing", { to: "" }],
    ["kwdb.package-missing", { wish: { artefact: undefined as never } }],
    ["kwdb.same-version", { to: "3.0.0" }],
    ["kwdb.downgrade", { from: "3.1.0", to: "3.0.0" }],
    ["kwdb.major-by-script", { from: "2.2.1", to: "3.0.0" }],
    ["node.no-report", { facts: { db2: null } }],
    ["kwdb.version-unknown", { facts: { db2: { running: unknown, versionFile: unknown } } }],
  ])("is refused: %s", (code, changed) => {
    expect(refusal(changed)).toBe(code);
  });

  it("canonical text does not depend on the order of keys", () => {
    expect(canonical({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  });
});
