/** Steps for roles, schema and identities: what goes over beside the rows, and how it goes again. */
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { call, hour, minute, second, step } from "../step.ts";
import type { Of } from "./of.ts";

export function fixIdentities(databases: readonly string[]): PlanStep {
  const args = { databases: list(databases) };
  return step(
    "fix-identities",
    args,
    "ALTER TABLE … REPLICA IDENTITY USING INDEX … | FULL, for each table without a key; what was is written down first",
    { class: "reversible", deadlineMs: hour, undo: call("restore-identities", args) },
  );
}

export function exportSchema(databases: readonly string[]): PlanStep {
  return step(
    "export-schema",
    { databases: list(databases) },
    "pg_dumpall --roles-only; pg_dump -Fc --schema-only of each database",
    { deadlineMs: hour },
  );
}

export const loadRoles: PlanStep = step("load-roles", {}, "CREATE ROLE … of those that are not there", {
  class: "reversible",
  undo: call("drop-roles"),
});

export function loadSchema(database: string, index: number): PlanStep {
  return step(
    `load-schema-${index + 1}`,
    { database },
    `pg_restore --create: tables, keys and identities of ${database}; no other index, no foreign key, no trigger yet`,
    { verb: "load-schema", class: "reversible", deadlineMs: hour, undo: call("drop-loaded", { database }) },
  );
}

export function finishSchema(database: string, index: number): PlanStep {
  return step(
    `finish-schema-${index + 1}`,
    { database },
    `pg_restore: other indexes, foreign keys and triggers of ${database}; those that fire during replication stay disabled`,
    { verb: "finish-schema", class: "reversible", deadlineMs: 24 * hour },
  );
}

/** `there`: all that the old server had when it was planned. */
export function proveDatabases(there: readonly string[]): PlanStep {
  return step(
    "prove-databases",
    { databases: list(there) },
    "SELECT datname FROM pg_database: none has come since that nobody carries over",
  );
}

/** As `fixIdentities`, while rows are followed already. */
export function giveIdentities(databases: readonly string[]): PlanStep {
  return step(
    "give-identities",
    { databases: list(databases) },
    "ALTER TABLE … REPLICA IDENTITY USING INDEX … | FULL, for each table that came without a key",
    { class: "reversible", deadlineMs: hour },
  );
}

export function tellTables(databases: readonly string[]): PlanStep {
  return step("tell-tables", { databases: list(databases) }, "the tables that are on the new server");
}

export function describeTables(databases: readonly string[]): PlanStep {
  return step(
    "describe-tables",
    { databases: list(databases) },
    "tables, columns, keys; pg_dump -Fc --schema-only -t … of those that the new server has not",
    { deadlineMs: hour },
  );
}

export function mendTables(databases: readonly string[]): PlanStep {
  return step(
    "mend-tables",
    { databases: list(databases) },
    "pg_restore of tables that are missing; ALTER TABLE … ADD COLUMN …; keys that are missing; ALTER SUBSCRIPTION … REFRESH PUBLICATION where tables came",
    { class: "reversible", deadlineMs: hour },
  );
}

export function seeApplying(databases: readonly string[]): PlanStep {
  return step(
    "see-applying",
    { databases: list(databases) },
    "pg_stat_subscription: a worker applies rows again",
    { deadlineMs: 30 * second },
  );
}

/** What was written before a column came is on the other side. */
export function drainLate(databases: readonly string[]): PlanStep {
  return step(
    "drain-late",
    { databases: list(databases) },
    "only where columns came late: pg_logical_emit_message; wait until every slot's confirmed_flush_lsn has passed it",
    { deadlineMs: minute },
  );
}

/** After `drainLate`, with what the old server has told last. */
export function settleColumns(databases: readonly string[]): PlanStep {
  return step(
    "settle-columns",
    { databases: list(databases) },
    "only where columns came late: ALTER TABLE … ALTER COLUMN … SET DEFAULT | DROP DEFAULT, SET NOT NULL, as on the old server",
    { class: "reversible", deadlineMs: hour },
  );
}

export function describeSchema(databases: readonly string[]): PlanStep {
  return step(
    "describe-schema",
    { databases: list(databases) },
    "tables, columns, indexes, constraints, triggers, functions, types: as the catalogues name them",
  );
}

export function compareSchema(databases: readonly string[]): PlanStep {
  return step("compare-schema", { databases: list(databases) }, "the same names and types on this side");
}

/** Of the side that follows: what they write comes with the rows of the other one. */
export function quietTriggers(databases: readonly string[]): PlanStep {
  const args = { databases: list(databases) };
  return step(
    "quiet-triggers",
    args,
    "ALTER TABLE … DISABLE TRIGGER …, each that is ENABLE ALWAYS | REPLICA; what was is written down first",
    { class: "reversible", undo: call("wake-triggers", args) },
  );
}

export function wakeTriggers(databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    "wake-triggers",
    { databases: list(databases), ...of },
    "ALTER TABLE … ENABLE ALWAYS | REPLICA TRIGGER …, as it was",
    { class: "reversible" },
  );
}

/** Of the server that is opened next: an abort before that leaves it following, and what it follows with must be quiet again. */
export function wakeTriggersToOpen(databases: readonly string[]): PlanStep {
  return { ...wakeTriggers(databases), undo: call("quiet-triggers", { databases: list(databases) }) };
}

export function refreshViews(databases: readonly string[]): PlanStep {
  return step("refresh-views", { databases: list(databases) }, "REFRESH MATERIALIZED VIEW, each", {
    class: "reversible",
    deadlineMs: 24 * hour,
  });
}

export function analyze(databases: readonly string[]): PlanStep {
  return step("analyze", { databases: list(databases) }, "ANALYZE, in each database", {
    deadlineMs: 24 * hour,
  });
}

export function restoreIdentities(databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    "restore-identities",
    { databases: list(databases), ...of },
    "ALTER TABLE … REPLICA IDENTITY as it was",
    { class: "reversible", deadlineMs: hour },
  );
}

export function dropLoaded(database: string, index: number, of: Of): PlanStep {
  return step(
    `drop-loaded-${index + 1}`,
    { database, ...of },
    `DROP DATABASE ${database} on the new server, where this rollout has made it`,
    { verb: "drop-loaded", class: "reversible" },
  );
}

export function dropRoles(of: Of): PlanStep {
  return step("drop-roles", { ...of }, "DROP ROLE of those that this rollout has made", {
    class: "reversible",
  });
}
