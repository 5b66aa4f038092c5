import { describe, expect, it } from "vitest";
import type { Plan, PlanStep } from "#coordinator/domain/plan.ts";
import { planBack } from "#coordinator/playbooks/postgresql/back.ts";
import { checkMove } from "#coordinator/playbooks/postgresql/checks.ts";
import { planMove } from "#coordinator/playbooks/postgresql/plan.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf, type Sides } from "./pair.ts";
import { throughPglogical } from "./pglogical-cases.ts";

function planOf(sides: Sides): Plan {
  const planned = planMove(inputOf(sides));
  if (!planned.ok) throw new Error(planned.failure.code);
  return planned.value;
}

function stepsOf({ stages }: Plan): readonly (PlanStep & { readonly node: string; readonly at: string })[] {
  return stages.flatMap((stage) => {
    if (stage.kind === "wait" || stage.kind === "node") return [];
    const programs =
      stage.kind === "cluster" ? stage.phases.flatMap((each) => each.programs) : stage.programs;
    return programs.flatMap(({ node, steps }) => steps.map((each) => ({ ...each, node, at: stage.id })));
  });
}

const verbsOf = (plan: Plan) =>
  new Set(stepsOf(plan).map(({ call }) => call.verb.replace("postgresql.", "")));
const native = ["publish", "unpublish", "subscribe", "unsubscribe", "make-slots", "pause-subscriptions"];

describe("a move through pglogical", () => {
  const plan = planOf(throughPglogical());

  it("has the same stages but those that mend what comes late, and no step of the other mover", () => {
    const other = planOf(throughPglogicalAs("logical-replication"));
    const mends = ["guard", "mend-schema"];
    const others = other.stages.map(({ id }) => id).filter((id) => !mends.includes(id));
    expect(plan.stages.map(({ id }) => id)).toEqual(others);
    const mended = ({ stages }: Plan) =>
      stages.flatMap((stage) => (stage.kind === "wait" && stage.mendedBy ? [stage.id] : []));
    expect(mended(plan)).toEqual([]);
    expect(mended(other)).toEqual(["copy-1", "ready"]);
    expect(plan.method).toBe("pglogical");
    expect(native.filter((verb) => verbsOf(plan).has(verb))).toEqual([]);
    expect([...verbsOf(other)].filter((verb) => verb.startsWith("pglogical"))).toEqual([]);
    expect(native.filter((verb) => !verbsOf(other).has(verb))).toEqual([]);
  });

  it("finds nothing to say against two servers that are ready", () => {
    const results = checkMove(inputOf(throughPglogical()));
    expect(results.filter(({ status }) => status !== "ok")).toEqual([]);
  });

  const made: readonly (readonly [made: string, gone: string])[] = [
    ["trust-plugin", "distrust-plugin"],
    ["make-node", "drop-node"],
    ["publish", "unpublish"],
    ["subscribe", "unsubscribe"],
  ];

  it.each(made)("takes away on each side what it has made there: %s", (verb, gone) => {
    const on = (what: string) =>
      stepsOf(plan)
        .filter(({ call }) => call.verb === `postgresql.pglogical-${what}`)
        .map(({ node, call }) => `${node} ${call.args["direction"] ?? ""}`)
        .sort();
    expect(on(verb)).toHaveLength(2);
    expect(on(gone)).toEqual(on(verb));
  });

  it("stops the way forth before the way back can begin, and keeps every row of the new server before it opens", () => {
    const steps = stepsOf(plan)
      .filter(({ at }) => at === "cut-over")
      .map(({ id }) => id);
    const order = ["pause-subscriptions-forward", "make-slots-back", "subscribe-back", "open-writes"];
    expect(steps.filter((id) => order.includes(id))).toEqual(order);
  });

  it("goes back by the same means, and leaves as little", () => {
    const input = inputOf(throughPglogical());
    const wish = { ...input.wish, to: "15" };
    const undone = { rollout: "r1", plan, nodes: [] };
    const back = planBack({ ...input, wish }, undone);
    if (!back.ok) throw new Error(back.failure.code);
    expect(back.value.method).toBe("pglogical");
    expect(native.filter((verb) => verbsOf(back.value).has(verb))).toEqual([]);
    for (const [, gone] of made) {
      const steps = stepsOf(back.value).filter(({ call }) => call.verb === `postgresql.pglogical-${gone}`);
      expect(steps.map(({ node }) => node).sort()).toEqual(["new", "old"]);
      expect(steps.every(({ call }) => call.args["of"] === "r1")).toBe(true);
    }
  });

  it("is a way to choose where both servers have it, and never the one that is taken unasked", () => {
    const methods = (sides: Sides) =>
      postgresql.ways?.(inputOf(sides)).map(({ method, isDefault }) => `${method} ${isDefault}`);
    expect(methods(throughPglogical())).toEqual(["logical-replication true", "pglogical false"]);
    expect(methods({ to: "18" })).toEqual(["logical-replication true"]);
  });

  it("is refused by another name", () => {
    const planned = planMove(inputOf({ method: "bucardo" }));
    expect(planned.ok ? "" : planned.failure.code).toBe("postgresql.move-strategy");
  });
});

function throughPglogicalAs(method: string): Sides {
  return { ...throughPglogical(), method };
}
