/** What a way back takes from the plan of the rollout that it goes back from: which servers, and which databases. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { UnreplicatedKind } from "#proto/engines/postgresql-unreplicated.ts";
import type { Plan, PlanProgram, PlanStep } from "../../domain/plan.ts";
import { programsOf } from "../../domain/stage-programs.ts";
import type { Undone } from "../../domain/undone.ts";
import type { Endpoint } from "./move.ts";

/** By the first plan's own proof: what stands at that address today may be a server that was made since. */
export function replacedOf(
  { input: { cluster }, node, systemId: found }: Endpoint,
  back: Undone,
): Outcome<undefined> {
  const expected = provenIn(back.plan, cluster.name)?.systemId;
  if (expected === undefined || expected === found) return succeed(undefined);
  return fail("postgresql.server-replaced", {
    cluster: cluster.name,
    node,
    rollout: back.rollout,
    found,
    expected,
  });
}

/** As the first plan had them: a database that came later is none of its business. */
export function databasesIn(plan: Plan, cluster: string): readonly string[] | undefined {
  const exported = stepsIn(plan, cluster).find(({ call }) => call.verb === "postgresql.export-schema");
  return exported && (JSON.parse(exported.call.args["databases"] ?? "[]") as string[]);
}

/**
 * Of what replication does not carry, what the first plan has taken along: of the rest the old server has its own still, and nothing may
 * come in its place.
 */
export function kindsIn(plan: Plan, cluster: string): readonly UnreplicatedKind[] {
  const written = stepsIn(plan, cluster).find(({ call }) => call.verb === "postgresql.write-unreplicated");
  return written === undefined ? [] : (JSON.parse(written.call.args["kinds"] ?? "[]") as UnreplicatedKind[]);
}

/** The server of that cluster, as the plan's own programs prove it. */
export function provenIn(
  { stages }: Plan,
  cluster: string,
): { readonly node: string; readonly systemId: string } | undefined {
  for (const { node, steps } of programsIn({ stages }, cluster))
    for (const { call } of steps)
      if (call.verb === "postgresql.prove-server") return { node, systemId: call.args["systemId"] ?? "" };
  return undefined;
}

function stepsIn(plan: Plan, cluster: string): readonly PlanStep[] {
  return programsIn(plan, cluster).flatMap(({ steps }) => steps);
}

function programsIn({ stages }: Pick<Plan, "stages">, cluster: string): readonly PlanProgram[] {
  const programs = stages.flatMap(programsOf).map(({ program }) => program);
  return programs.filter((program) => program.cluster === cluster);
}
