/** What replication does not carry: what a move takes along of it, there and back, and what a person answers for. */
import { describe, expect, it } from "vitest";
import type { CheckResult } from "#coordinator/domain/check.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
import { countRows } from "#coordinator/playbooks/postgresql/steps.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import type { Outcome } from "#proto/common/failure.ts";
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import { database, inputOf, is, type Sides, unknown } from "./pair.ts";

const mebibyte = 1024 ** 2;

function must(made: Outcome<Plan> | undefined): Plan {
  if (made?.ok !== true) throw new Error(made?.failure.code);
  return made.value;
}

const planOf = (shop: Partial<PgDatabase>, more: Sides = {}) =>
  must(postgresql.plan(inputOf({ ...more, shop })));

/** After the opening, with this on the new server. */
function backOf(plan: Plan, shop: Partial<PgDatabase> | undefined, entry: Sides["entry"] = {}): Plan {
  const databases = shop === undefined ? unknown : is([database("shop", shop)]);
  const input = inputOf({ to: "15", entry, target: { facts: { databases } } });
  const nodes = [{ node: "new", begun: ["open-writes"], isChanged: false }];
  return must(postgresql.planBack?.(input, { rollout: "r1", plan, nodes }));
}

/** `node step` of those that have to do with it, in their order. */
function stepsOf({ stages }: Plan): readonly string[] {
  return stages
    .flatMap(programsOf)
    .flatMap(({ program: { node, steps } }) =>
      steps
        .filter(({ id }) => id.includes("unreplicated") || id === "fence-writes")
        .map(({ id }) => `${node} ${id}`),
    );
}

function argsOf({ stages }: Plan): readonly Readonly<Record<string, string>>[] {
  const all = stages.flatMap(programsOf).flatMap(({ program }) => program.steps);
  return all.flatMap(({ id, call }) => (/^(weigh|write)-unreplicated$/.test(id) ? [call.args] : []));
}

const kindsOf = (plan: Plan) => argsOf(plan).map(({ kinds }) => JSON.parse(kinds ?? ""));

function statuses(checks: readonly CheckResult[]): readonly string[] {
  const ids = ["postgresql.large-objects", "postgresql.unlogged"];
  return checks.flatMap(({ id, status }) => (ids.includes(id) ? [`${id.slice(11)} ${status}`] : []));
}

const objects = (bytes: number) => ({ largeObjects: 3, largeObjectBytes: bytes });
const rows = (bytes: number) => ({ unlogged: ["public.u"], unloggedBytes: bytes });
const both = ["large-objects", "unlogged"];

