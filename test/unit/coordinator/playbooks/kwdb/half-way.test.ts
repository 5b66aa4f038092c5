/** A node that somebody has left half-changed by deploy.sh: two plans, neither taken by itself, and never a second node down. */
import { describe, expect, it } from "vitest";
import type { Plan, PlanStep } from "#coordinator/domain/plan.ts";
import { fingerprint } from "#coordinator/playbooks/kwdb/fingerprint.ts";
import { gates } from "#coordinator/playbooks/kwdb/gates.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import { walk } from "../../domain/paper/walk.ts";
import { at, type Changed, factsOf, inputOf, is, type NodeName, reportOf, rows } from "./cluster.ts";

type Facts = Partial<Record<keyof KwdbFull, unknown>>;
const noAnswer = { at, unknown: { code: "kwdb.client-failed", facts: {} } } as const;
const down = {
  unit: is({ loaded: true, active: "failed", sub: "failed", mainPid: 0, needsReload: false }),
  running: { at, unknown: { code: "kwdb.not-running", facts: {} } },
  ready: is(false),
};
const mute = {
  nodes: noAnswer,
  ranges: noAnswer,
  jobs: noAnswer,
  settings: noAnswer,
  spread: noAnswer,
  sessions: noAnswer,
};
const noBinary = { binary: { at, unknown: { code: "kwdb.binary-missing", facts: {} } } };
const noFile = { versionFile: { at, unknown: { code: "file.unreadable", facts: { errno: "ENOENT" } } } };
const file = (basic: string) => ({ versionFile: is({ basic, extended: null }) });
const binary = (version: string) => ({ binary: is({ version, sha256: "b" }) });

/** Each as the vendor's script leaves a stopped node that it was run on, by where it ended. */
const gone = { ...mute, ...down, ...noBinary };
const behind = { ...mute, ...down, ...binary("3.0.1") };
const whole = { ...behind, ...file("3.0.1") };
const ahead = { ...mute, ...down, ...file("3.0.1") };
const fileless = { ...mute, ...down, ...noFile };

/** As the others see a cluster in which the second node is away. */
const lacking = rows().map((row) => (row.id === 2 ? { ...row, isAvailable: false, isLive: false } : row));
const alive = { nodes: is(lacking), ranges: is({ unavailable: 0, underReplicated: 12 }) };
const withHalf = (half: Facts, others: Facts = alive): NonNullable<Changed["facts"]> => ({
  db1: others,
  db2: half,
  db3: others,
});

const made = (facts: NonNullable<Changed["facts"]>, rest: Changed = {}) =>
  planUpgrade(inputOf({ facts, ...rest }));
function planned(...given: Parameters<typeof made>): Plan {
  const plan = made(...given);
  if (!plan.ok) throw new Error(plan.failure.code);
  return plan.value;
}
const refused = (...given: Parameters<typeof made>) => {
  const plan = made(...given);
  return plan.ok ? "planned" : plan.failure.code;
};
const nodeStages = ({ stages }: Plan) => stages.flatMap((stage) => (stage.kind === "node" ? [stage] : []));
const stageIds = (plan: Plan) => plan.stages.map(({ id }) => id);
const stepsOf = (plan: Plan): readonly PlanStep[] => nodeStages(plan)[0]?.program.steps ?? [];
const ids = (plan: Plan) => stepsOf(plan).map(({ id }) => id);
const argsOf = (plan: Plan, step: string) => stepsOf(plan).find(({ id }) => id === step)?.call.args;
const found = ({ findings = [] }: Plan) => findings.map(({ code }) => code);
const standing = ({ checks, asks }: Plan) =>
  checks.filter(({ id, status }) => status === "ko" || (status === "unknown" && !asks.includes(id)));

