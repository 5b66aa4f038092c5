/** The way back: which one follows from how far a rollout went, what it needs, and what it asks a person to say. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { planBack } from "#coordinator/playbooks/kwdb/back.ts";
import { keepsDataFormat } from "#coordinator/playbooks/kwdb/data-format.ts";
import { walk } from "../../domain/paper/walk.ts";
import { at, type Changed, factsOf, inputOf, is, type NodeName, names, notApplicable } from "./cluster.ts";
import { type Past, undoneOf } from "./undone.ts";

const unreadable = (errno: string) =>
  ({ at, unknown: { code: "file.unreadable", facts: { errno } } }) as const;
const down = { loaded: true, active: "failed", sub: "failed", mainPid: 0, needsReload: false };
const noProcess = { at, unknown: { code: "kwdb.not-running", facts: {} } } as const;

type Facts = NonNullable<NonNullable<Changed["facts"]>[NodeName]>;

/** Upgraded, and what the upgrade has left there. */
function upgradedNode(name: NodeName, version = "3.0.1", more: Facts = {}): Facts {
  return {
    ...factsOf(name, version),
    keptPackages: is([
      { version: "3.0.0", sha256: "0".repeat(64) },
      { version: "3.0.1", sha256: "1".repeat(64) },
    ]),
    saved: is([
      { name: `${name}-3.0.0-to-3.0.1-r1`, rollout: "r1", differs: ["/etc/kaiwudb/info/.version"] },
    ]),
    ...more,
  };
}

/** Its packages are gone and nothing runs. */
const broken = (name: NodeName): Facts =>
  upgradedNode(name, "3.0.0", {
    binary: { at, unknown: { code: "kwdb.binary-missing", facts: {} } },
    unit: is(down),
    running: noProcess,
    ready: is(false),
    nodes: unreadable("ECONNREFUSED"),
  });

const archiveOf = (name: string, changed: object = {}) => ({
  path: `/srv/${name}-3.0.0-to-3.0.1-r1.tar`,
  bytes: 10,
  about: {
    cluster: "账单",
    node: name,
    rollout: "r1",
    version: "3.0.0",
    madeAt: "2026-02-01T09:00:00.000Z",
    kind: "cluster-stop",
    isProven: true,
    ...changed,
  },
});

const withArchive = (name: NodeName, changed: object = {}): Facts =>
  upgradedNode(name, "3.0.1", { archives: is([archiveOf(name, changed)]) });

const back = (past: Past, now: Changed) => {
  const undone = undoneOf(past);
  const { to: _to, ...rest } = now;
  const input = inputOf({ ...past.changed, ...rest, to: "3.0.0" });
  return planBack({ ...input, wish: { to: "3.0.0", ...now.wish, back: undone } }, undone);
};

function planned(past: Past, now: Changed): Plan {
  const made = back(past, now);
  if (!made.ok) throw new Error(JSON.stringify(made.failure));
  return made.value;
}

const refused = (past: Past, now: Changed) => {
  const made = back(past, now);
  return made.ok ? "planned" : made.failure.code;
};

const golden = (name: string) => `../../../../fixtures/coordinator/playbooks/kwdb/${name}.json`;
/** Without the playbook's number, which rises for reasons of its own. */
const textOf = (plan: Plan) =>
  `${JSON.stringify({ ...plan, boundTo: { ...plan.boundTo, playbook: "" } }, null, 2)}\n`;
const stepIds = (plan: Plan, stage: string) =>
  plan.stages.flatMap((spec) =>
    spec.kind === "node" && spec.id === stage ? spec.program.steps.map(({ id }) => id) : [],
  );
const phasesOf = (plan: Plan) =>
  plan.stages.flatMap((spec) =>
    spec.kind === "cluster"
      ? spec.phases.map(({ id, order, programs }) => `${id} ${order} ${programs.map(({ node }) => node)}`)
      : [],
  );

