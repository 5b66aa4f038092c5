/** Triggers that fire during replication: which side has them quiet while it follows, and where they come back on every way out. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { planBack } from "#coordinator/playbooks/postgresql/back.ts";
import { planMove } from "#coordinator/playbooks/postgresql/plan.ts";
import { inputOf, type Sides } from "./pair.ts";
import { throughPglogical } from "./pglogical-cases.ts";

const telling = [
  "quiet-triggers",
  "subscribe-back",
  "unsubscribe-back",
  "wake-triggers",
  "unfence-writes",
  "open-writes",
  "forget",
];

/** Of the old server, in their order. */
function stepsOf({ stages }: Plan, ...ids: readonly string[]): readonly string[] {
  return stages
    .flatMap((stage) => (stage.kind === "cluster" && ids.includes(stage.id) ? stage.phases : []))
    .flatMap(({ programs }) => programs.filter(({ node }) => node === "old"))
    .flatMap(({ steps }) => steps.map(({ id }) => id))
    .filter((id) => telling.includes(id));
}

function planOf(sides: Sides): Plan {
  const made = planMove(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

function backOf(sides: Sides, begun: readonly string[]): Plan {
  const input = inputOf(sides);
  const undone = { rollout: "r1", plan: planOf(sides), nodes: [{ node: "new", begun }] };
  const back = planBack(
    { ...input, wish: { ...input.wish, to: "15" } },
    undone as unknown as Parameters<typeof planBack>[1],
  );
  if (!back.ok) throw new Error(back.failure.code);
  return back.value;
}

describe.each([
  ["logical replication", { to: "18" }],
  ["pglogical", throughPglogical()],
])("triggers of the old server that fire during replication, in a move by %s", (_, sides: Sides) => {
  it("are quiet before it follows", () => {
    expect(stepsOf(planOf(sides), "cut-over")).toEqual(["quiet-triggers", "subscribe-back"]);
  });

  it("of the new one are quiet again where an abort comes before it is open: it follows on", () => {
    const cutOver = planOf(sides).stages.find(({ id }) => id === "cut-over");
    const open = cutOver?.kind === "cluster" ? cutOver.phases.find(({ id }) => id === "open") : undefined;
    const [wake, ...others] =
      open?.programs.flatMap(({ node, steps }) => (node === "new" ? steps : [])) ?? [];
    expect(wake).toMatchObject({
      id: "wake-triggers",
      undo: { verb: "postgresql.quiet-triggers", args: { databases: '["shop"]' } },
    });
    expect(others.map(({ id, class: stepClass }) => [id, stepClass])).toEqual([
      ["open-writes", "irreversible"],
    ]);
  });

  it("are as before when it no longer follows", () => {
    expect(stepsOf(planOf(sides), "retire")).toEqual(["unsubscribe-back", "wake-triggers", "forget"]);
  });

  it("are as before when it is opened again without the new one ever having been", () => {
    expect(stepsOf(backOf(sides, []), "return", "clear")).toEqual([
      "unsubscribe-back",
      "wake-triggers",
      "unfence-writes",
      "forget",
    ]);
  });

  it("are as before when it is opened with the rows of the new one", () => {
    expect(stepsOf(backOf(sides, ["open-writes"]), "return")).toEqual(["wake-triggers", "open-writes"]);
  });
});
