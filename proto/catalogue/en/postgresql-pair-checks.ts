import type { Catalogue } from "../render.ts";

/** What a check of room for slots, senders or workers says, on either side. */
function room(id: string, what: string, why: string): Catalogue {
  return {
    [`check.postgresql.${id}`]: { says: `${what} ({has} there, {needs} needed)` },
    [`check.postgresql.${id}.ko`]: {
      says: `{setting} of {cluster} is {has}; {used} in use and ${why} for {databases} databases make {needs}`,
      next: "ALTER SYSTEM SET {setting} = {wants}; then restart PostgreSQL of {cluster}",
    },
    [`check.postgresql.${id}.warn`]: {
      says: "{setting} of {cluster} is {has}, which is enough for as many databases as are copied at once; where all have new tables together, {wants} are wanted and some tables wait",
      next: "ALTER SYSTEM SET {setting} = {wants}; with the next restart of {cluster}",
    },
    [`check.postgresql.${id}.unknown`]: { says: "it could not be counted" },
  };
}

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

/** Words of the checks of two PostgreSQL servers, each by itself and against the other, before a move. */
export const postgresqlPairChecks: Catalogue = {
  ...ofSide("source"),
  ...ofSide("target"),
  "check.postgresql.source-version": { says: "the source is PostgreSQL 10 or newer" },
  "check.postgresql.source-version.ko": {
    says: "it is {found}, which has no logical replication of its own; 9.4 to 9.6 with pglogical was never tested and is refused",
    next: "pg_dump and pg_restore, or pg_upgrade to 10 or newer first",
  },
  "check.postgresql.other-server": { says: "source and target are two servers" },
  "check.postgresql.other-server.ko": {
    says: "both have the system identifier {systemId}: it is the same cluster, or a copy of its files",
    next: "make the target with initdb of the newer version, and look at the agents' host and port",
  },
  "check.postgresql.newer": { says: "the target is of a newer major version ({from} to {found})" },
  "check.postgresql.newer.ko": {
    says: "the source runs {from}, the target {found}",
    next: "take a target of a newer major version",
  },
  "check.postgresql.wanted-version": { says: "the target runs the version that is wanted" },
  "check.postgresql.wanted-version.ko": {
    says: "it runs {found}, wanted is {to}",
    next: "--to {found}, or install {to} there; 18 means any 18, 18.4 that one",
  },
  "check.postgresql.target-version": { says: "the target's version was tested with this tool" },
  "check.postgresql.target-version.warn": {
    says: "{found} is newer than {newest}, the newest that this tool was tested with",
    next: "try it with a copy first",
  },
  "check.postgresql.minor": { says: "both run a current minor version" },
  "check.postgresql.minor.warn": {
    says: "{found}, and there may be later ones",
    next: "install the newest minor version of each, the target's first; see https://www.postgresql.org/support/versioning/",
  },
  "check.postgresql.source-tools": { says: "pg_dump at the source is new enough" },
  "check.postgresql.source-tools.ko": {
    says: "it is of {found}, and refuses a server of {from}",
    next: "install postgresql-client-{wanted} there and name its folder under engine.settings.tools of the agent's file",
  },
  "check.postgresql.source-tools.warn": {
    says: "it is of {found}: the newest one, of {wanted}, makes the best schema for the target",
    next: "install postgresql-client-{wanted} there and name its folder under engine.settings.tools of the agent's file",
  },
  "check.postgresql.source-tools.unknown": { says: "the tools could not be asked" },
  "check.postgresql.target-tools": { says: "psql at the target is new enough" },
  "check.postgresql.target-tools.warn": {
    says: "the tools are of {found}, the server of {wanted}",
    next: "install postgresql-client-{wanted} there and name its folder under engine.settings.tools of the agent's file",
  },
  "check.postgresql.target-tools.unknown": { says: "the tools could not be asked" },
  "check.postgresql.extensions": { says: "the target has every extension of the source" },
  "check.postgresql.extensions.ko": {
    says: "not installed on {cluster}: {found}",
    next: "install their packages for the target's version on its host, for example: apt-get install postgresql-contrib",
  },
  "check.postgresql.extensions.unknown": { says: "what could be installed on the target is not known" },
  "check.postgresql.extension-versions": { says: "extensions keep their versions" },
  "check.postgresql.extension-versions.warn": {
    says: "they are upgraded on the way: {found}",
    next: "read their release notes; ALTER EXTENSION … UPDATE at the source first where you want both alike",
  },
  "check.postgresql.extension-versions.unknown": {
    says: "what could be installed on the target is not known",
  },
  "check.postgresql.preload": { says: "the target loads the libraries that the source loads" },
  "check.postgresql.preload.ko": {
    says: "{cluster} does not load {found}, without which an extension of the source cannot be made",
    next: "ALTER SYSTEM SET shared_preload_libraries = {wanted}; then restart PostgreSQL of {cluster}",
  },
  "check.postgresql.preload.warn": {
    says: "{cluster} does not load {found}",
    next: "ALTER SYSTEM SET shared_preload_libraries = {wanted}; then restart PostgreSQL of {cluster}",
  },
  "check.postgresql.preload.unknown": { says: "the settings could not be read" },
  "check.postgresql.tablespaces": { says: "the target has the tablespaces of the source" },
  "check.postgresql.tablespaces.ko": {
    says: "missing on {cluster}: {found}",
    next: "CREATE TABLESPACE {first} LOCATION '/an/empty/folder/of/postgres';",
  },
  "check.postgresql.tablespaces.unknown": { says: "they could not be listed" },
  "check.postgresql.checksums": { says: "both have data checksums, or neither" },
  "check.postgresql.checksums.warn": {
    says: "they are {from} at the source and {to} at the target",
    next: "stop the target, pg_checksums --enable -D its data directory, start it; or leave it so knowingly",
  },
  "check.postgresql.checksums.unknown": { says: "they could not be asked for" },
  "check.postgresql.target-empty": { says: "the target holds nothing under the names that are carried" },
  "check.postgresql.target-empty.ko": {
    says: "{cluster} holds objects in {found}",
    next: "take an empty target, or drop there what nobody needs; nothing that is not ours is dropped",
  },
  "check.postgresql.target-empty.unknown": { says: "its databases could not all be read" },
  "check.postgresql.target-extension-rows": {
    says: "no extension has filled its tables at the target in a database that is there already",
  },
  "check.postgresql.target-extension-rows.ko": {
    says: "{cluster} has these databases already, with rows in tables of extensions that the source's own rows go into: {found}",
    next: "psql -d {database} -c 'TRUNCATE {tables} CASCADE' there; or drop the database, and the plan makes it",
  },
  "check.postgresql.target-extension-rows.unknown": { says: "its databases could not all be read" },
  "check.postgresql.target-open": {
    says: "nobody has closed the target: the plan closes it, and opens it at the cut-over",
  },
  "check.postgresql.target-open.ko": {
    says: "{cluster} is closed already: {why}; the cut-over would leave it so",
    next: "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); ALTER DATABASE … CONNECTION LIMIT -1;",
  },
  "check.postgresql.target-open.unknown": { says: "whether it is closed could not be asked" },
  "check.postgresql.target-others": { says: "the target is used for nothing else" },
  "check.postgresql.target-others.unknown": {
    says: "{cluster} holds other databases: {found}; is it the right one?",
    next: "roles of one name become one, and the target is fenced at times",
  },
  "check.postgresql.encoding": { says: "databases that are there already have the same encoding" },
  "check.postgresql.encoding.ko": {
    says: "{found}",
    next: "on {cluster}: DROP DATABASE …; it is made anew with the source's encoding",
  },
  "check.postgresql.encoding.unknown": { says: "the target's databases could not all be read" },
  "check.postgresql.locale": { says: "databases that are there already have the same locale" },
  "check.postgresql.locale.warn": {
    says: "{found}; texts are sorted and compared otherwise there",
    next: "on {cluster}: DROP DATABASE …; it is made anew with the source's locale",
  },
  "check.postgresql.locale.unknown": { says: "the target's databases could not all be read" },
  "check.postgresql.locales": { says: "the target's host has the locales of the source" },
  "check.postgresql.locales.warn": {
    says: "not seen on {cluster}: {found}; a database of that locale could not be made",
    next: "on its host: locale-gen {first} (or: localedef), then SELECT pg_import_system_collations('pg_catalog');",
  },
  "check.postgresql.locales.unknown": { says: "they could not be listed" },
  ...room(
    "source-slot-room",
    "the source has slots to spare",
    "a slot each, and one for each table in copy,",
  ),
  ...room(
    "source-sender-room",
    "the source has senders to spare",
    "one each, and one for each table in copy,",
  ),
  ...room("source-worker-room", "the source has workers for the way back", "one each for the way back"),
  ...room("source-process-room", "the source has processes for the way back", "one each for the way back"),
  ...room(
    "target-worker-room",
    "the target has workers to spare",
    "one each, and one for each table in copy,",
  ),
  ...room(
    "target-process-room",
    "the target has processes to spare",
    "one each, and one for each table in copy,",
  ),
  ...room(
    "target-origin-room",
    "the target has origins to spare",
    "one each, and one for each table in copy,",
  ),
  ...room("target-slot-room", "the target has slots for the way back", "one each for the way back"),
  ...room("target-sender-room", "the target has senders for the way back", "one each for the way back"),
  "check.postgresql.source-room": { says: "the source's disk can keep the WAL of the copy's time" },
  "check.postgresql.source-room.ko": {
    says: "{path} is {percent} % full; replication is given up at {limit} %",
    next: "make room, or raise settings.give-up-at-percent",
  },
  "check.postgresql.source-room.warn": {
    says: "{path} has {free} MiB free; WAL is kept there until the copy is made, and a quarter of the data, {wanted} MiB, is a guess at how much",
    next: "make room, or copy while little is written; the disk is watched in any case",
  },
  "check.postgresql.source-room.unknown": { says: "the room was not measured" },
  "check.postgresql.target-room": { says: "the target's disk can hold the databases" },
  "check.postgresql.target-room.ko": {
    says: "{path} on {cluster} has {free} MiB free; {wanted} MiB are wanted, 1.2 times of what the databases take",
    next: "make room there, or a larger disk",
  },
  "check.postgresql.target-room.unknown": { says: "the room was not measured" },
};
