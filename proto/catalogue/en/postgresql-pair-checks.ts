import type { Catalogue } from "../render.ts";

/** Words of the checks of two PostgreSQL servers against each other, before a move. */
export const postgresqlPairChecks: Catalogue = {
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
    next: "install their packages for the target's version on its host, for example: apt-get install postgresql-contrib; or name them as engine.settings.packages in its agent's file, systemctl restart lockkeeper-agent, and the plan installs them",
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
    next: "{first}ALTER SYSTEM SET shared_preload_libraries = {wanted}; then restart PostgreSQL of {cluster}",
  },
  "check.postgresql.preload.warn": {
    says: "{cluster} does not load {found}",
    next: "{first}ALTER SYSTEM SET shared_preload_libraries = {wanted}; then restart PostgreSQL of {cluster}",
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
};
