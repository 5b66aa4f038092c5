/** A rollout in which a person has a node skipped can end well, and says at its end what it has left behind. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { Action } from "#coordinator/domain/rollout/action.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { type Walk, walk } from "../../domain/paper/walk.ts";
import { factsOf, inputOf } from "./cluster.ts";

function planOf(changed: Parameters<typeof inputOf>[0] = {}): Plan {
  const made = planUpgrade(inputOf(changed));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const skip = (plan: Plan, ...nodes: readonly string[]): Walk =>
  walk(
    plan,
    nodes.map((node) => ({ kind: "skipped", node, by: "op", reason: "new hardware" }) as const),
  );

function lastOf<Do extends Action["do"]>({ actions }: Walk, name: Do): Extract<Action, { do: Do }> {
  const found = actions.findLast((action) => action.do === name);
  if (found === undefined) throw new Error(`never: ${name}`);
  return found as Extract<Action, { do: Do }>;
}

describe("a KWDB rollout with a skipped node", () => {
  it("is asked at its end for the old version there, and only there", () => {
    const { args } = lastOf(skip(planOf(), "db2"), "take-gate").gate;
    expect(args).toEqual({ versions: "3.0.1", nodes: "3", "versions@10.0.0.2:26257": "3.0.0,3.0.1" });
  });

  it("is asked at its end for the new version everywhere where nobody was skipped", () => {
    expect(lastOf(skip(planOf()), "take-gate").gate.args).toEqual({ versions: "3.0.1", nodes: "3" });
  });

  it("expects of each skipped node the version that it ran", () => {
    const plan = planOf({ from: "3.0.1", to: "3.0.2", facts: { db3: factsOf("db3", "3.0.0") } });
    const { args } = lastOf(skip(plan, "db2", "db3"), "take-gate").gate;
    expect(args).toMatchObject({
      "versions@10.0.0.2:26257": "3.0.1,3.0.2",
      "versions@10.0.0.3:26257": "3.0.0,3.0.2",
    });
    expect(skip(plan, "db2", "db3").state.notSeen.map(({ facts }) => [facts["node"], facts["from"]])).toEqual(
      [
        ["db2", "3.0.1"],
        ["db3", "3.0.0"],
      ],
    );
  });

  it("runs nothing on the skipped node, and ends", () => {
    const walked = skip(planOf(), "db2");
    const sent = walked.actions.flatMap((action) => (action.do === "send" ? action.programs : []));
    expect(new Set(sent.map(({ node }) => node))).toEqual(new Set(["db1", "db3"]));
    expect(walked.state.end).toBe("done");
  });

  it("says at its end which node is left at which version, and what was not looked at there", () => {
    const left = (node: string, steps: string) => ({
      code: "rollout.node-left-behind",
      facts: { node, from: "3.0.0", to: "3.0.1", steps },
    });
    expect(skip(planOf(), "db2").state.notSeen).toEqual([left("db2", "prove-version")]);
    expect(skip(planOf(), "db1").state.notSeen).toEqual([left("db1", "prove-version, report-jobs")]);
    expect(skip(planOf()).state.notSeen).toEqual([]);
  });
});
