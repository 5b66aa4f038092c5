/** What becomes of the old server after a move: nothing without a word of its agent's file, and its data only when a person says so. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf, is, type Sides } from "./pair.ts";

const day = 86_400_000;
const allowed = (data: string | null) => ({
  facts: { oldServer: is({ unit: "postgresql@15-main.service", data }) },
});

function planOf(sides: Sides): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const stageIds = (plan: Plan) => plan.stages.map(({ id }) => id);

function verbsOf(plan: Plan, stage: string): readonly string[] {
  const found = plan.stages.find(({ id }) => id === stage);
  if (found?.kind !== "cluster") return [];
  return found.phases.flatMap(({ programs }) =>
    programs.flatMap(({ steps }) => steps.map(({ call }) => call.verb)),
  );
}

describe("the old server after a move", () => {
  it("stays as it is where its agent may not touch its unit", () => {
    expect(verbsOf(planOf({}), "retire")).not.toContain("postgresql.put-away");
  });

  it("is put away last of all that is done in its retirement, and stays on its disk", () => {
    const plan = planOf({ source: allowed("/data") });
    expect(verbsOf(plan, "retire").at(-1)).toBe("postgresql.put-away");
    expect(stageIds(plan)).not.toContain("remove-old");
  });

  it("loses its data only after some days, a person's answer, and under its lock", () => {
    const entry = { "old-data": "remove", "keep-old": "3d" };
    const plan = planOf({ source: allowed("/data"), entry });
    expect(stageIds(plan).slice(-4)).toEqual(["retire", "keep-old", "remove-old", "finish"]);
    expect(plan.stages.at(-3)).toMatchObject({
      notBeforeMs: 3 * day,
      approval: { mayAnswer: "data-owner" },
    });
    expect(plan.stages.at(-2)).toMatchObject({ kind: "cluster", clusters: ["alt"] });
  });

  it("keeps it where another folder was named than the server's own", () => {
    const made = postgresql.plan(inputOf({ source: allowed("/other"), entry: { "old-data": "remove" } }));
    expect(made).toMatchObject({
      failure: { code: "postgresql.old-data-elsewhere", facts: { named: "/other", found: "/data" } },
    });
  });

  it.each([[allowed(null)], [{}]])("keeps it where nobody has named the folder: %j", (source) => {
    const made = postgresql.plan(inputOf({ source, entry: { "old-data": "remove" } }));
    expect(made).toMatchObject({ ok: false, failure: { code: "postgresql.old-data-not-named" } });
  });
});
