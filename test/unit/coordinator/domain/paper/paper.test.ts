/**
 * Engines to come, on paper: can the types say their plans, and do the rules walk them to their end? A plan that
 * cannot be said here would be found too late.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { GateSpec, Plan, Stage } from "#coordinator/domain/plan.ts";
import { kwdbExportImport } from "./kwdb-export-import.ts";
import { kwdbCompiled, kwdbContainer } from "./kwdb-in-place.ts";
import { opengaussDriver } from "./opengauss.ts";
import { postgresqlLogicalReplication } from "./postgresql.ts";
import { everyStep, programsOf, tableOf } from "./summary.ts";
import { timescaledbExtension } from "./timescaledb.ts";
import { walk } from "./walk.ts";

const plans: Readonly<Record<string, Plan>> = {
  "kwdb-container": kwdbContainer,
  "kwdb-compiled": kwdbCompiled,
  "kwdb-export-import": kwdbExportImport,
  "postgresql-logical-replication": postgresqlLogicalReplication,
  "timescaledb-extension": timescaledbExtension,
  "opengauss-driver": opengaussDriver,
};

describe.each(Object.entries(plans))("%s", (name, plan) => {
  it("is the plan that was agreed on", async () => {
    const text = `${JSON.stringify(plan, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`../../../../fixtures/coordinator/domain/paper/${name}.json`);
  });

  it("is walked to its end: every gate taken, every program sent once, every approval asked", () => {
    const { state, actions } = walk(plan);
    expect(state.end).toBe("done");
    expect(state.lock).toBeUndefined();
    const taken = actions.flatMap((action) => (action.do === "take-gate" ? [action] : []));
    const gates = taken.flatMap(({ gate, when }) => (when === "again" ? [] : [gate]));
    expect(gates).toHaveLength(gatesOf(plan).length);
    const again = taken.flatMap(({ gate, when }) => (when === "again" ? [gate] : []));
    const answered = plan.stages.flatMap((stage) =>
      stage.kind === "wait" && stage.approval !== undefined ? stage.gates : [],
    );
    expect(again).toEqual(answered);
    expect(new Set(gates)).toEqual(new Set(gatesOf(plan)));
    const sent = actions.flatMap((action) => (action.do === "send" ? action.programs : []));
    expect(sent).toEqual(plan.stages.flatMap(programsOf));
    const asked = actions.flatMap((action) => (action.do === "await-approval" ? [action.stage] : []));
    const wanted = plan.stages.flatMap((stage) =>
      stage.kind === "wait" && stage.approval !== undefined ? [stage.id] : [],
    );
    expect(asked).toEqual(wanted);
  });

  it("changes nothing without a lock, and holds none while it waits", () => {
    const { actions } = walk(plan);
    let locked: readonly string[] = [];
    for (const action of actions) {
      if (action.do === "grant") locked = action.clusters;
      if (action.do === "free") locked = [];
      if (action.do === "await-approval") expect(locked).toEqual([]);
      if (action.do !== "send") continue;
      for (const { cluster, steps } of action.programs) {
        const changes = steps.some((step) => step.class !== "observe");
        if (changes) expect(locked).toContain(cluster);
      }
    }
  });

  it("names a point of no return before which nothing irreversible happens to the clusters it claims", () => {
    const { pointOfNoReturn = "" } = plan;
    const places = placesOf(plan);
    const at = places.findIndex(({ place }) => place === pointOfNoReturn);
    expect(at).toBeGreaterThanOrEqual(0);
    const before = places
      .slice(0, at)
      .filter(({ step, cluster }) => step.class === "irreversible" && !isScratch(cluster));
    expect(before).toEqual([]);
  });

  it("gives every hold an undo and more time than its step may take, and makes permanent only what is held", () => {
    const held = placesOf(plan).filter(({ step }) => step.holdLimitMs !== undefined);
    for (const { step } of held) {
      expect(step.undo).toBeDefined();
      expect(step.holdLimitMs).toBeGreaterThan(step.deadlineMs);
    }
    const permanent = plan.stages.flatMap((stage) =>
      stage.kind === "cluster" ? stage.phases.flatMap(({ makesPermanent = [] }) => makesPermanent) : [],
    );
    expect(held.map(({ place }) => place)).toEqual(expect.arrayContaining(permanent));
  });

  it("speaks of claimed clusters only, and of each stage and step once", () => {
    const named = plan.stages.flatMap(programsOf).map(({ cluster }) => cluster);
    expect(plan.clusters).toEqual(expect.arrayContaining(named));
    const stages = plan.stages.map(({ id }) => id);
    expect(new Set(stages).size).toBe(stages.length);
    expect(everyStep(plan).every(({ shownAs }) => shownAs !== "")).toBe(true);
  });
});

it("the table in docs/architecture.md says what these plans say", () => {
  const page = readFileSync(new URL("../../../../../docs/architecture.md", import.meta.url), "utf8");
  const between = page.slice(page.indexOf("<!-- paper:begin -->"), page.indexOf("<!-- paper:end -->"));
  const rows = between
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[\s|-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  expect(rows).toEqual(tableOf(plans));
});

function gatesOf({ stages }: Plan): readonly GateSpec[] {
  return stages.flatMap(gatesOfStage);
}

function gatesOfStage(stage: Stage): readonly GateSpec[] {
  switch (stage.kind) {
    case "preflight":
      return [];
    case "node":
      return [...stage.before, ...stage.after];
    case "cluster":
      return [...stage.before, ...stage.phases.flatMap(({ after }) => after)];
    case "wait":
    case "finish":
      return stage.gates;
  }
}

function placesOf({ stages }: Plan) {
  return stages.flatMap((stage) => {
    const parts =
      stage.kind === "cluster"
        ? stage.phases.map((each) => [`${stage.id}/${each.id}`, each.programs] as const)
        : [[stage.id, programsOf(stage)] as const];
    return parts.flatMap(([path, programs]) =>
      programs.flatMap(({ cluster, steps }) =>
        steps.map((step) => ({ place: `${path}/${step.id}`, cluster, step })),
      ),
    );
  });
}

/** A rehearsal's copy is made to be spoilt. */
function isScratch(cluster: string): boolean {
  return cluster.endsWith("-rehearsal");
}
