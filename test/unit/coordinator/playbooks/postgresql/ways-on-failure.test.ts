/** What a plan promises where a stage fails, at night: held against what is there at each point of that stage. */
import { describe, expect, it } from "vitest";
import type { ClusterStage, Plan } from "#coordinator/domain/plan.ts";
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { render } from "#proto/catalogue/render.ts";
import { inPlaceInput } from "./in-place/cluster.ts";
import { inputOf } from "./pair.ts";

const inputs: Readonly<Record<string, PlaybookInput>> = {
  "a move": inputOf({}),
  "an upgrade with copies": inPlaceInput(),
  "an upgrade with links": inPlaceInput({ entry: { "upgrade-mode": "link" } }),
};

function planOf(input: PlaybookInput): Plan {
  const made = postgresql.plan(input);
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

function backOf(input: PlaybookInput, begun: Readonly<Record<string, readonly string[]>>) {
  const plan = planOf(input);
  const nodes = Object.entries(begun).map(([node, steps]) => ({ node, begun: steps, isChanged: false }));
  const wish = { ...input.wish, to: plan.from };
  return postgresql.planBack?.({ ...input, wish }, { rollout: "r1", plan, nodes });
}

interface Point {
  readonly stage: ClusterStage;
  /** Of this stage, in order, the last one has just begun. */
  readonly steps: readonly string[];
  readonly back: string;
}

/** After each step of each stage that changes something: whether a way back can be planned. */
function pointsOf(input: PlaybookInput): readonly Point[] {
  const begun: Record<string, string[]> = {};
  return planOf(input).stages.flatMap((stage) => {
    const steps: string[] = [];
    return programsOf(stage).flatMap(({ program }) =>
      program.steps.flatMap((step) => {
        begun[program.node] = [...(begun[program.node] ?? []), step.id];
        steps.push(step.id);
        if (stage.kind !== "cluster" || step.class === "observe") return [];
        const made = backOf(input, begun);
        return [{ stage, steps: [...steps], back: made?.ok === true ? "open" : (made?.failure.code ?? "") }];
      }),
    );
  });
}

function waysOf(stage: ClusterStage): readonly string[] {
  return stage.waysOnFailure.map((code) => render({ code: code as `way.${string}`, facts: {} }).says);
}

function irreversibleIn(stage: ClusterStage): string | undefined {
  return programsOf(stage)
    .flatMap(({ program }) => program.steps)
    .find((step) => step.class === "irreversible")?.id;
}

describe.each(Object.entries(inputs))("what to do where a stage of %s fails", (_, input) => {
  const clusterStages = planOf(input).stages.filter((stage) => stage.kind === "cluster");

  it("names the step up to which an abort leads back, where it does not do so all the time", () => {
    for (const stage of clusterStages) {
      const step = irreversibleIn(stage);
      for (const way of waysOf(stage).filter((each) => each.includes("lockkeeper abort")))
        if (step !== undefined)
          expect([stage.id, way]).toEqual([stage.id, expect.stringContaining(`until ${step} has begun: `)]);
    }
  });

  it("promises no abort once the new server is open, which it would leave behind", () => {
    const at = clusterStages.findIndex((stage) => irreversibleIn(stage) !== undefined);
    const behind = clusterStages.slice(at + 1).flatMap(waysOf);
    expect(at).toBeGreaterThan(0);
    expect(behind.filter((way) => way.includes("lockkeeper abort") || way.includes("fence"))).toEqual([]);
  });

  it("promises a way back at no point from which none can be planned, and names it where there is one", () => {
    for (const { stage, steps, back } of pointsOf(input)) {
      const ways = waysOf(stage);
      const at = `${stage.id} after ${steps.at(-1)}`;
      if (back !== "open") {
        const toldSince = steps.some((step) =>
          ways.some((way) => way.includes(`Once ${step} has begun nothing leads back`)),
        );
        const isTold =
          toldSince ||
          ways.some((way) => way.includes("nothing leads back but a backup")) ||
          ways.every((way) => !way.includes("--back"));
        expect([at, back, isTold]).toEqual([at, back, true]);
      } else if (!stage.id.startsWith("retire")) {
        const isTold = ways.some((way) => way.includes("plan --back") || way.includes("lockkeeper abort"));
        expect([at, isTold]).toEqual([at, true]);
      }
    }
  });
});

it("at the way back's own cut-over an abort lets the new server go on, and not the old one", () => {
  const back = backOf(inputOf({ to: "18" }), { new: ["open-writes"] });
  const stage = back?.ok === true ? back.value.stages.find(({ id }) => id === "return") : undefined;
  const ways = stage?.kind === "cluster" ? waysOf(stage) : [];
  expect(ways[1]).toMatch(
    /^until open-writes has begun: lockkeeper abort ROLLOUT, .* the new server goes on$/,
  );
  expect(ways[2]).toMatch(/undoes nothing/);
});
