/** Steps that compare what both servers hold, and carry the sequences over. */
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { hour, minute, step, within } from "../step.ts";

/** With the time that `measure` has behind the fence: that it does not suffice is not found out after days of copying. */
export function countRows(databases: readonly string[], fenceLimitMs: number): PlanStep {
  return step(
    "count-rows",
    { databases: list(databases) },
    "SELECT count(*) of every table, while applications write: as long as it may take behind the fence",
    { deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}

export function showContents(databases: readonly string[], withinMs: number): PlanStep {
  return step(
    "show-contents",
    { databases: list(databases), withinMs: String(withinMs) },
    "LOCK TABLE … IN SHARE MODE for at most 5 s, a mark awaited, a snapshot; then md5 over the rows of each table, smallest first",
    { deadlineMs: withinMs + hour },
  );
}

export function verifyContents(databases: readonly string[], withinMs: number): PlanStep {
  return step(
    "verify-contents",
    { databases: list(databases), withinMs: String(withinMs) },
    "the same, of the same moment, on this side",
    { deadlineMs: withinMs + hour },
  );
}

/** `fenceLimitMs`: whatever counts behind the fence ends before the fence does. */
export function measure(databases: readonly string[], withinMs: number, fenceLimitMs: number): PlanStep {
  return step(
    "measure",
    { databases: list(databases), withinMs: String(withinMs) },
    `every sequence's last_value; SELECT count(*) of every table; md5 over the rows of as many as ${withinMs} ms allow, smallest first`,
    { deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}

export function setSequences(databases: readonly string[]): PlanStep {
  return step("set-sequences", { databases: list(databases) }, "setval(…, last_value, is_called), each", {
    class: "reversible",
  });
}

export function compare(databases: readonly string[], fenceLimitMs: number): PlanStep {
  return step(
    "compare",
    { databases: list(databases) },
    "the same counts, hashes and sequences on this side",
    { deadlineMs: within(10 * minute, fenceLimitMs) },
  );
}

/** Where nobody is left to say how they stood. */
export function advanceSequences(databases: readonly string[]): PlanStep {
  return step(
    "advance-sequences",
    { databases: list(databases) },
    "setval(…, max(column)) of each sequence that a column owns and that is behind it",
    { class: "reversible", deadlineMs: hour },
  );
}
