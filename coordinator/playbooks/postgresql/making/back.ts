/** The way back: the server that was made is stopped, and its folders are given back as they were. Never once it holds something. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { Plan } from "../../../domain/plan.ts";
import { planFormat } from "../../../domain/plan.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { programsOf } from "../../../domain/stage-programs.ts";
import type { Undone } from "../../../domain/undone.ts";
import { fullOf } from "../facts.ts";
import { on, phase } from "../move.ts";
import { packagesUnmade } from "../packages/made.ts";
import { result } from "../result.ts";
import { otherCluster } from "../sides.ts";
import { fingerprintMaking } from "./fingerprint.ts";
import { makingMethod } from "./making.ts";
import * as steps from "./steps.ts";

/** Refused: `postgresql.made-server-used`, where somebody's database is on it; `postgresql.server-unknown`. */
export function planBackMaking(input: PlaybookInput, { rollout, plan }: Undone): Outcome<Plan> {
  const young = otherCluster(input);
  const place = placeIn(plan);
  if (young === undefined || place === undefined)
    return fail("postgresql.server-unknown", { cluster: input.cluster.name });
  const { node, data, config, unit } = place;
  const found = usedOn(young, node);
  if (found.length > 0) return fail("postgresql.made-server-used", { data, found: found.join(", ") });
  const of = { of: rollout };
  const target = { input: young, node };
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    clusters: [input.cluster.name, young.cluster.name],
    from: plan.to,
    to: plan.from,
    strategy: "move",
    method: makingMethod,
    back: rollout,
    boundTo: fingerprintMaking(input),
    stages: [
      { kind: "preflight", id: "look", programs: [on(target, steps.proveUnused(of))] },
      {
        kind: "cluster",
        id: "remove",
        clusters: [young.cluster.name],
        before: [],
        phases: [
          phase("give-back", [
            on(
              target,
              steps.stopMade(unit, of),
              steps.giveBack("tablespaces", "the tablespaces' folders", of),
              steps.giveBack("configuration", config, of),
              steps.giveBack("data", data, of),
              ...packagesUnmade(plan, of),
            ),
          ]),
        ],
        waysOnFailure: ["way.postgresql.again"],
      },
      { kind: "finish", id: "finish", programs: [], gates: [] },
    ],
    checks: [result({ id: "back" }, "ok", { rollout, opened: "no" })],
    asks: [],
    wayBack: ["way-back.postgresql.made-again"],
    warnings: [],
  });
}

/** By the server's own word, where it answers; its agent looks into the files in any case. */
function usedOn({ reports }: PlaybookInput, node: string): readonly string[] {
  const all = known(fullOf(reports[node])?.databases) ?? [];
  return all
    .filter(({ name, userTables }) => name !== "postgres" || userTables > 0)
    .map(({ name }) => `database ${name}`);
}

/** As its own plan has them: the agent's file may have another word by now. */
function placeIn({ stages, boundTo }: Plan) {
  const programs = stages.flatMap((stage) => programsOf(stage).map(({ program }) => program));
  const node = programs.find((each) => each.steps.some(({ id }) => id === "make-data"))?.node;
  const found = /^\S+ (\S+) (\S+) (\S+) \d+$/.exec(boundTo[`node.${node}.made`] ?? "");
  if (node === undefined || found === null) return undefined;
  const [, data = "", config = "", unit = ""] = found;
  return { node, data, config, unit };
}