const rolling: Changed = { to: "3.0.1" };
const single: Changed = {
  topology: "single-replica",
  to: "3.0.1",
  cluster: { settings: { "archive-data": "true" } },
};
const alone: Changed = { ...single, topology: "standalone" };
const archived: Changed = {
  facts: Object.fromEntries(
    names.map((name) => [name, { archive: is({ folder: "/srv", availableBytes: 1e12, dataBytes: 1 }) }]),
  ),
};
const allWith = (node: (name: NodeName) => Facts) =>
  Object.fromEntries(names.map((name) => [name, node(name)]));

describe("the way back of a multi-replica cluster", () => {
  const halfWay: Past = {
    changed: rolling,
    begun: [
      ["node-db1", "db1", ["drain", "stop", "upgrade-package", "start", "prove-ready"]],
      ["node-db2", "db2", ["drain", "stop", "upgrade-package"]],
    ],
  };
  const now = { facts: { db1: upgradedNode("db1"), db2: broken("db2") } };

  it("puts the old package on the kept data, the node that is down first, and leaves the others alone", async () => {
    const plan = planned(halfWay, now);
    expect(plan).toMatchObject({
      from: "3.0.1",
      to: "3.0.0",
      strategy: "rolling",
      method: "back",
      back: "r1",
      asks: ["kwdb.back-on-kept-data"],
      pointOfNoReturn: "back-db2/restore-package",
    });
    expect(plan.stages.map(({ id }) => id)).toEqual(["prove-way-back", "back-db2", "back-db1", "finish"]);
    expect(stepIds(plan, "back-db2")).not.toContain("drain");
    expect(stepIds(plan, "back-db1")).toContain("drain");
    expect(JSON.stringify(plan)).not.toContain("restore-data");
    await expect(textOf(plan)).toMatchFileSnapshot(golden("back-rolling-3.0.1-to-3.0.0"));
  });

  it("asks no word where the new version has never run: no data of it can be there", () => {
    const only: Past = {
      changed: rolling,
      begun: [["node-db1", "db1", ["drain", "stop", "upgrade-package"]]],
    };
    expect(planned(only, { facts: { db1: broken("db1") } }).asks).toEqual([]);
  });

  it("begins with the others well around the node that is away, and with all well around one that serves", () => {
    const plan = planned(halfWay, now);
    const gatesBefore = (id: string) =>
      plan.stages.flatMap((spec) =>
        spec.kind === "node" && spec.id === id ? spec.before.map(({ gate }) => gate) : [],
      );
    expect(gatesBefore("back-db2")).toEqual(["kwdb.others-healthy"]);
    expect(gatesBefore("back-db1")).toEqual(["kwdb.cluster-healthy"]);
  });

  it("takes all back one by one when all is upgraded and regretted, and is walked to its end", () => {
    const plan = planned({ changed: rolling }, { facts: allWith(upgradedNode) });
    expect(plan.stages.map(({ id }) => id)).toEqual([
      "prove-way-back",
      "back-db1",
      "back-db2",
      "back-db3",
      "finish",
    ]);
    expect(walk(plan).state.end).toBe("done");
  });

  it("never takes an older image of one node, though there is one", () => {
    const withImage = upgradedNode("db1", "3.0.1", {
      archives: is([archiveOf("db1", { kind: "node-image" })]),
    });
    const plan = planned(halfWay, { facts: { ...now.facts, db1: withImage } });
    expect(JSON.stringify(plan.stages)).not.toContain("restore-data");
  });

  it("goes back to the archives of a common stop where it was upgraded offline with them", () => {
    const changed: Changed = {
      ...rolling,
      ...archived,
      cluster: single.cluster ?? {},
      wish: { strategy: "offline" },
    };
    const plan = planned({ changed }, { facts: allWith(withArchive), wish: {} });
    expect(plan).toMatchObject({ strategy: "offline", asks: ["kwdb.writes-lost"] });
    const chosen = planned({ changed }, { facts: allWith(withArchive), wish: { strategy: "rolling" } });
    expect(chosen).toMatchObject({ strategy: "rolling", asks: ["kwdb.back-on-kept-data"] });
  });
});

