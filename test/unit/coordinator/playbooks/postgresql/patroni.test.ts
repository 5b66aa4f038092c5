/** A source that Patroni manages: what the checks say of it, and what the plan does more than without. */
import { describe, expect, it } from "vitest";
import type { Plan, PlanStep } from "#coordinator/domain/plan.ts";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
import { checkMove } from "#coordinator/playbooks/postgresql/checks.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import type { Patroni, PatroniMember } from "#proto/engines/postgresql-patroni.ts";
import { type Changed, inputOf, is, type Sides, unknown } from "./pair.ts";

const member = (name: string, changed: Partial<PatroniMember> = {}): PatroniMember => ({
  name,
  host: "10.0.0.1",
  role: name === "old" ? "leader" : "replica",
  state: "running",
  timeline: 1,
  isPendingRestart: false,
  ...changed,
});

const sound: Patroni = {
  version: "3.0.2",
  scope: "shop",
  member: "old",
  members: [member("old"), member("old2")],
  isPaused: false,
  isStandbyCluster: false,
  usesSlots: true,
  ownsHba: false,
  parameters: {},
};

const seen = is([{ kind: "patroni", by: "process patroni" }]);
const under = (changed: Partial<Patroni> = {}): Changed => ({
  facts: { highAvailability: seen, patroni: is({ ...sound, ...changed }) },
});
const pair = (changed: Partial<Patroni> = {}, more: Sides = {}): Sides => ({
  source: under(changed),
  second: under({ member: "old2" }),
  ...more,
});

