import type { Catalogue } from "../render.ts";

function ofSide(role: "source" | "target"): Catalogue {
  const of = (rest: string) => `check.postgresql.${role}-pglogical${rest}`;
  return {
    [of("")]: { says: `pglogical is installed at the ${role}` },
    [of(".ko")]: {
      says: "{cluster} has no such extension among those that could be made",
      next: "apt-get install postgresql-{major}-pglogical on its host, or --method logical-replication, which needs no extension",
    },
    [of(".unknown")]: { says: "the extensions that could be made could not be listed" },
    [of("-preload")]: { says: `pglogical is loaded when the ${role} starts` },
    [of("-preload.ko")]: {
      says: "shared_preload_libraries of {cluster} is '{found}'",
      next: "ALTER SYSTEM SET shared_preload_libraries = {wanted}; then restart PostgreSQL of {cluster}",
    },
    [of("-preload.unknown")]: { says: "the settings could not be read" },
    [of("-plugin")]: { says: `the ${role} may load pglogical's output plugin` },
    [of("-plugin.warn")]: {
      says: "output_plugin_libraries of {cluster} is '{found}': the plan adds pglogical_output to it, and puts it back at the end",
    },
    [of("-plugin.unknown")]: { says: "the settings could not be read" },
    [of("-version")]: { says: `pglogical was tested with the ${role}'s version` },
    [of("-version.warn")]: {
      says: "{cluster} runs {found}; a move by pglogical was tested with {tested}, and never with this",
      next: "try it with a copy first, or --method logical-replication",
    },
  };
}

/** Words of a move by pglogical: what is checked for it alone, and why a step of it ends. */
export const postgresqlPglogical: Catalogue = {
  ...ofSide("source"),
  ...ofSide("target"),
  "check.postgresql.pglogical-keyless": { says: "pglogical can tell the rows of every table apart" },
  "check.postgresql.pglogical-keyless.ko": {
    says: "{count} tables have neither a key nor a unique index over columns that are NOT NULL, or are REPLICA IDENTITY FULL: their UPDATE and DELETE would be left behind ({found})",
    next: "ALTER TABLE … ADD PRIMARY KEY (…), or REPLICA IDENTITY DEFAULT where there is a key; --method logical-replication carries them as they are",
  },
  "check.postgresql.pglogical-node": { says: "no database that is carried is a node of pglogical already" },
  "check.postgresql.pglogical-node.ko": {
    says: "a database can be one node only, and these are somebody's: {found}",
    next: "SELECT pglogical.drop_node('…') where it is not needed any more, or --method logical-replication",
  },
  "check.postgresql.pglogical-node.unknown": { says: "the target's databases could not be read" },
  "check.postgresql.pglogical-patroni": { says: "no manager of the source drops what pglogical makes there" },
  "check.postgresql.pglogical-patroni.ko": {
    says: "{cluster} is under Patroni, which drops slots that it does not know; those of pglogical it cannot be told",
    next: "--method logical-replication, whose slots Patroni keeps",
  },
  "check.postgresql.pglogical-patroni.unknown": { says: "Patroni could not be asked" },
  "postgresql.pglogical-node-there": {
    says: "{database} is a node of pglogical already: {node}",
    next: "SELECT pglogical.drop_node('{node}') where it is not needed any more, then lockkeeper retry ROLLOUT",
  },
  "postgresql.pglogical-not-trusted": {
    says: "pglogical_output was added to output_plugin_libraries, and the server still has {found}",
    next: "is it set on the server's command line or in a later file? put it right there, then lockkeeper retry ROLLOUT",
  },
  "postgresql.pglogical-copy-cut": {
    says: "{database}: the first copy was cut, and pglogical does not begin it again ({cause})",
    next: "lockkeeper plan --back ROLLOUT, and plan anew",
  },
  "postgresql.subscription-not-so": {
    says: "{subscription} has not come so far within the time: it is {status}",
    next: "look at the server's log, then lockkeeper retry ROLLOUT",
  },
  "postgresql.never-tested": {
    says: "it is PostgreSQL {version}: pglogical knows 9.4 to 9.6, nobody has tested a move from there, and it is refused",
    next: "pg_dump and pg_restore, or pg_upgrade to 10 or newer first",
  },
  "postgresql.no-socket": {
    says: "the server has no socket, and pglogical needs a way from the server to itself",
    next: "ALTER SYSTEM SET unix_socket_directories = '/var/run/postgresql'; then restart it",
  },
};