describe("the way back of a cluster that was stopped as a whole", () => {
  it("restores all nodes from the archives of one stop, and has the loss acknowledged", async () => {
    const plan = planned({ changed: { ...single, ...archived } }, { facts: allWith(withArchive) });
    expect(phasesOf(plan)).toEqual([
      "look parallel db1,db2,db3",
      "stop parallel db1,db2,db3",
      "restore one-by-one db1,db2,db3",
      "data parallel db1,db2,db3",
      "start parallel db1,db2,db3",
      "prove parallel db1,db2,db3",
    ]);
    expect(plan).toMatchObject({
      asks: ["kwdb.writes-lost"],
      warnings: ["warning.kwdb.writes-lost", "warning.kwdb.downtime"],
      pointOfNoReturn: "all-back/restore/restore-package",
    });
    expect(plan.checks.find(({ id }) => id === "kwdb.writes-lost")?.facts).toMatchObject({
      since: "2026-02-01T09:00:00.000Z",
    });
    expect(walk(plan).state.end).toBe("done");
    await expect(textOf(plan)).toMatchFileSnapshot(golden("back-single-replica-3.0.1-to-3.0.0"));
  });

  it("of a standalone node is the same, with one node", async () => {
    const plan = planned({ changed: { ...alone, ...archived } }, { facts: { db1: withArchive("db1") } });
    expect(phasesOf(plan)).toContain("data parallel db1");
    await expect(textOf(plan)).toMatchFileSnapshot(golden("back-standalone-3.0.1-to-3.0.0"));
  });

  it.each<readonly [string, Facts]>([
    ["is missing", upgradedNode("db2")],
    ["is of another rollout", withArchive("db2", { rollout: "r7" })],
    ["was never proven", withArchive("db2", { isProven: false })],
    ["is of another node", withArchive("db2", { node: "db3" })],
    ["is the image of one node", withArchive("db2", { kind: "node-image" })],
    [
      "was set aside by a later try",
      upgradedNode("db2", "3.0.1", { archives: is([{ ...archiveOf("db2"), path: "/srv/x.tar.before" }]) }),
    ],
    ["is not known of", upgradedNode("db2", "3.0.1", { archives: notApplicable })],
  ])("is refused by name when one archive %s", (_, db2) => {
    const facts = { ...allWith(withArchive), db2 };
    const made = back({ changed: { ...single, ...archived } }, { facts });
    expect(made).toMatchObject({ failure: { code: "kwdb.back-no-archives", facts: { nodes: "db2" } } });
  });

  it("keeps the data where it stopped before the new version ran anywhere: nothing is lost, no archive is needed", () => {
    const past: Past = {
      changed: single,
      begun: [
        ["all-nodes/stop", "db1", ["stop"]],
        ["all-nodes/change", "db1", ["upgrade-package", "prove-files"]],
        ["all-nodes/change", "db2", ["upgrade-package"]],
      ],
    };
    const plan = planned(past, {
      facts: {
        db1: upgradedNode("db1", "3.0.1", { unit: is(down), running: noProcess }),
        db2: broken("db2"),
      },
    });
    expect(phasesOf(plan)).toEqual([
      "look parallel db1,db2,db3",
      "stop parallel db1,db2,db3",
      "restore one-by-one db1,db2",
      "start parallel db1,db2,db3",
      "prove parallel db1,db2,db3",
    ]);
    expect(plan).toMatchObject({ asks: [], warnings: ["warning.kwdb.data-kept", "warning.kwdb.downtime"] });
  });

  it("counts a node on which the new version runs, whoever has started it", () => {
    const past: Past = { changed: single, begun: [["all-nodes/change", "db1", ["upgrade-package"]]] };
    expect(refused(past, { facts: { db1: upgradedNode("db1") } })).toBe("kwdb.back-no-archives");
  });

  it("keeps the data also where nobody has asked for archives, with a person's word: the hop leaves its format alone", () => {
    const past: Past = {
      changed: { topology: "single-replica", to: "3.0.1" },
      begun: [["all-nodes/change", "db1", ["upgrade-package"]]],
    };
    const plan = planned(past, { facts: { db1: upgradedNode("db1") } });
    expect(plan).toMatchObject({ strategy: "offline", asks: ["kwdb.back-on-kept-data"] });
    expect(phasesOf(plan)[0]).toBe("look parallel db1,db2,db3");
  });

  it("may not go node by node", () => {
    const now = { facts: allWith(withArchive), wish: { strategy: "rolling" as const } };
    expect(refused({ changed: { ...single, ...archived } }, now)).toBe("kwdb.strategy-not-served");
  });
});

