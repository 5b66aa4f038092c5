/** Steps that take along what replication does not carry, behind the fence. */
import { unreplicatedKinds } from "#proto/engines/postgresql-unreplicated.ts";
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { minute, step, within } from "../step.ts";
import type { Carried } from "../unreplicated.ts";

type Args = readonly [databases: readonly string[], carried: Carried];

const argsOf = (...[databases, { kinds, limitBytes }]: Args) => ({
  databases: list(databases),
  kinds: list(kinds),
  limitBytes: String(limitBytes),
});

const words = { "large-objects": "large objects", unlogged: "rows of unlogged tables" } as const;

/** While nothing is closed yet. */
export function weighUnreplicated(...args: Args): PlanStep {
  const [, { limitBytes }] = args;
  return step(
    "weigh-unreplicated",
    argsOf(...args),
    `where each large object ends, pg_relation_size of each unlogged table: at most ${limitBytes} bytes in all`,
  );
}

/** `fenceLimitMs`: as long as the fence stands, and no longer. */
export function writeUnreplicated(
  databases: readonly string[],
  carried: Carried,
  fenceLimitMs: number,
): PlanStep {
  const left = unreplicatedKinds.filter((kind) => !carried.kinds.includes(kind)).map((kind) => words[kind]);
  const taken = carried.kinds.map((kind) => words[kind]);
  const said = taken.length === 0 ? "" : `pg_dump --data-only of ${taken.join(" and ")}, where there are any`;
  const stays = left.length === 0 ? "" : `NOT carried, as was answered for: ${left.join(" and ")}`;
  return step(
    "write-unreplicated",
    argsOf(databases, carried),
    [said, stays].filter((each) => each !== "").join("; "),
    { deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}

export function loadUnreplicated(databases: readonly string[], fenceLimitMs: number): PlanStep {
  return step(
    "load-unreplicated",
    { databases: list(databases) },
    "lo_unlink(…), DELETE FROM …: what is here of that; then psql with what came",
    { class: "reversible", deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}

export function compareUnreplicated(databases: readonly string[], fenceLimitMs: number): PlanStep {
  return step(
    "compare-unreplicated",
    { databases: list(databases) },
    "the same large objects by oid, owner, rights, comment and md5, the same rows of unlogged tables on this side",
    { deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}

/** Where it was written out, before the other side is opened. */
export function proveUnreplicated(databases: readonly string[], fenceLimitMs: number): PlanStep {
  return step(
    "prove-unreplicated",
    { databases: list(databases) },
    "the same hashes once more: no large object and no unlogged row was written since",
    { deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}
