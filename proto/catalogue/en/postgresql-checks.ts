import type { Catalogue } from "../render.ts";

/** Words of the checks of what a PostgreSQL server holds before it is moved to a newer version. */
export const postgresqlChecks: Catalogue = {
  "postgresql.setting-not-told": { says: "the server does not tell its {name}" },
  "postgresql.folder-not-measured": { says: "the agent has not measured the file system of {folder}" },
  "check.postgresql.settings": { says: "the cluster's settings can be read" },
  "check.postgresql.settings.ko": { says: '{name} of {cluster} cannot be "{value}"' },
  "check.postgresql.target": { says: "the databases go to another cluster that is known" },
  "check.postgresql.target.ko": {
    says: 'it is not known into which cluster ("{into}" is not in the inventory)',
    next: "add --into CLUSTER: lockkeeper check {cluster} --to {to} --into CLUSTER, where CLUSTER stands in the inventory and runs {to}",
  },
  "check.postgresql.reached": { says: "the server answers its agent" },
  "check.postgresql.reached.unknown": { says: "the server could not be asked" },
  "check.postgresql.databases": { says: "the databases of the source are known and can be carried" },
  "check.postgresql.databases.ko": {
    says: "not there, or closed to connections: {missing}",
    next: "mend settings.databases of the cluster's entry",
  },
  "check.postgresql.databases.unknown": { says: "not every database could be read" },
  "check.postgresql.closed-databases": { says: "all databases are carried" },
  "check.postgresql.closed-databases.warn": {
    says: "these take no connections, and stay behind: {found}",
    next: "ALTER DATABASE … ALLOW_CONNECTIONS true, or leave them out knowingly",
  },
  "check.postgresql.closed-databases.unknown": { says: "they could not be listed" },
  "check.postgresql.databases-left": { says: "no database with anything in it stays behind" },
  "check.postgresql.databases-left.unknown": {
    says: "these stay behind, and from the cut-over on NOBODY serves them, as the old server is closed as a whole: {found}",
    next: "list them in settings.databases too, or move them elsewhere first. Does nobody need them? --ack postgresql.databases-left --reason …",
  },
  "check.postgresql.databases-left.ko": {
    says: "old-data: remove would delete these with the old server, and they are carried nowhere: {found}",
    next: "carry them over too (settings.databases), drop them, or set old-data: keep",
  },
  "check.postgresql.other-gone": { says: "the other server is there" },
  "check.postgresql.other-gone.unknown": {
    says: "{left} alone is cleared of rollout {rollout}. What stands on the other server stays there",
    next: "see for yourself that the other server is gone and cannot come back to its clients, then --ack postgresql.other-gone --reason …; is it only down, start it, and plan without --without",
  },
  "check.postgresql.rows-not-come": { says: "every row of the new server is on the old one" },
  "check.postgresql.rows-not-come.unknown": {
    says: "nobody can say so: rows that the new server has taken last may not have come over, and are lost; large objects and unlogged tables are as they were at the cut-over. Sequences are set by the rows that are there",
    next: "can the new server be started for a moment? Then plan without --without. Else --ack postgresql.rows-not-come --reason …",
  },
  "check.postgresql.prepared-transactions": { says: "no transaction of the source is prepared" },
  "check.postgresql.prepared-transactions.ko": {
    says: "prepared and not ended: {found}; making a slot waits for them, and so does the fence",
    next: "in its database: COMMIT PREPARED '{first}'; or ROLLBACK PREPARED '{first}';",
  },
  "check.postgresql.prepared-transactions.unknown": { says: "they could not be listed" },
  "check.postgresql.long-transaction": { says: "no transaction of the source is open for long" },
  "check.postgresql.long-transaction.warn": {
    says: "the oldest has been open for {minutes} minutes: making a slot waits for its end if it writes, and fixing identities if it reads",
    next: "SELECT pid, usename, xact_start, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start LIMIT 5;",
  },
  "check.postgresql.long-transaction.unknown": { says: "they could not be listed" },
  "check.postgresql.source-open": { says: "nobody has fenced the source" },
  "check.postgresql.source-open.ko": {
    says: "it is fenced already: {why}; ours could not be told from it",
    next: "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); ALTER DATABASE … CONNECTION LIMIT -1;",
  },
  "check.postgresql.source-open.unknown": { says: "whether it is fenced could not be asked" },
  "check.postgresql.collation-version": { says: "the source's indexes are sorted as its host sorts now" },
  "check.postgresql.collation-version.warn": {
    says: "the host's collations have changed since these were made: {found}; indexes of texts may be wrong, and hold doubles that the target refuses",
    next: "REINDEX DATABASE …; ALTER DATABASE … REFRESH COLLATION VERSION;",
  },
  "check.postgresql.identity": { says: "every table has a replica identity ({count} without)" },
  "check.postgresql.identity.warn": {
    says: "without one, and given it by the plan (by that index, or by all columns); put back at its end: {found}",
    next: "nothing to do; a primary key is better than all columns where tables are large",
  },
  "check.postgresql.identity-impossible": { says: "every table can have a replica identity" },
  "check.postgresql.identity-impossible.ko": {
    says: "no key, no usable index, and a column that cannot be compared (json, point, xml …): {found}",
    next: "ALTER TABLE … ADD PRIMARY KEY (…), or a unique index on columns that are NOT NULL; json as jsonb; are its rows only ever added: ALTER TABLE … REPLICA IDENTITY FULL, and --ack postgresql.full-incomparable; last of all a column more: ALTER TABLE … ADD COLUMN lockkeeper_id bigserial PRIMARY KEY (it rewrites the table)",
  },
  "check.postgresql.full-incomparable": {
    says: "no table of REPLICA IDENTITY FULL has a column that cannot be compared",
  },
  "check.postgresql.full-incomparable.unknown": {
    says: "of these only new rows are carried; an UPDATE or DELETE of one stops the move, until the table has a key: {found}",
    next: "are their rows only ever added, and cleared by no job? Then answer for it; else ALTER TABLE … ADD PRIMARY KEY (…) and REPLICA IDENTITY DEFAULT, or a unique index on columns that are NOT NULL and REPLICA IDENTITY USING INDEX …",
  },
  "check.postgresql.generated-identity": { says: "no replica identity holds a generated column" },
  "check.postgresql.generated-identity.ko": {
    says: "{version} publishes for the way back and then refuses every UPDATE of a table whose identity (key, index, or all columns) holds a generated column: {found}",
    next: "ALTER TABLE … ADD PRIMARY KEY (…), or a unique index on columns that are NOT NULL and not generated, and REPLICA IDENTITY USING INDEX …",
  },
  "check.postgresql.unlogged": { says: "no table is unlogged" },
  "check.postgresql.unlogged.warn": {
    says: "the rows of unlogged tables go along while writes stand still, {mebibytes} MiB at most, and are compared: {found}",
    next: "nothing to do; what nobody needs makes the pause longer: TRUNCATE it before the cut-over",
  },
  "check.postgresql.unlogged.unknown": {
    says: "the rows of unlogged tables are NOT carried, the other server has these tables empty or as they were: {found}. They take {mebibytes} MiB, and {limit} go along, large objects first (carry-limit-bytes)",
    next: "raise carry-limit-bytes in the cluster's entry, and fence-limit with it; or TRUNCATE what nobody needs; or answer for it: who fills them",
  },
  "check.postgresql.large-objects": { says: "there are no large objects" },
  "check.postgresql.large-objects.warn": {
    says: "large objects go along while writes stand still, {mebibytes} MiB at most, and are compared: {found}",
    next: "nothing to do; what nobody refers to makes the pause longer: vacuumlo, before the cut-over",
  },
  "check.postgresql.large-objects.unknown": {
    says: "large objects are NOT carried: {found}. They weigh {mebibytes} MiB (each 4 KiB at least), and {limit} go along (carry-limit-bytes)",
    next: "raise carry-limit-bytes in the cluster's entry, and fence-limit with it; or vacuumlo, or bytea columns in their place; or answer for it: who copies them while writes are fenced",
  },
  "check.postgresql.hypertables": { says: "there are no hypertables" },
  "check.postgresql.hypertables.ko": {
    says: "hypertables of TimescaleDB cannot be carried by logical replication: {found}",
    next: "leave these databases out (settings.databases) and take pg_upgrade, or pg_dump with timescaledb_pre_restore(), for them",
  },
  "check.postgresql.foreign-tables": { says: "there are no foreign tables" },
  "check.postgresql.foreign-tables.warn": {
    says: "their definitions are carried, what they show stays where it is: {found}",
    next: "see that the target's host reaches these servers",
  },
  "check.postgresql.foreign-servers": { says: "there are no foreign servers" },
  "check.postgresql.foreign-servers.warn": {
    says: "the target will use these, and others may use the source in the same way: {found}",
    next: "see that the target's host reaches them, and look for servers elsewhere that name the source",
  },
  "check.postgresql.materialized-views": { says: "there are no materialized views" },
  "check.postgresql.materialized-views.warn": {
    says: "made empty on the target, and refreshed before it is opened: {found}",
    next: "nothing to do; a refresh that takes long makes the wait before the cut-over longer",
  },
  "check.postgresql.event-triggers": { says: "there are no event triggers" },
  "check.postgresql.event-triggers.warn": {
    says: "carried with the schema, and fire on the target's own definitions from then on: {found}",
    next: "ALTER EVENT TRIGGER … DISABLE at the source for the time of the move, where one of them writes or refuses",
  },
  "check.postgresql.always-triggers": { says: "no trigger fires during replication" },
  "check.postgresql.always-triggers.warn": {
    says: "ENABLE ALWAYS or REPLICA: these would fire once more for every row that is carried over; disabled at the target until the cut-over, and at the source from then on until it lets go or goes back: {found}",
    next: "nothing to do; what they write is carried as rows, both ways",
  },
  "check.postgresql.row-security": { says: "no table has row-level security" },
  "check.postgresql.row-security.warn": {
    says: "policies are carried with the schema; the copy is made by a role that passes them by: {found}",
    next: "nothing to do; test the policies at the target before it is opened",
  },
  "check.postgresql.reg-columns": { says: "no column names objects of the catalogue" },
  "check.postgresql.reg-columns.warn": {
    says: "values of regclass, regproc … are carried by their names, which must be there when the rows come: {found}",
    next: "SELECT DISTINCT … of these columns; what is dropped or renamed at the target stops the copy",
  },
  "check.postgresql.extension-tables": { says: "no extension keeps rows in tables of its own" },
  "check.postgresql.extension-tables.warn": {
    says: "tables of extensions, with rows: carried as they stand at the source, in place of what CREATE EXTENSION puts there at the target: {found}",
    next: "nothing to do where both have the same version; else look after the move whether the newer one's own rows are wanted too",
  },
  "check.postgresql.source-publications": { says: "the source publishes for nobody else" },
  "check.postgresql.source-publications.unknown": {
    says: "publications are not carried: {found}",
    next: "decide who subscribes at the target afterwards, or DROP PUBLICATION …",
  },
  "check.postgresql.cron": { says: "there is no pg_cron" },
  "check.postgresql.cron.warn": {
    says: "jobs of pg_cron are carried as rows, and run at the target from when it is open: {found}",
    next: "schedule none there again; where cron.use_background_workers is off, a job connects to the source's port as its row has it: UPDATE cron.job SET nodeport = … at the target after the cut-over",
  },
};
