/** The way back of a move where one of its two servers is gone for good. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { inputOf, type Sides } from "./pair.ts";

function planOf(): Plan {
  const made = postgresql.plan(inputOf({}));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

/** With the old or the new server alone, after these steps. */
function back(left: "old" | "new", begun: readonly string[], sides: Sides = {}) {
  const input = inputOf(sides);
  const { into, ...old } = input;
  const alone = left === "old" ? old : { ...old, ...into };
  const undone = { rollout: "r1", plan: planOf(), nodes: [{ node: "new", begun, isChanged: false }] };
  return postgresql.planBack?.({ ...alone, wish: { to: "15", back: undone } } as typeof input, undone);
}

function outline(plan: Plan): readonly string[] {
  return plan.stages.flatMap((stage) =>
    programsOf(stage).map(
      ({ wireStage, program: { node, steps } }) =>
        `${wireStage} ${node}: ${steps.map(({ id }) => id).join(" ")}`,
    ),
  );
}

describe("a way back with one server alone", () => {
  it("clears the old one, and opens it, before anybody was let into the new one", () => {
    const made = back("old", ["load-schema-1"]);
    if (made?.ok !== true) throw new Error(made?.failure.code);
    expect(made.value.clusters).toEqual(["alt"]);
    expect(made.value.asks).toEqual(["postgresql.other-gone"]);
    expect(outline(made.value).every((line) => / old: prove-server|drop-password/.test(line))).toBe(true);
    const all = outline(made.value).join("\n");
    for (const step of ["drop-slots-forward", "unfence-writes", "restore-identities", "scan-left-overs"])
      expect(all).toContain(step);
    expect(all).not.toContain("drop-loaded");
  });

  it("opens the old one after the cut-over only with its sequences set forth, and asks for the rows that are lost", () => {
    const made = back("old", ["open-writes"]);
    if (made?.ok !== true) throw new Error(made?.failure.code);
    expect(made.value.asks).toEqual(["postgresql.other-gone", "postgresql.rows-not-come"]);
    expect(outline(made.value).filter((line) => line.startsWith("take-up"))).toEqual([
      "take-up/end old: prove-server unsubscribe-back advance-sequences",
      "take-up/open old: wake-triggers open-writes",
      "take-up/switch old: switch-traffic-back resume-pooler",
    ]);
    expect(made.value.pointOfNoReturn).toBe("take-up/open/open-writes");
    for (const id of made.value.asks) expect(en[`check.${id}.unknown`]?.next).toBeDefined();
  });

  it("clears the new one, which serves on, where the old one is gone after the cut-over", () => {
    const made = back("new", ["open-writes"]);
    if (made?.ok !== true) throw new Error(made?.failure.code);
    expect(made.value.clusters).toEqual(["neu"]);
    const all = outline(made.value).join("\n");
    for (const step of ["drop-slots-back", "unpublish-back", "dismiss-peer-back", "scan-left-overs"])
      expect(all).toContain(step);
    for (const step of ["drop-loaded", " fence-writes", " old:"]) expect(all).not.toContain(step);
  });

  it("opens the new one where the old one went while that was begun: both are closed then", () => {
    const made = back("new", ["open-writes"]);
    if (made?.ok !== true) throw new Error(made?.failure.code);
    const lines = outline(made.value);
    expect(lines).toContain("open/open new: prove-server wake-triggers unfence-writes");
    const forgets = lines.findIndex((line) => line.includes("forget"));
    expect(lines.findIndex((line) => line.startsWith("open/open"))).toBeLessThan(forgets);
    const stage = made.value.stages.find(({ id }) => id === "open");
    expect(stage?.kind === "cluster" && stage.phases[0]?.after).toMatchObject([
      { gate: "postgresql.opened" },
    ]);
  });

  it("opens the old one by the databases of the move: its retirement may have forgotten what stood before", () => {
    const made = back("old", ["open-writes", "unsubscribe-back", "forget"]);
    if (made?.ok !== true) throw new Error(made?.failure.code);
    const opens = made.value.stages
      .flatMap((stage) => programsOf(stage))
      .flatMap(({ program }) => program.steps)
      .filter(({ id }) => id === "open-writes");
    expect(opens.map(({ call }) => call.args)).toMatchObject([
      { of: "r1", databases: expect.stringContaining("[") },
    ]);
  });

  it("clears the new one also where the old one went in the middle of its retirement", () => {
    const made = back("new", ["open-writes", "unsubscribe-back"]);
    expect(made?.ok && outline(made.value).join("\n")).toContain("drop-slots-back");
  });

  it.each([
    ["postgresql.back-old-gone", "new", ["load-schema-1"], {}],
    ["postgresql.server-replaced", "old", ["open-writes"], { source: { server: { systemId: "4711" } } }],
  ] as const)("is refused: %s", (code, left, begun, sides) => {
    expect(back(left, begun, sides)).toMatchObject({ ok: false, failure: { code } });
  });
});
