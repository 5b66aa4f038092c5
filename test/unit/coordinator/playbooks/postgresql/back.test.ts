/** The way back of a move, as a plan: between the servers of the first plan, and no others. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { UndoneNode } from "#coordinator/domain/undone.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf, type Sides } from "./pair.ts";

function planOf(sides: Sides = {}): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

function backFrom(sides: Sides, nodes: readonly UndoneNode[] = []) {
  return postgresql.planBack?.(inputOf({ ...sides, to: "15" }), { rollout: "r1", plan: planOf(), nodes });
}

describe("the way back of a move", () => {
  it.each<[string, Sides, Readonly<Record<string, string>>]>([
    ["new", { target: { server: { systemId: "4711" } } }, { cluster: "neu", node: "new", found: "4711" }],
    ["old", { source: { server: { systemId: "4711" } } }, { cluster: "alt", node: "old", found: "4711" }],
  ])("is refused where another server has taken the place of the %s one", (_, sides, facts) => {
    expect(backFrom(sides)).toMatchObject({
      ok: false,
      failure: { code: "postgresql.server-replaced", facts },
    });
  });

  it("follows on after a try that was given up, before it closes the new server once more", () => {
    const made = backFrom({}, [{ node: "new", begun: ["open-writes"], isChanged: false }]);
    const stage = made?.ok === true ? made.value.stages.find(({ id }) => id === "return") : undefined;
    const phases = stage?.kind === "cluster" ? stage.phases : [];
    const ids = ["align", "pause", "fence", "take-over", "unwritten", "open", "switch", "left"];
    expect(phases.map(({ id }) => id)).toEqual(ids);
    expect(phases[0]?.programs[0]?.steps.at(-1)?.call).toEqual({
      verb: "postgresql.resume-subscriptions",
      args: { databases: '["shop"]', direction: "back", of: "r1" },
    });
    expect(phases[0]?.after.map(({ gate }) => gate)).toEqual([
      "postgresql.caught-up",
      "postgresql.following",
    ]);
    expect(phases[5]?.makesPermanent).toEqual(["return/fence/fence-writes", "return/pause/pause-pooler"]);
  });

  it("begins nothing on a server, in any stage, before it is proven to be the one", () => {
    for (const begun of [[], ["open-writes"]]) {
      const made = backFrom({}, [{ node: "new", begun, isChanged: false }]);
      if (made?.ok !== true) throw new Error(made?.failure.code);
      for (const stage of made.value.stages.filter((each) => each.kind === "cluster"))
        for (const node of ["old", "new"]) {
          const first = stage.phases
            .flatMap(({ programs }) => programs)
            .find((program) => program.node === node)?.steps[0]?.id;
          expect([stage.id, node, first]).toEqual([stage.id, node, "prove-server"]);
        }
    }
  });
});