describe("the new version finished on a half-changed node", () => {
  it.each<readonly [string, Facts, string]>([
    ["packages gone", gone, "anew"],
    ["version file behind", behind, "behind"],
    ["whole, and never started", whole, "whole"],
    ["no version file", fileless, "anew"],
  ])("%s: it comes first, by the upgrade's own steps, and nothing refuses it", (_, half, how) => {
    const plan = planned(withHalf(half));
    expect(stageIds(plan)).toEqual(["stage-package", "node-db2", "node-db1", "node-db3", "finish"]);
    expect(ids(plan)).toEqual(
      [
        "look-around prove-digest save-configuration",
        how === "anew" && half === gone ? "" : "drain",
        "stop prove-stopped upgrade-package prove-files prove-configuration reload-units",
        "start prove-ready prove-seen",
      ]
        .join(" ")
        .split(/ +/),
    );
    expect(found(plan)[1]).toBe(`half-way.kwdb.finish-${how}`);
    expect(found(plan)).toContain("half-way.kwdb.or-back");
    expect(standing(plan)).toEqual([]);
    expect(plan).toMatchObject({ from: "3.0.0", to: "3.0.1", method: "script" });
  });

  it("is taken by nobody but a person", () => {
    expect(planned(withHalf(gone)).asks).toContain("kwdb.half-way");
    expect(planned({}).asks).not.toContain("kwdb.half-way");
  });

  it("is what it was when it was read", async () => {
    const plan = planned(withHalf(behind));
    expect(walk(plan).state.end).toBe("done");
    await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(
      "../../../../fixtures/coordinator/playbooks/kwdb/half-way-finished.json",
    );
  });

  it("tells the agent that the node is as somebody has left it, and what it saves is not the old", () => {
    const plan = planned(withHalf(behind));
    expect(argsOf(plan, "look-around")).toMatchObject({ halfWay: "yes" });
    expect(argsOf(plan, "save-configuration")).toMatchObject({ halfWay: "yes" });
    // of packages that were never installed nothing was written
    expect(argsOf(planned(withHalf(gone)), "save-configuration")).not.toHaveProperty("halfWay");
    const after = nodeStages(plan)[1]?.program.steps.map(({ call }) => call.args);
    expect(after?.some((args) => "halfWay" in args)).toBe(false);
  });

  it("makes no archive to go back to where the newer version may have run", () => {
    const settings = { "archive-data": "true" };
    const of = (half: Facts) =>
      argsOf(planned({ db1: half }, { topology: "standalone", cluster: { settings } }), "archive-data")?.[
        "kind"
      ];
    expect(of({ ...behind, archive: is(room), archiveRate: is(rate) })).toBe("node-image");
    expect(of({ ...gone, archive: is(room), archiveRate: is(rate) })).toBe("cluster-stop");
  });

  it("is for a standalone node too, with nobody to look at", () => {
    const plan = planned({ db1: behind }, { topology: "standalone" });
    expect(stageIds(plan)).toEqual(["stage-package", "node-db1", "finish"]);
    expect(nodeStages(plan)[0]?.before).toEqual([]);
    expect(standing(plan)).toEqual([]);
    expect(walk(plan).state.end).toBe("done");
  });

  it("goes on where the others are at the new version already, or in part", () => {
    const mixed = rows().map((row) => ({ ...row, build: row.id === 1 ? "3.0.1" : "3.0.0" }));
    const seen = { nodes: is(mixed.map((row) => (row.id === 2 ? (lacking[1] ?? row) : row))) };
    const plan = planned({
      db1: { ...factsOf("db1", "3.0.1"), ...alive, ...seen },
      db2: gone,
      db3: { ...alive, ...seen },
    });
    expect(stageIds(plan)).toEqual(["stage-package", "node-db2", "node-db3", "finish"]);
    expect(standing(plan)).toEqual([]);
  });

  it("is refused where the script would refuse its own version, and on the way to a third", () => {
    expect(refused(withHalf(ahead))).toBe("kwdb.half-way-script-refuses");
    expect(refused(withHalf({ ...gone, ...file("3.0.1") }))).toBe("kwdb.half-way-script-refuses");
    expect(refused(withHalf({ ...behind, ...binary("3.0.2") }))).toBe("kwdb.half-way-other-version");
  });
});

