/** Steps on a host whose server Patroni manages: its slots, its pause, its leader. */
import type { PlanStep } from "../../../domain/plan.ts";
import { call, hour, minute, step } from "../step.ts";
import type { Of } from "./of.ts";

export const proveLeader: PlanStep = step("prove-leader", {}, "patronictl list: this host is the leader");

export const noteTimeline: PlanStep = step(
  "note-timeline",
  {},
  "pg_walfile_name(pg_current_wal_lsn()): the timeline that the rows come from is written down",
  { class: "reversible" },
);

export const proveTimeline: PlanStep = step(
  "prove-timeline",
  {},
  "pg_walfile_name(pg_current_wal_lsn()): no failover since contents were compared",
);

/** Nothing where there was none. */
export function showAfterFailover(databases: readonly string[], withinMs: number): PlanStep {
  return step(
    "show-after-failover",
    { databases: JSON.stringify(databases), withinMs: String(withinMs) },
    "only where the timeline has changed: contents of every table, as in the stage verify; until the new server has compared them",
    { deadlineMs: 2 * withinMs + hour },
  );
}

export function verifyAfterFailover(databases: readonly string[], withinMs: number): PlanStep {
  return step(
    "verify-after-failover",
    { databases: JSON.stringify(databases), withinMs: String(withinMs) },
    "the same, of the same moment, on this side; not one may be left out",
    { deadlineMs: withinMs + hour },
  );
}

export function ignoreSlots(databases: readonly string[]): PlanStep {
  return step(
    "ignore-slots",
    { databases: JSON.stringify(databases) },
    "patronictl edit-config -s ignore_slots=[…, {database, plugin: pgoutput, type: logical, by: lockkeeper_…}]",
    { class: "reversible", undo: call("release-slots") },
  );
}

export function declareSlots(databases: readonly string[]): PlanStep {
  const args = { databases: JSON.stringify(databases), direction: "forward" };
  return step(
    "declare-slots",
    args,
    "patronictl edit-config -s slots.lockkeeper_…={type: logical, database, plugin: pgoutput}: kept over a failover",
    { class: "reversible", undo: call("undeclare-slots", args) },
  );
}

export function releaseSlots(of: Of = {}): PlanStep {
  return step(
    "release-slots",
    { ...of },
    "patronictl edit-config: slots and ignore_slots as they were before this rollout",
    { class: "reversible" },
  );
}

/** Well longer than the fence: it stands before, and until it is gone. */
export function pausePatroni(fenceLimitMs: number): PlanStep {
  return step("pause-patroni", {}, "patronictl pause --wait: no failover while the fence stands", {
    class: "reversible",
    deadlineMs: minute,
    holdLimitMs: fenceLimitMs + 3 * minute,
    undo: call("resume-patroni"),
  });
}

export function resumePatroni(of: Of = {}): PlanStep {
  return step("resume-patroni", { ...of }, "patronictl resume --wait, where this rollout has paused it", {
    class: "reversible",
  });
}
