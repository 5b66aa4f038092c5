import type { Catalogue } from "../render.ts";

/** Checks that read alike on both sides. */
function ofSide(role: "source" | "target"): Catalogue {
  const of = (id: string) => `check.postgresql.${role}-${id}`;
  return {
    [of("primary")]: { says: `the ${role} has one primary` },
    [of("primary.ko")]: {
      says: "{cluster} has as primary: {found}",
      next: "name the cluster's primary among its nodes; a standby can neither publish nor be written to",
    },
    [of("primary.unknown")]: { says: "not every node of {cluster} tells whether it is a standby" },
    [of("superuser")]: { says: `the agent's account is a superuser of the ${role}` },
    [of("superuser.ko")]: {
      says: "it is not one on {cluster}",
      next: "name one under engine.settings.user of the agent's file, then restart lockkeeper-agent",
    },
    [of("wal-level")]: { says: `the ${role}'s wal_level is logical` },
    [of("wal-level.ko")]: {
      says: `wal_level of {cluster} is {found}; ${role === "source" ? "nothing can be replicated from it" : "there would be no way back with what is written there"}`,
      next: "ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL of {cluster}",
    },
    [of("wal-level.unknown")]: { says: "the settings could not be read" },
    [of("wal-limit")]: { says: `the ${role} keeps the WAL that a slot needs` },
    [of("wal-limit.warn")]: {
      says: "max_slot_wal_keep_size of {cluster} is {mebibytes} MiB: a slot that is further behind is lost, and its copy begins anew",
      next: "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf(); the disk is watched meanwhile",
    },
    [of("wal-limit.unknown")]: { says: "the settings could not be read" },
    [of("idle-slots")]: { says: `the ${role} keeps slots that are idle` },
    [of("idle-slots.warn")]: {
      says: "idle_replication_slot_timeout of {cluster} is {found}: a slot whose consumer is away for longer is lost",
      next: "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();",
    },
    [of("idle-slots.unknown")]: { says: "the settings could not be read" },
    [of("managed")]: { says: `nothing else manages the ${role}` },
    [of("managed.unknown")]: {
      says: "what was seen of others on {cluster}: {found}; one that fails over in the middle ends the replication, and one that owns the settings puts back what is set here",
      next: "pause it first, for example: patronictl pause --wait; pg_autoctl enable maintenance; systemctl stop repmgrd",
    },
    [of("left-overs")]: { says: `the ${role} holds nothing of an earlier move` },
    [of("left-overs.ko")]: {
      says: "on {cluster}: {found}; a slot keeps WAL until the disk is full",
      next: "lockkeeper plan --back ROLLOUT, where the name after lockkeeper_ tells the rollout; or, if none of yours runs: SELECT pg_drop_replication_slot(…), DROP PUBLICATION …, DROP ROLE …",
    },
    [of("left-overs.unknown")]: { says: "it could not be looked for in every database" },
    [of("subscriptions")]: { says: `the ${role} is subscribed to nobody else` },
    [of("subscriptions.unknown")]: {
      says: `{cluster} has subscriptions: {found}; ${role === "source" ? "what they bring goes on to the target, but they are not made there" : "what they bring may collide with what is copied"}`,
      next: "ALTER SUBSCRIPTION … DISABLE, or answer for it: who moves them over, and when",
    },
    [of("slots")]: { says: `nobody else reads changes from the ${role}` },
    [of("slots.unknown")]: {
      says: "{cluster} has slots of others: {found}; their consumers (change data capture, other subscribers) get nothing from the new server until they are set up there",
      next: "decide for each how it goes on at the target; SELECT pg_drop_replication_slot('…') where nobody needs it",
    },
    [of("listens")]: { says: `the ${role} listens where other hosts can reach it` },
    [of("listens.warn")]: {
      says: "listen_addresses of {cluster} is '{found}', and its address is {address}",
      next: "ALTER SYSTEM SET listen_addresses = '*'; then restart PostgreSQL of {cluster}",
    },
    [of("listens.unknown")]: { says: "the settings could not be read" },
  };
}

/** Words of the checks of two PostgreSQL servers, each by itself. */
export const postgresqlSideChecks: Catalogue = {
  ...ofSide("source"),
  ...ofSide("target"),
};