describe("a half-changed node that still runs", () => {
  const process = { unit: factsOf("db2", "3.0.0").unit, ready: is(true) };
  const under = { ...file("3.0.1"), ...binary("3.0.1") };
  const well = { nodes: is(rows()) };

  it("is drained and stopped by the plan, and only while no range lacks a copy", () => {
    const plan = planned(withHalf(under, well));
    expect(ids(plan).slice(3, 6)).toEqual(["drain", "stop", "prove-stopped"]);
    const gate = nodeStages(plan)[0]?.before[0];
    expect(gate).toMatchObject({ gate: "kwdb.others-healthy", args: { node: "db2", runs: "yes" } });
    const short = { ...well, ranges: is({ unavailable: 0, underReplicated: 1 }) };
    expect(standing(planned(withHalf(under, short))).map(({ id }) => id)).toEqual(["kwdb.ranges"]);
  });

  it("without its client is stopped undrained, and that is said", () => {
    const plan = planned(withHalf({ ...mute, ...process, ...noBinary, running: noAnswer }, well));
    expect(ids(plan)).not.toContain("drain");
    expect(found(plan)).toContain("half-way.kwdb.not-drained");
  });

  it("with the mark of an online upgrade is started once with its flag, and keeps the cluster's own setting", () => {
    const marked = {
      nodes: is(rows().map((row) => (row.id === 2 ? { ...row, isAvailable: false, upgrading: true } : row))),
      settings: is({ "server.time_until_store_dead": "00:45:00" }),
    };
    const plan = planned(withHalf({ ...under, ...marked }, marked));
    expect(ids(plan).slice(-6)).toEqual([
      "add-upgrade-flag",
      "start",
      "prove-ready",
      "prove-seen",
      "clear-upgrade-flag",
      "set-store-dead",
    ]);
    expect(argsOf(plan, "set-store-dead")).toMatchObject({ to: "2700s" });
    expect(standing(plan)).toEqual([]);
    const left = { ...marked, settings: is({ "server.time_until_store_dead": "03:00:00" }) };
    expect(ids(planned(withHalf({ ...under, ...left }, left)))).not.toContain("set-store-dead");
  });
});

describe("the old package put back on a half-changed node", () => {
  const back: Changed = { to: "3.0.0" };

  it.each<readonly [string, Facts, boolean]>([
    ["packages gone", gone, false],
    ["version file behind", behind, true],
    ["whole, and never started", whole, true],
    ["version file ahead", ahead, true],
  ])("%s: on that node alone, and nothing refuses it", (_, half, mayHaveRun) => {
    const plan = planned(withHalf(half), back);
    expect(stageIds(plan)).toEqual(["prove-old-package", "back-db2", "finish"]);
    expect(ids(plan)).toContain("restore-package");
    expect(ids(plan)).not.toContain("upgrade-package");
    expect(plan).toMatchObject({
      to: "3.0.0",
      method: "put-back",
      pointOfNoReturn: "back-db2/restore-package",
    });
    expect(plan.asks).toEqual(["kwdb.half-way", ...(mayHaveRun ? ["kwdb.back-on-kept-data"] : [])]);
    expect(standing(plan)).toEqual([]);
    expect(walk(plan).state.end).toBe("done");
  });

  it("is what it was when it was read", async () => {
    const plan = planned(withHalf(behind), back);
    await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(
      "../../../../fixtures/coordinator/playbooks/kwdb/half-way-put-back.json",
    );
  });

  it("is the same plan when it is made again from what it says of itself", () => {
    const { method, strategy } = planned(withHalf(behind), back);
    expect(planned(withHalf(behind), { ...back, wish: { method, strategy } }).stages).toEqual(
      planned(withHalf(behind), back).stages,
    );
  });

  it("takes the package that is named, else the one that the node has kept, and none by guess", () => {
    const digestOf = (...given: Parameters<typeof made>) => argsOf(planned(...given), "restore-package");
    expect(digestOf(withHalf(behind), back)).toMatchObject({ digest: "a".repeat(64), version: "3.0.0" });
    const unnamed = planUpgrade(without(inputOf({ facts: withHalf(behind), ...back })));
    if (!unnamed.ok) throw new Error(unnamed.failure.code);
    expect(argsOf(unnamed.value, "restore-package")).toMatchObject({ digest: "e".repeat(64) });
    const none = withHalf({ ...behind, keptPackages: is([]) });
    expect(planUpgrade(without(inputOf({ facts: none, ...back })))).toMatchObject({
      failure: { code: "kwdb.half-way-no-package" },
    });
  });

  it("is refused where the newer version may have changed the format, and said beforehand", () => {
    const over = withHalf({ ...behind, ...file("2.2.1"), ...binary("3.0.0") });
    const all = { ...over, db1: { ...factsOf("db1", "2.2.1"), ...alive }, db3: over.db3 };
    const old = rows("2.2.1").map((row, index) => ({ ...(lacking[index] ?? row), build: "2.2.1" }));
    const of = (name: NodeName) => ({ ...factsOf(name, "2.2.1"), ...alive, nodes: is(old) });
    expect(refused({ ...all, db1: of("db1"), db3: of("db3") }, { to: "2.2.1" })).toBe(
      "kwdb.half-way-other-format",
    );
  });
});

