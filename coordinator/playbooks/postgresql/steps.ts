/** The steps of a move, with the statement that a person would type for each. */
import type { PlanStep } from "../../domain/plan.ts";
import { hostOf, list, type Side } from "./move.ts";
import { call, hour, minute, second, step } from "./step.ts";

type Way = "forward" | "back";

/** `of`: the rollout whose objects are meant; absent: the plan's own. */
export type Of = { readonly of: string } | Readonly<Record<string, never>>;

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

/** The new server, until it is opened. */
export function close(id: "close" | "close-loaded"): PlanStep {
  return step(id, {}, "CONNECTION LIMIT 0, default_transaction_read_only = on, sessions of clients ended", {
    verb: "fence-writes",
    class: "reversible",
    deadlineMs: minute,
    ...(id === "close" ? { undo: call("unfence-writes") } : {}),
  });
}

export function makePassword(direction: Way): PlanStep {
  return step(
    `make-password-${direction}`,
    { direction },
    "a new password in a file of the server's account, 0600; its verifier goes to the other side",
    { verb: "make-password", class: "reversible", undo: call("drop-password", { direction }) },
  );
}

export function admitPeer(direction: Way, databases: readonly string[], peer: Side): PlanStep {
  const args = { direction, databases: list(databases) };
  const from = hostOf(peer.address);
  return step(
    `admit-peer-${direction}`,
    { ...args, from },
    `CREATE ROLE lockkeeper_… LOGIN REPLICATION; pg_hba.conf: host all lockkeeper_… ${from} scram-sha-256; reload`,
    { verb: "admit-peer", class: "reversible", undo: call("dismiss-peer", args) },
  );
}

export function proveReach(direction: Way, databases: readonly string[], peer: Side): PlanStep {
  return step(
    `prove-reach-${direction}`,
    { direction, databases: list(databases), at: peer.address },
    `psql -h ${hostOf(peer.address)} -U lockkeeper_… into each database`,
    { verb: "prove-reach" },
  );
}

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
  { peer, copy }: { readonly peer: Side; readonly copy: "yes" | "no" },
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
  { of = {}, subscriber }: { readonly of?: Of; readonly subscriber?: Side } = {},
): PlanStep {
  return step(
    `drop-slots-${direction}`,
    { databases: list(databases), direction, ...of, ...systemOf(subscriber) },
    "pg_drop_replication_slot('lockkeeper_…')",
    { verb: "drop-slots", class: "reversible" },
  );
}

export function dismissPeer(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `dismiss-peer-${direction}`,
    { direction, databases: list(databases), ...of },
    "DROP ROLE lockkeeper_…; its line out of pg_hba.conf; reload",
    { verb: "dismiss-peer", class: "reversible" },
  );
}

export function dropPassword(direction: Way, of: Of = {}): PlanStep {
  return step(`drop-password-${direction}`, { direction, ...of }, "rm the password's file", {
    verb: "drop-password",
    class: "reversible",
  });
}

export function analyze(databases: readonly string[]): PlanStep {
  return step("analyze", { databases: list(databases) }, "ANALYZE, in each database", {
    deadlineMs: 24 * hour,
  });
}

export function refreshViews(databases: readonly string[]): PlanStep {
  return step("refresh-views", { databases: list(databases) }, "REFRESH MATERIALIZED VIEW, each", {
    class: "reversible",
    deadlineMs: 24 * hour,
  });
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

export function hook(
  name: "pausePooler" | "resumePooler" | "switchTraffic" | "switchTrafficBack",
  more: { readonly holdLimitMs?: number; readonly undo?: "resumePooler" | "switchTrafficBack" } = {},
): PlanStep {
  const id = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return step(id, { hook: name }, `hooks.${name} of the agent's file, where there is one`, {
    verb: "call-hook",
    class: "reversible",
    deadlineMs: within(minute, more.holdLimitMs),
    ...(more.undo === undefined ? {} : { undo: call("call-hook", { hook: more.undo }) }),
    ...(more.holdLimitMs === undefined ? {} : { holdLimitMs: more.holdLimitMs }),
  });
}

export function fence(holdLimitMs: number): PlanStep {
  return step(
    "fence-writes",
    {},
    "CONNECTION LIMIT 0 for each database, default_transaction_read_only = on, sessions of clients ended",
    {
      class: "reversible",
      deadlineMs: within(30 * second, holdLimitMs),
      undo: call("unfence-writes"),
      holdLimitMs,
    },
  );
}

/** A hold must be able to stand when its step has ended: an agent refuses what it would have to undo before. */
function within(mostMs: number, holdLimitMs: number | undefined): number {
  return holdLimitMs === undefined ? mostMs : Math.min(mostMs, Math.floor(holdLimitMs / 2));
}

export function proveFenced(id = "prove-fenced"): PlanStep {
  return step(
    id,
    {},
    "no session of a client, no open transaction that writes; a new session may not write",
    {
      verb: "prove-fenced",
      deadlineMs: 30 * second,
    },
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

export function measure(databases: readonly string[], withinMs: number): PlanStep {
  return step(
    "measure",
    { databases: list(databases), withinMs: String(withinMs) },
    `every sequence's last_value; SELECT count(*) of every table; md5 over the rows of as many as ${withinMs} ms allow, smallest first`,
    { deadlineMs: 10 * minute },
  );
}

export function setSequences(databases: readonly string[]): PlanStep {
  return step("set-sequences", { databases: list(databases) }, "setval(…, last_value, is_called), each", {
    class: "reversible",
  });
}

export function compare(databases: readonly string[]): PlanStep {
  return step(
    "compare",
    { databases: list(databases) },
    "the same counts, hashes and sequences on this side",
    {
      deadlineMs: 10 * minute,
    },
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

export function resumeSubscriptions(direction: Way, databases: readonly string[]): PlanStep {
  return step(
    `resume-subscriptions-${direction}`,
    { databases: list(databases), direction },
    "ALTER SUBSCRIPTION … ENABLE",
    { verb: "resume-subscriptions", class: "reversible" },
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

export function wakeTriggers(databases: readonly string[]): PlanStep {
  return step(
    "wake-triggers",
    { databases: list(databases) },
    "ALTER TABLE … ENABLE ALWAYS | REPLICA TRIGGER …, as on the old server",
    { class: "reversible" },
  );
}

/** The moment after which rows may be on this side alone. */
export function open(of: Of = {}): PlanStep {
  return step("open-writes", { ...of }, "connection limits and default_transaction_read_only as they were", {
    verb: "unfence-writes",
    class: "irreversible",
    deadlineMs: minute,
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

export function scan(subscriber: Side, of: Of = {}): PlanStep {
  return step(
    "scan-left-overs",
    { ...of, ...systemOf(subscriber) },
    "slots, publications, subscriptions, roles, pg_hba.conf, files: nothing of this rollout",
  );
}

export function forget(of: Of = {}, id: "forget" | "forget-own" = "forget"): PlanStep {
  return step(id, { ...of }, "the agent's own notes of what was before", {
    verb: "forget",
    class: "reversible",
  });
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

export function unfence(of: Of): PlanStep {
  return step(
    "unfence-writes",
    { ...of },
    "connection limits and default_transaction_read_only as they were",
    {
      class: "reversible",
      deadlineMs: minute,
    },
  );
}

function systemOf(side: Side | undefined): Readonly<Record<string, string>> {
  return side === undefined ? {} : { subscriber: side.systemId };
}