function findings(sides: Sides): readonly string[] {
  return checkMove(inputOf(sides))
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id.replace("postgresql.", "")} ${status}`);
}

describe("checks of a source under Patroni", () => {
  it("find nothing where all is well, and ask for no word", () => {
    expect(findings(pair())).toEqual([]);
  });

  it.each<readonly [string, Sides]>([
    ["source-patroni ko", pair({ member: "old9" })],
    ["source-patroni ko", pair({ members: [member("old", { role: "replica" }), member("old2")] })],
    ["source-patroni-standby-cluster ko", pair({ isStandbyCluster: true })],
    ["source-patroni-members warn", pair({ members: [member("old"), member("old2", { state: "stopped" })] })],
    ["source-patroni-paused warn", pair({ isPaused: true })],
    ["source-patroni-hba warn", pair({ ownsHba: true })],
    ["source-patroni-slots warn", pair({ version: "2.0.2" })],
    ["source-patroni-slots warn", pair({ usesSlots: false })],
    ["source-patroni-slots warn", pair({ members: [member("old")] })],
    ["source-patroni-slots warn", pair({ members: [member("old"), member("old2"), member("old3")] })],
    ["source-patroni-slots warn", { source: under() }],
  ])("%s", (finding, sides) => {
    expect(findings(sides)).toEqual([finding]);
    const [id = "", status = ""] = finding.split(" ");
    expect(en[`check.postgresql.${id}`]).toBeDefined();
    expect(en[`check.postgresql.${id}.${status}`]?.next).toBeDefined();
  });

  it("refuse a way whose slots Patroni cannot be told of", () => {
    expect(findings(pair({}, { method: "pglogical" }))).toContain("source-patroni-method ko");
    expect(en["check.postgresql.source-patroni-method.ko"]?.next).toBeDefined();
  });

  it("block where Patroni could not be asked, by nobody's word", () => {
    const sides = { source: { facts: { highAvailability: seen, patroni: unknown } } };
    expect(findings(sides)).toEqual(["source-managed unknown", "source-patroni unknown"]);
    const result = checkMove(inputOf(sides)).find(({ id }) => id === "postgresql.source-patroni");
    expect(result?.yields).toBe("never");
  });

  it("still ask for a word on any other manager, and on a Patroni of the target", () => {
    const both = is([
      { kind: "patroni", by: "process patroni" },
      { kind: "keepalived", by: "process keepalived" },
    ]);
    const source = under();
    const sides = pair({}, { source: { facts: { ...source.facts, highAvailability: both } } });
    expect(findings(sides)).toEqual(["source-managed unknown"]);
    expect(findings({ target: under() })).toEqual(["target-managed unknown"]);
  });

  it("count it as any other manager where the agent's file does not name it", () => {
    expect(findings({ source: { facts: { highAvailability: seen } } })).toEqual(["source-managed unknown"]);
  });
});

function planOf(sides: Sides): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

/** `stage/phase node: ids` of those programs that have one of these steps. */
function stepsOf(plan: Plan, ids: readonly string[]): readonly string[] {
  return plan.stages.flatMap((stage) =>
    programsOf(stage).flatMap(({ wireStage, program: { node, steps } }) => {
      const found = steps.filter(({ id }) => ids.includes(id)).map(({ id }) => id);
      return found.length === 0 ? [] : [`${wireStage} ${node}: ${found.join(", ")}`];
    }),
  );
}

const own = [
  ...["prove-leader", "note-timeline", "prove-timeline", "ignore-slots", "declare-slots", "release-slots"],
  ...["pause-patroni", "resume-patroni", "show-after-failover", "verify-after-failover"],
];

describe("the plan of a move from under Patroni", () => {
  it("has nothing of it where there is none", () => {
    expect(stepsOf(planOf({}), own)).toEqual([]);
  });

  it("lets slots alone before the first is made, keeps them, pauses before the fence, and gives all back", () => {
    expect(stepsOf(planOf(pair()), [...own, "fence-writes", "drop-slots-forward", "forget"])).toEqual([
      "look old: prove-leader",
      "connect/peers old: note-timeline, ignore-slots",
      "subscribe-1/keep old: declare-slots",
      "cut-over/after-failover old: show-after-failover",
      "cut-over/after-failover new: verify-after-failover",
      "cut-over/fence old: pause-patroni, prove-leader, prove-timeline, fence-writes",
      "settle/slots old: release-slots, drop-slots-forward",
      "settle/other-members old2: drop-slots-forward",
      "retire/clear new: forget",
      "retire/clear old: resume-patroni, forget",
      "retire/clear old2: forget",
    ]);
  });

  it("declares nothing that could not be cleared again", () => {
    const plan = planOf({ source: under() });
    expect(stepsOf(plan, ["declare-slots"])).toEqual([]);
    expect(stepsOf(plan, ["ignore-slots", "release-slots"])).toEqual([
      "connect/peers old: ignore-slots",
      "settle/slots old: release-slots",
    ]);
  });

  it("holds the pause longer than the fence, and makes both permanent before the target is opened", () => {
    const plan = planOf(pair());
    const cutOver = plan.stages.find(({ id }) => id === "cut-over");
    const phases = cutOver?.kind === "cluster" ? cutOver.phases : [];
    expect(phases.find(({ id }) => id === "follow")?.makesPermanent).toEqual([
      "cut-over/fence/fence-writes",
      "cut-over/fence/pause-pooler",
      "cut-over/fence/pause-patroni",
    ]);
    const step = (id: string): PlanStep | undefined =>
      phases.flatMap(({ programs }) => programs.flatMap(({ steps }) => steps)).find((each) => each.id === id);
    expect(step("pause-patroni")?.undo?.verb).toBe("postgresql.resume-patroni");
    const [pauseMs = 0, fenceMs = 0] = ["pause-patroni", "fence-writes"].map((id) => step(id)?.holdLimitMs);
    expect(pauseMs - fenceMs).toBeGreaterThanOrEqual(step("pause-patroni")?.deadlineMs ?? 0);
  });

  it("asks its gates of the leader alone", () => {
    const gates = planOf(pair()).stages.flatMap((stage) => ("before" in stage ? stage.before : []));
    const ofSource = gates.filter(({ cluster }) => cluster === "alt");
    expect(ofSource.length).toBeGreaterThan(0);
    expect(new Set(ofSource.map(({ args }) => args["node"]))).toEqual(new Set(["old"]));
  });
});

describe("the way back from under Patroni", () => {
  const plan = planOf(pair());
  const begun = ["export-schema", "ignore-slots", "declare-slots"];
  const back = (node: string, steps: readonly string[] = begun) => ({
    rollout: "r1",
    plan,
    nodes: [{ node, begun: steps, isChanged: false }],
  });
  const made = (sides: Sides, undone: ReturnType<typeof back>) =>
    postgresql.planBack?.(inputOf({ ...sides, to: "15" }), undone);

  it("gives all back, by the plan, even where Patroni says nothing now", () => {
    const silent = { facts: { highAvailability: seen, patroni: unknown } };
    const found = made(pair({}, { source: silent }), back("old"));
    if (found?.ok !== true) throw new Error(found?.failure.code);
    expect(stepsOf(found.value, [...own, "drop-slots-forward", "forget"])).toEqual([
      "clear/forward-clear old: release-slots, drop-slots-forward",
      "clear/other-members old2: drop-slots-forward",
      "clear/source old: resume-patroni, forget",
      "clear/source old2: forget",
      "clear/target new: forget",
    ]);
  });

  it("is refused while another member leads: what was before is written down on the first", () => {
    const found = made(pair(), back("old2"));
    expect(found?.ok === false && found.failure.code).toBe("postgresql.leader-moved");
  });
});
