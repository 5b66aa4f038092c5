import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { nodesUnderLock, programsOf } from "#coordinator/domain/stage-programs.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import type { PgMade } from "#proto/engines/postgresql-made.ts";
import { database, inputOf, is, type Sides, unknown } from "../pair.ts";
import { birth, makingInput, notMade, place, source } from "./cluster.ts";

function planOf(sides?: Sides, changed?: Partial<PgMade>): Plan {
  const made = postgresql.plan(makingInput(sides, changed));
  if (!made.ok) throw new Error(JSON.stringify(made.failure));
  return made.value;
}

function refusal(sides?: Sides, changed?: Partial<PgMade>, wish: object = {}): string {
  const input = makingInput(sides, changed);
  const made = postgresql.plan({ ...input, wish: { ...input.wish, ...wish } });
  return made.ok ? "a plan" : made.failure.code;
}

const programs = ({ stages }: Plan) => stages.flatMap((stage) => programsOf(stage));

const outline = (plan: Plan) =>
  programs(plan).map(({ wireStage, program }) => [
    `${wireStage} ${program.node}`,
    ...program.steps.map(({ id, undo }) => (undo === undefined ? id : `${id} (${undo.verb})`)),
  ]);

const argsOf = (plan: Plan, id: string) =>
  programs(plan)
    .flatMap(({ program }) => program.steps)
    .find((step) => step.id === id)?.call.args ?? {};

