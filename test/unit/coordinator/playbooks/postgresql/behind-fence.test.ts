/** When somebody's rows behind the fence are looked for: before a server is opened, and right before the slots go that tell of them. */
import { describe, expect, it } from "vitest";
import type { Plan, PlanProgram } from "#coordinator/domain/plan.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf } from "./pair.ts";
import { throughPglogical } from "./pglogical-cases.ts";

function planOf(sides: Parameters<typeof inputOf>[0]): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

function backFrom(plan: Plan, sides: Parameters<typeof inputOf>[0]): Plan {
  const nodes = [{ node: "new", begun: ["open-writes"], isChanged: false }];
  const made = postgresql.planBack?.(inputOf({ ...sides, to: "15" }), { rollout: "r1", plan, nodes });
  if (made?.ok !== true) throw new Error(made?.failure.code);
  return made.value;
}

function programsIn(
  { stages }: Plan,
  id: string,
): readonly (PlanProgram & { readonly makesPermanent: boolean })[] {
  const stage = stages.find((each) => each.id === id);
  const phases = stage?.kind === "cluster" ? stage.phases : [];
  return phases.flatMap(({ programs, makesPermanent }) =>
    programs.map((each) => ({ ...each, makesPermanent: makesPermanent !== undefined })),
  );
}

const idsOf = (programs: readonly PlanProgram[]) =>
  programs.flatMap(({ node, steps }) => steps.map(({ id }) => `${node} ${id}`));

describe("of a move by the server's own replication", () => {
  const plan = planOf({});

  it("before the new server is opened, when nothing goes there any more and the fence is still a hold", () => {
    const programs = programsIn(plan, "cut-over");
    const before = programs.slice(
      0,
      programs.findIndex(({ makesPermanent }) => makesPermanent),
    );
    expect(idsOf(before).slice(-4)).toEqual([
      "new pause-subscriptions-forward",
      "old prove-unwritten-forward",
      "old prove-unreplicated",
      "new make-slots-back",
    ]);
    const look = programs.flatMap(({ steps }) => steps).find(({ id }) => id === "prove-unwritten-forward");
    const fence = programs.flatMap(({ steps }) => steps).find(({ id }) => id === "fence-writes");
    expect(look?.deadlineMs).toBeLessThanOrEqual((fence?.holdLimitMs ?? 0) / 2);
  });

  it("right before the slots go, by the same program", () => {
    const found = programsIn(plan, "settle").find(({ steps }) =>
      steps.some(({ id }) => /^drop-slots/.test(id)),
    );
    const ids = found?.steps.map(({ id }) => id) ?? [];
    expect(ids.slice(0, 3)).toEqual(["prove-server", "find-rows-left-forward", "drop-slots-forward"]);
  });

  it("on the way back too, of the new server", () => {
    const back = backFrom(plan, {});
    const ids = idsOf(programsIn(back, "return"));
    const order = [
      "old pause-subscriptions-back",
      "new prove-unwritten-back",
      "old open-writes",
      "new find-rows-left-back",
    ];
    expect(ids.filter((id) => order.includes(id))).toEqual(order);
    const looks = programsIn(back, "return")
      .flatMap(({ steps }) => steps)
      .filter(({ id }) => /unwritten|left/.test(id));
    expect(looks.map(({ call }) => call.args["of"])).toEqual(["r1", "r1"]);
  });
});

it("through pglogical nobody looks, but at what no slot tells of, and the plan says so", () => {
  const plan = planOf(throughPglogical());
  const all = [plan, backFrom(plan, throughPglogical())].flatMap(({ stages }) =>
    stages.flatMap((stage) =>
      stage.kind === "cluster" ? stage.phases.flatMap(({ programs }) => idsOf(programs)) : [],
    ),
  );
  expect(all.filter((id) => /unwritten|rows-left/.test(id))).toEqual([]);
  expect(all.filter((id) => /prove-unreplicated/.test(id))).toEqual([
    "old prove-unreplicated",
    "new prove-unreplicated",
  ]);
  expect(plan.warnings).toContain("warning.postgresql.superusers-unseen");
  expect(planOf({}).warnings).not.toContain("warning.postgresql.superusers-unseen");
});