describe("what replication does not carry", () => {
  it("is weighed before anything is closed, and goes along behind the fence, also where nothing was there yet", () => {
    const plan = planOf({});
    expect(stepsOf(plan)).toEqual([
      "old weigh-unreplicated",
      "old fence-writes",
      "old write-unreplicated",
      "new load-unreplicated",
      "new compare-unreplicated",
      "old prove-unreplicated",
    ]);
    expect(kindsOf(plan)).toEqual([both, both]);
    expect(argsOf(plan)[0]).toMatchObject({ databases: '["shop"]', limitBytes: String(64 * mebibyte) });
    expect(stepsOf(backOf(plan, {}))).toEqual([
      "new weigh-unreplicated",
      "new fence-writes",
      "new write-unreplicated",
      "old load-unreplicated",
      "old compare-unreplicated",
      "new prove-unreplicated",
    ]);
  });

  it("is compared before the new server is opened, and ends before the fence does", () => {
    const plan = planOf({}, { entry: { "fence-limit": "20s" } });
    const stage = plan.stages.find(({ id }) => id === "cut-over");
    const phases = stage?.kind === "cluster" ? stage.phases : [];
    const ids = ["fence", "take-over", "unwritten", "follow", "open", "switch"];
    expect(phases.map(({ id }) => id).slice(-6)).toEqual(ids);
    const steps = phases.flatMap(({ programs }) => programs).flatMap((program) => program.steps);
    for (const id of [
      "write-unreplicated",
      "load-unreplicated",
      "compare-unreplicated",
      "prove-unreplicated",
    ])
      expect(steps.find((step) => step.id === id)?.deadlineMs).toBe(countRows(["shop"], 20_000).deadlineMs);
  });

  it.each<[string, Partial<PgDatabase>, readonly string[], readonly string[]]>([
    ["all within the limit", { ...objects(40 * mebibyte), ...rows(24 * mebibyte) }, both, []],
    [
      "together too much",
      { ...objects(40 * mebibyte), ...rows(25 * mebibyte) },
      ["large-objects"],
      ["unlogged"],
    ],
    [
      "too many objects",
      { ...objects(65 * mebibyte), ...rows(64 * mebibyte) },
      ["unlogged"],
      ["large-objects"],
    ],
    ["too much of both", { ...objects(65 * mebibyte), ...rows(65 * mebibyte) }, [], both],
    ["not told by the agent", { largeObjects: 1, unlogged: ["public.u"] }, [], both],
  ])("goes as far as the limit does, objects first: %s", (_, shop, kinds, asked) => {
    const plan = planOf(shop);
    expect(kindsOf(plan)).toEqual([kinds, kinds]);
    expect(plan.asks).toEqual(asked.map((kind) => `postgresql.${kind}`));
    expect(statuses(plan.checks)).toEqual(
      both.map((kind) => `${kind} ${asked.includes(kind) ? "unknown" : "warn"}`),
    );
  });

  it("counts all databases against one limit", () => {
    const more = [database("stock", objects(40 * mebibyte))];
    expect(kindsOf(planOf(objects(40 * mebibyte), { more }))).toEqual([["unlogged"], ["unlogged"]]);
  });

  it.each(["0", "536870912"])("may be limited to %s bytes", (text) => {
    const plan = planOf({}, { entry: { "carry-limit-bytes": text } });
    expect(argsOf(plan)[0]?.["limitBytes"]).toBe(text);
  });

  it.each(["", "-1", "64MiB", "536870913"])("has no limit of %s", (text) => {
    expect(postgresql.plan(inputOf({ entry: { "carry-limit-bytes": text } }))).toMatchObject({
      failure: { code: "postgresql.setting-unreadable" },
    });
  });
});

describe("on the way back", () => {
  it("replaces nothing on the old server that never went to the new one", () => {
    const plan = planOf(objects(65 * mebibyte));
    const back = backOf(plan, rows(1));
    expect(kindsOf(back)).toEqual([["unlogged"], ["unlogged"]]);
    expect(statuses(back.checks)).toEqual(["large-objects ok", "unlogged warn"]);
    expect(back.asks).toEqual([]);
    // objects that have come on the new one since are nowhere else
    expect(backOf(plan, objects(1)).asks).toEqual(["postgresql.large-objects"]);
    expect(backOf(plan, undefined).asks).toEqual(["postgresql.large-objects"]);
  });

  it("goes by a plan of before this could be carried as one that carried nothing", () => {
    const plan = planOf({});
    const text = JSON.stringify(plan).replaceAll("postgresql.write-unreplicated", "postgresql.measure");
    expect(kindsOf(backOf(JSON.parse(text) as Plan, {}))).toEqual([[], []]);
  });

  it("asks for a word where too much has come, unless the limit was raised since", () => {
    const plan = planOf({});
    const back = backOf(plan, objects(65 * mebibyte));
    expect([kindsOf(back), back.asks]).toEqual([[["unlogged"], ["unlogged"]], ["postgresql.large-objects"]]);
    const raised = backOf(plan, objects(65 * mebibyte), { "carry-limit-bytes": String(65 * mebibyte) });
    expect([kindsOf(raised), raised.asks]).toEqual([[both, both], []]);
  });

  it("carries what went where the new server does not tell what it has: it is weighed then", () => {
    const back = backOf(planOf({}), undefined);
    expect([kindsOf(back), back.asks]).toEqual([[both, both], []]);
  });
});