describe("what a way back needs", () => {
  const only: Past = { changed: rolling, begun: [["node-db1", "db1", ["stop", "upgrade-package"]]] };
  const statusOf = (plan: Plan, id: string) => plan.checks.find((check) => check.id === id)?.status;

  it("is the package of the old version: named for the way back, by the rollout, or kept; else it is refused", () => {
    const none = { ...broken("db1"), keptPackages: is([]) };
    expect(refused(only, { facts: { db1: none } })).toBe("kwdb.back-no-package");
    const artefact = { digest: "e".repeat(64), name: "KWDB-3.0.0.tar.gz", totalBytes: 1, facts: {} };
    const given = planned(only, { facts: { db1: none }, wish: { artefact } });
    expect(given.artefact).toEqual({ digest: artefact.digest, name: artefact.name });
    expect(JSON.stringify(given.stages)).toContain(`"digest":"${artefact.digest}"`);
    const named: Past = {
      ...only,
      changed: { ...rolling, cluster: { settings: { "old-package": "f".repeat(64) } } },
    };
    const plan = planned(named, { facts: { db1: none }, cluster: { settings: {} } });
    expect(statusOf(plan, "kwdb.back-package")).toBe("warn");
    expect(JSON.stringify(plan.stages)).toContain("f".repeat(64));
  });

  it("is the configuration that this rollout has saved: KO without it, UNKNOWN where it cannot be read", () => {
    const saved = (value: unknown) => planned(only, { facts: { db1: { ...broken("db1"), saved: value } } });
    expect(statusOf(saved(is([{ name: "x", rollout: "r9", differs: [] }])), "kwdb.back-configuration")).toBe(
      "ko",
    );
    expect(statusOf(saved(undefined), "kwdb.back-configuration")).toBe("unknown");
    expect(statusOf(saved(unreadable("EACCES")), "kwdb.back-configuration")).toBe("unknown");
    const differs = ["/etc/kaiwudb/certs/node.crt"];
    expect(statusOf(saved(is([{ name: "x", rollout: "r1", differs }])), "kwdb.back-configuration")).toBe(
      "warn",
    );
  });

  it("is nothing where the nodes serve at the old version again", () => {
    expect(refused(only, { facts: { db1: factsOf("db1", "3.0.0") } })).toBe("kwdb.back-nothing");
  });

  it("is data of the old format, once the new version has run: never back over a major version", () => {
    const past: Past = {
      changed: rolling,
      begun: [["node-db1", "db1", ["stop", "upgrade-package", "start"]]],
    };
    const undone = undoneOf(past);
    const over = { ...undone, plan: { ...undone.plan, from: "2.2.1", to: "3.0.0" } };
    const input = inputOf({
      facts: { db1: upgradedNode("db1", "3.0.0") },
      to: "2.2.1",
      wish: { back: over },
    });
    expect(planBack(input, over)).toMatchObject({ failure: { code: "kwdb.back-other-format" } });
    const hops = [
      ["2.2.0", "2.2.1"],
      ["3.0.0", "3.2.1"],
      ["2.2.1", "3.0.0"],
      ["2.1.0", "2.2.0"],
      ["3.2.1", "3.3.0"],
    ] as const;
    expect(hops.map(([from, to]) => keepsDataFormat(from, to))).toEqual([true, true, false, false, false]);
  });

  it("is a script deployment", () => {
    expect(refused(only, { facts: { db1: broken("db1") }, cluster: { deployment: "container" } })).toBe(
      "kwdb.back-not-served",
    );
  });

  it("says of each node what it is at and what will be done", () => {
    const codes = planned(only, { facts: { db1: broken("db1") } }).findings?.map(({ code }) => code);
    expect(codes).toEqual([
      "evidence.kwdb.packages-gone",
      "back.kwdb.package",
      "evidence.kwdb.serving",
      "back.kwdb.untouched",
      "evidence.kwdb.serving",
      "back.kwdb.untouched",
    ]);
  });
});
