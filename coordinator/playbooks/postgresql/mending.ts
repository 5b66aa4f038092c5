/**
 * What comes on the old server while the new one follows: tables, columns and keys are made on the new one too, by a stage that the
 * waits have run again, and tables that cannot be found by their rows are given an identity at once, where they are.
 */
import type { ClusterStage, GateSpec, Mending, Phase, PlanStep, WaitStage } from "../../domain/plan.ts";
import { type Move, on, phase, proveServer, stage } from "./move.ts";
import { minute } from "./step.ts";
import * as steps from "./steps.ts";
import { identityWatch } from "./watches.ts";

const mender = "mend-schema";

/** Of a mover whose tables are named one by one nothing is mended: what it says stops the rollout. */
export function mendedBy({ mover }: Move): { readonly mendedBy?: Mending } {
  if (!mover.publishesAll) return {};
  const codes = ["table-missing", "column-missing", "identity-missing"].map((code) => `postgresql.${code}`);
  return { mendedBy: { stage: mender, codes, most: 20 } };
}

/** In the ordinary course too: what came between the dump of the schema and the first subscription. */
export function mendSchema(move: Move): readonly ClusterStage[] {
  const phases = mendPhases(move);
  return phases.length === 0 ? [] : [stage(move, mender, phases, { dwellMs: 0 })];
}

export function mendPhases(
  { source, target, databases, mover }: Move,
  after: readonly GateSpec[] = [],
): readonly Phase[] {
  if (!mover.publishesAll) return [];
  return [
    phase("tell", [on(target, proveServer(target), steps.tellTables(databases))]),
    phase("describe", [
      on(source, proveServer(source), steps.giveIdentities(databases), steps.describeTables(databases)),
    ]),
    phase("mend", [on(target, steps.mendTables(databases), steps.seeApplying(databases))], { after }),
  ];
}

/** Until then a column that was added has what the rows need that were written without it. */
export function drainLate({ databases, mover }: Move): readonly PlanStep[] {
  return mover.publishesAll ? [steps.drainLate(databases)] : [];
}

export function settleColumns({ databases, mover }: Move): readonly PlanStep[] {
  return mover.publishesAll ? [steps.settleColumns(databases)] : [];
}

/** Before anything is published, and until the new server is open. */
export function guard({ source, databases, mover }: Move): readonly WaitStage[] {
  if (!mover.publishesAll) return [];
  const watch = { ...identityWatch("identities", source, databases), until: "opened" };
  return [{ kind: "wait", id: "guard", gates: [], watches: [watch], limitMs: minute }];
}