const room = { folder: "/srv", availableBytes: 1e12, dataBytes: 1e6 };
const rate = { bytesPerSecond: 1e8, bytes: 1e6 };
const without = ({ wish: { artefact: _artefact, ...wish }, ...input }: ReturnType<typeof inputOf>) => ({
  ...input,
  wish,
});

describe("no plan over a half-changed node", () => {
  const refusing = (plan: Plan) => standing(plan).map(({ id }) => id);

  it.each<readonly [string, Changed["facts"]]>([
    ["another is half-changed too", { ...withHalf(gone), db3: gone }],
    ["another is down", { ...withHalf(gone), db3: { ...mute, ...down } }],
    ["another is not ready", { ...withHalf(gone), db3: { ...alive, ready: is(false) } }],
    [
      "another is marked as upgrading",
      withHalf(gone, {
        ...alive,
        nodes: is(lacking.map((row) => (row.id === 3 ? { ...row, upgrading: true } : row))),
      }),
    ],
  ])("where %s: refused as ever", (_, facts = {}) => {
    const plan = planned(facts);
    expect(plan.asks).not.toContain("kwdb.half-way");
    expect(refusing(plan)).toEqual(expect.arrayContaining(["kwdb.versions-agree", "kwdb.node-live"]));
    // without the choice there is no way to the old version either
    expect(refused(facts, { to: "3.0.0" })).toBe("kwdb.same-version");
  });

  it("where a node does not report", () => {
    expect(refused({ ...withHalf(gone), db3: null })).toBe("node.no-report");
  });

  it("of a node that is down and whole at the version of the others", () => {
    const plan = planned(withHalf({ ...mute, ...down }));
    expect(plan.asks).not.toContain("kwdb.half-way");
    expect(refusing(plan)).toContain("kwdb.node-live");
  });

  it.each<Changed>([
    { topology: "single-replica" },
    { wish: { strategy: "offline" } },
    { cluster: { deployment: "compiled" } },
  ])("by another way or form", (rest) => {
    const plan = made(withHalf(behind), rest);
    if (plan.ok) expect(plan.value.asks).not.toContain("kwdb.half-way");
  });
});

describe("what a plan over a half-changed node is bound to", () => {
  const boundOf = (facts: Facts) => fingerprint(inputOf({ facts: withHalf(facts) }))["node.db2.half-way"];

  it("is how the node was left: another half is another plan", () => {
    expect(boundOf(gone)).toBe("packages-gone none");
    expect(boundOf(behind)).toBe("version-file-behind 3.0.1");
    expect(fingerprint(inputOf({}))).not.toHaveProperty("node.db2.half-way");
  });
});

describe("the gate before a half-changed node that still runs", () => {
  const gate = gates["kwdb.others-healthy"];
  const verdict = (args: Readonly<Record<string, string>>, underReplicated: number) => {
    const of = (name: NodeName) =>
      reportOf(name, { ...factsOf(name, "3.0.0"), ranges: is({ unavailable: 0, underReplicated }) });
    const now = { atMs: 0, nodes: { db1: of("db1"), db3: of("db3") } };
    const spec = {
      gate: "kwdb.others-healthy",
      cluster: "billing",
      args: { versions: "3.0.0", nodes: "3", node: "db2", address: "10.0.0.2:26257", ...args },
      everyMs: 1,
      dwellMs: 1,
      limitMs: 1,
    };
    return gate?.({ spec, now, before: [] } as unknown as Parameters<NonNullable<typeof gate>>[0]).verdict;
  };

  it("waits while a range lacks a copy, and of one that is down it does not", () => {
    expect(verdict({ runs: "yes" }, 0)).toBe("pass");
    expect(verdict({ runs: "yes" }, 1)).toBe("wait");
    expect(verdict({}, 1)).toBe("pass");
  });
});