describe("the plan that makes a server", () => {
  it("asks the old one without a lock, and makes the new one step by step, each with its undo", () => {
    const plan = planOf(source({ facts: { tablespaces: is(["fast"]) } }));
    expect(outline(plan)).toEqual([
      ["look old", "prove-server", "send-configuration"],
      ["look new", "prove-free"],
      [
        "make/files new",
        "prove-free",
        "make-data (postgresql.give-back)",
        "take-configuration (postgresql.give-back)",
        "make-tablespace-folders (postgresql.give-back)",
      ],
      ["make/start new", "start-server (postgresql.stop-made)", "make-tablespaces", "prove-made"],
    ]);
    expect(plan).toMatchObject({ clusters: ["alt", "neu"], from: "15", to: "18", method: "make-server" });
    expect(plan.stages.flatMap(nodesUnderLock)).toEqual(["new"]);
    expect(plan.stages.flatMap((stage) => (stage.kind === "cluster" ? stage.clusters : []))).toEqual(["neu"]);
    expect(plan.pointOfNoReturn).toBeUndefined();
    expect(argsOf(plan, "make-tablespaces")).toEqual({ tablespaces: '["fast"]' });
  });

  it("makes it with the old one's birth, and leaves tablespaces out where there are none", () => {
    const plan = planOf();
    expect(JSON.parse(argsOf(plan, "make-data")["birth"] ?? "")).toEqual(birth);
    expect(argsOf(plan, "prove-made")).toEqual({ birth: JSON.stringify(birth), version: "18" });
    expect(JSON.stringify(outline(plan))).not.toContain("tablespace");
  });

  it("sets what the move needs, for all databases at once, and never less than the old server has", () => {
    const more = Array.from({ length: 5 }, (_, index) => database(`d${index}`));
    const settings = JSON.parse(
      argsOf(planOf({ more, source: { settings: { max_wal_senders: "99" } } }), "take-configuration")[
        "settings"
      ] ?? "",
    );
    expect(settings).toEqual({
      wal_level: "logical",
      max_active_replication_origins: "26",
      max_logical_replication_workers: "26",
      max_replication_slots: "26",
      max_wal_senders: "99",
      max_worker_processes: "40",
    });
    const seventeen = planOf({ to: "17" }, { major: 17, version: "17.6" });
    expect(argsOf(seventeen, "take-configuration")["settings"]).not.toContain("origins");
  });

  it("is followed by a move whose checks find those settings good", () => {
    const more = Array.from({ length: 5 }, (_, index) => database(`d${index}`));
    const own = JSON.parse(argsOf(planOf({ more }), "take-configuration")["settings"] ?? "") as Record<
      string,
      string
    >;
    const found = postgresql.check(inputOf({ more, target: { settings: own }, source: { settings: own } }));
    const about = found.filter(({ id }) =>
      /^postgresql\.target-(wal|slot|sender|worker|process|origin)/.test(id),
    );
    expect(about.length).toBeGreaterThan(5);
    expect(about.filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it("is bound to what it was made from, and to nothing of the new node that it changes itself", () => {
    const before = planOf().boundTo;
    const drifted = (sides: Sides, changed?: Partial<PgMade>) =>
      Object.entries(postgresql.fingerprint(makingInput(sides, changed)))
        .filter(([field, value]) => before[field] !== value)
        .map(([field]) => field);
    expect(drifted({})).toEqual([]);
    expect(drifted(source({ server: { systemId: "9" } }))).toEqual(["node.old.system-id"]);
    expect(drifted(source({ facts: { birth: is({ ...birth, encoding: "UTF8" }) } }))).toEqual([
      "node.old.birth",
    ]);
    expect(drifted({}, { data: "/elsewhere", taken: ["/etc/18"] })).toEqual([
      "node.new.made",
      "node.new.taken",
    ]);
  });

  it.each([
    ["postgresql.make-without-target", "no other cluster", { into: false }, {}, {}],
    ["postgresql.make-strategy", "another strategy", {}, {}, { strategy: "offline" }],
    [
      "postgresql.make-not-set",
      "a file that allows none",
      { target: { facts: { made: undefined as never } } },
      {},
      {},
    ],
    [
      "measure.failed",
      "a place that could not be looked at",
      { target: { facts: { made: unknown } } },
      {},
      {},
    ],
    ["measure.failed", "a birth that is not known", source({ facts: { birth: unknown } }), {}, {}],
    ["measure.failed", "tablespaces that are not known", source({ facts: { tablespaces: unknown } }), {}, {}],
    ["measure.failed", "settings that are not known", source({ facts: { settings: unknown } }), {}, {}],
    ["postgresql.make-version", "other programs", {}, { major: 17 }, {}],
    ["postgresql.make-version", "no newer version", { to: "15" }, { major: 15 }, {}],
    [
      "postgresql.server-unknown",
      "an old server that does not answer",
      source({ facts: { server: unknown } }),
      {},
      {},
    ],
  ] as const)("is refused with %s for %s", (code, _, sides, changed, wish) => {
    expect(refusal(sides, changed, wish)).toBe(code);
    expect(code.startsWith("measure") || en[code] !== undefined).toBe(true);
  });

  it("is a way that is listed only where nothing was made yet; without it a move is told what to do first", () => {
    const methods = (changed: Partial<PgMade> = {}) =>
      postgresql.ways?.(makingInput({}, changed)).map(({ method }) => method) ?? [];
    expect(methods()).toEqual(["make-server"]);
    expect(postgresql.ways?.(inputOf({})).map(({ method }) => method)).toContain("logical-replication");
    expect(methods({ taken: ["/data18"] })).not.toContain("make-server");
    expect(methods({ major: 17 })).not.toContain("make-server");
    const move = postgresql.plan(makingInput({ method: "logical-replication" }));
    expect(move.ok ? "" : move.failure.code).toBe("postgresql.not-made-yet");
    expect(en["postgresql.not-made-yet"]?.next).toContain("--method make-server");
  });

  it("has words for its ways, warnings and steps", () => {
    const { wayBack, warnings, stages } = planOf();
    const ways = stages.flatMap((stage) => (stage.kind === "cluster" ? stage.waysOnFailure : []));
    for (const code of [...wayBack, ...warnings, ...ways]) expect(en[code], code).toBeDefined();
  });

  it("shows a node without a server as one that is not made", () => {
    const report = makingInput().into?.reports["new"];
    if (report === undefined) throw new Error("no report");
    expect(postgresql.summarise(report)).toEqual({
      version: "?",
      state: "not made",
      findings: [notMade.unknown],
    });
  });
});

describe("the way back", () => {
  function back(target: Sides["target"] = {}) {
    const input = makingInput({ target });
    const undone = { rollout: "r1", plan: planOf(), nodes: [] };
    return postgresql.planBack?.({ ...input, wish: { ...input.wish, to: "15", back: undone } }, undone);
  }

  it("stops the server and gives its folders back, and touches nothing of the old one", () => {
    const found = back({ facts: { databases: is([database("postgres", { userTables: 0 })]) } });
    if (found?.ok !== true) throw new Error(JSON.stringify(found));
    expect(outline(found.value)).toEqual([
      ["look new", "prove-unused"],
      [
        "remove/give-back new",
        "stop-server",
        "give-back-tablespaces",
        "give-back-configuration",
        "give-back-data",
      ],
    ]);
    expect(found.value).toMatchObject({ clusters: ["alt", "neu"], back: "r1" });
    expect(argsOf(found.value, "give-back-data")).toEqual({ what: "data", of: "r1" });
    expect(programs(found.value).at(-1)?.program.steps.at(-1)?.shownAs).toContain(place.data);
  });

  it("does not need the server to answer, nor the old one", () => {
    expect(back()?.ok).toBe(true);
    const input = makingInput({ source: { facts: { server: unknown } } });
    const undone = { rollout: "r1", plan: planOf(), nodes: [] };
    expect(postgresql.planBack?.({ ...input, wish: { ...input.wish, back: undone } }, undone).ok).toBe(true);
  });

  it("is refused once somebody's database is on it", () => {
    const found = back({ facts: { databases: is([database("shop", { userTables: 0 })]) } });
    expect(found?.ok === false && found.failure).toMatchObject({
      code: "postgresql.made-server-used",
      facts: { found: "database shop" },
    });
    const inPostgres = back({ facts: { databases: is([database("postgres")]) } });
    expect(inPostgres?.ok).toBe(false);
  });
});
