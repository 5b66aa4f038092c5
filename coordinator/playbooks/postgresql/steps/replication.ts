/** Steps for publications, subscriptions and slots, in both directions. */
import type { PlanStep } from "../../../domain/plan.ts";
import { type Endpoint, hostOf, list } from "../move.ts";
import { call, minute, second, step, within } from "../step.ts";
import { type Of, systemOf, type Way } from "./of.ts";

export function publish(direction: Way, databases: readonly string[]): PlanStep {
  const args = { databases: list(databases), direction };
  return step(`publish-${direction}`, args, "CREATE PUBLICATION lockkeeper_… FOR ALL TABLES", {
    verb: "publish",
    class: "reversible",
    undo: call("unpublish", args),
  });
}

export function unpublish(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `unpublish-${direction}`,
    { databases: list(databases), direction, ...of },
    "DROP PUBLICATION lockkeeper_…",
    { verb: "unpublish", class: "reversible" },
  );
}

export function subscribe(
  direction: Way,
  databases: readonly string[],
  { peer, copy }: { readonly peer: Endpoint; readonly copy: "yes" | "no" },
): PlanStep {
  const args = { databases: list(databases), direction };
  return step(
    `subscribe-${direction}`,
    { ...args, at: peer.address, copy },
    `CREATE SUBSCRIPTION lockkeeper_… CONNECTION '… host=${hostOf(peer.address)}' WITH (copy_data = ${copy === "yes"}, …)`,
    { verb: "subscribe", class: "reversible", undo: call("unsubscribe", args) },
  );
}

export function unsubscribe(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `unsubscribe-${direction}`,
    { databases: list(databases), direction, ...of },
    "ALTER SUBSCRIPTION … DISABLE; SET (slot_name = NONE); DROP SUBSCRIPTION",
    { verb: "unsubscribe", class: "reversible" },
  );
}

export function makeSlots(direction: Way, databases: readonly string[]): PlanStep {
  const args = { databases: list(databases), direction };
  return step(
    `make-slots-${direction}`,
    args,
    "pg_create_logical_replication_slot('lockkeeper_…', 'pgoutput')",
    {
      verb: "make-slots",
      class: "reversible",
      undo: call("drop-slots", args),
    },
  );
}

/** `subscriber`: the other side, where rows were copied to: slots of copies that were cut short bear its identifier. */
export function dropSlots(
  direction: Way,
  databases: readonly string[],
  { of = {}, subscriber }: { readonly of?: Of; readonly subscriber?: Endpoint } = {},
): PlanStep {
  return step(
    `drop-slots-${direction}`,
    { databases: list(databases), direction, ...of, ...systemOf(subscriber) },
    "pg_drop_replication_slot('lockkeeper_…')",
    { verb: "drop-slots", class: "reversible" },
  );
}

export function drain(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `drain-${direction}`,
    { databases: list(databases), direction, ...of },
    "pg_logical_emit_message; wait until every slot's confirmed_flush_lsn has passed it",
    { verb: "drain", deadlineMs: 30 * second },
  );
}

const peeked = "pg_logical_slot_peek_binary_changes('lockkeeper_…', …)";

/** Before the other side is opened. `fenceLimitMs`: a hold stands meanwhile. */
export function proveUnwritten(
  direction: Way,
  databases: readonly string[],
  { fenceLimitMs, of = {} }: { readonly fenceLimitMs: number; readonly of?: Of },
): PlanStep {
  return step(
    `prove-unwritten-${direction}`,
    { databases: list(databases), direction, ...of },
    `${peeked}: no row was written since the stream was drained`,
    { verb: "prove-unwritten", deadlineMs: within(minute, fenceLimitMs) },
  );
}

/** The last look, before the slots go that tell of it. */
export function findRowsLeft(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `find-rows-left-${direction}`,
    { databases: list(databases), direction, ...of },
    `${peeked}: rows that were written behind the fence, and are on this server alone`,
    { verb: "find-rows-left", deadlineMs: 2 * minute, answeredBy: "postgresql.rows-left-behind" },
  );
}

export function pauseSubscriptions(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  const args = { databases: list(databases), direction, ...of };
  return step(`pause-subscriptions-${direction}`, args, "ALTER SUBSCRIPTION … DISABLE", {
    verb: "pause-subscriptions",
    class: "reversible",
    undo: call("resume-subscriptions", args),
  });
}

export function resumeSubscriptions(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `resume-subscriptions-${direction}`,
    { databases: list(databases), direction, ...of },
    "ALTER SUBSCRIPTION … ENABLE",
    { verb: "resume-subscriptions", class: "reversible" },
  );
}
