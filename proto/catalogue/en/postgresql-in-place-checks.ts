import type { Catalogue } from "../render.ts";

/** Words of the checks before an upgrade in place by pg_upgrade. */
export const postgresqlInPlaceChecks: Catalogue = {
  "check.postgresql.in-place-nodes": { says: "the cluster is one server" },
  "check.postgresql.in-place-nodes.ko": {
    says: "{cluster} has {found} nodes; standbys are not upgraded, they are made anew",
    next: "lockkeeper cluster remove-node for each standby; or move into a new cluster",
  },
  "check.postgresql.in-place-superuser": { says: "the agent's account is a superuser" },
  "check.postgresql.in-place-superuser.ko": {
    says: "it is none on {cluster}",
    next: "name a superuser as user in the agent's file",
  },
  "check.postgresql.in-place-prepared": { says: "no transaction is prepared" },
  "check.postgresql.in-place-prepared.ko": {
    says: "prepared and not ended: {found}; pg_upgrade refuses them",
    next: "in its database: COMMIT PREPARED '{first}'; or ROLLBACK PREPARED '{first}';",
  },
  "check.postgresql.in-place-prepared.unknown": { says: "they could not be listed" },
  "check.postgresql.in-place-long-transaction": { says: "no transaction is open for long" },
  "check.postgresql.in-place-long-transaction.warn": {
    says: "the oldest has been open for {minutes} minutes; it is ended when the server is closed",
    next: "SELECT pid, usename, xact_start, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start LIMIT 5;",
  },
  "check.postgresql.in-place-long-transaction.unknown": { says: "they could not be listed" },
  "check.postgresql.in-place-open": { says: "nobody has closed the server" },
  "check.postgresql.in-place-open.ko": {
    says: "{why}; ours could not be told from it",
    next: "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();",
  },
  "check.postgresql.in-place-open.unknown": { says: "whether it is closed could not be asked" },
  "check.postgresql.in-place-databases": { says: "the databases are known ({count})" },
  "check.postgresql.in-place-databases.unknown": { says: "not every database could be read" },
  "check.postgresql.in-place-closed-databases": { says: "all databases take connections" },
  "check.postgresql.in-place-closed-databases.ko": {
    says: "these take none, and pg_upgrade must get into each: {found}",
    next: 'ALTER DATABASE "{first}" ALLOW_CONNECTIONS true;',
  },
  "check.postgresql.in-place-closed-databases.unknown": { says: "they could not be listed" },
  "check.postgresql.in-place-tablespaces": { says: "there is no tablespace" },
  "check.postgresql.in-place-tablespaces.ko": {
    says: "there are: {found}; an upgrade in place of a server with tablespaces is not built",
    next: "move into a new cluster instead: lockkeeper plan CLUSTER --to VERSION --into NEW",
  },
  "check.postgresql.in-place-tablespaces.unknown": { says: "they could not be listed" },
  "check.postgresql.in-place-checksums": {
    says: "whether pages have checksums is known ({checksums}); the new server is made with the same",
  },
  "check.postgresql.in-place-checksums.unknown": { says: "it could not be asked" },
  "check.postgresql.in-place-reg-columns": { says: "no column holds numbers of the catalogue ({count})" },
  "check.postgresql.in-place-reg-columns.warn": {
    says: "columns of types reg…: {found}; regclass, regrole and regtype go over, the others pg_upgrade refuses",
    next: "ALTER TABLE … ALTER COLUMN … TYPE text;",
  },
  "check.postgresql.in-place-reg-columns.unknown": { says: "they could not be listed" },
  "check.postgresql.in-place-left-overs": { says: "no move has left anything here" },
  "check.postgresql.in-place-left-overs.ko": {
    says: "of a move, on {cluster}: {found}",
    next: "whose they are: lockkeeper leaks {cluster}",
  },
  "check.postgresql.in-place-left-overs.unknown": { says: "they could not be looked for" },
  "check.postgresql.in-place-standbys": { says: "no standby follows the server" },
  "check.postgresql.in-place-standbys.unknown": {
    says: "{count} follow it: they cannot follow the new one, and must be made anew",
    next: "--ack postgresql.in-place-standbys, when somebody will",
  },
  "check.postgresql.in-place-physical-slots": { says: "no standby or receiver has a slot" },
  "check.postgresql.in-place-physical-slots.unknown": {
    says: "physical slots do not go along: {found}",
    next: "--ack postgresql.in-place-physical-slots, when somebody will make them anew",
  },
  "check.postgresql.in-place-slots": { says: "logical slots go along, or there are none" },
  "check.postgresql.in-place-slots.ko": {
    says: "pg_upgrade takes only those whose consumer has read everything; nobody reads: {found}",
    next: "start the consumer, or SELECT pg_drop_replication_slot('…');",
  },
  "check.postgresql.in-place-slots.unknown": {
    says: "before version 17 they are lost without a word: {found}",
    next: "--ack postgresql.in-place-slots, when their consumers will begin anew",
  },
  "check.postgresql.in-place-subscriptions": { says: "no subscription writes into the server" },
  "check.postgresql.in-place-subscriptions.ko": {
    says: "enabled, so that rows go on coming when the server is closed: {found}",
    next: 'ALTER SUBSCRIPTION "{first}" DISABLE; and ENABLE when the new server is open',
  },
  "check.postgresql.in-place-subscriptions.unknown": {
    says: "before version 17 a subscription forgets where it was: {found}",
    next: "DROP SUBSCRIPTION before, CREATE SUBSCRIPTION … WITH (copy_data = false) after; then --ack postgresql.in-place-subscriptions",
  },
  "check.postgresql.in-place-managed": { says: "no manager of failover runs the server" },
  "check.postgresql.in-place-managed.unknown": {
    says: "seen: {found}; it would start the old server again, or knows nothing of the new one",
    next: "pause it, then --ack postgresql.in-place-managed",
  },
  "check.postgresql.in-place-archive": { says: "the server keeps no archive of its WAL" },
  "check.postgresql.in-place-archive.unknown": {
    says: "archive_mode is {found}: the new server begins a history of its own, and archive_command goes along as it is",
    next: "prepare a place of its own and a new base backup, then --ack postgresql.in-place-archive",
  },
  "check.postgresql.in-place-allowed": { says: "the agent's own file allows it" },
  "check.postgresql.in-place-allowed.ko": {
    says: "that of {cluster} has no inPlace",
    next: "engine.settings.inPlace in /etc/lockkeeper/agent.yaml; then systemctl restart lockkeeper-agent",
  },
  "check.postgresql.in-place-allowed.unknown": {
    says: "what it names could not be looked at",
    next: "are the new version's packages there? apt-get install postgresql-VERSION",
  },
  "check.postgresql.in-place-version": { says: "the new programs are of the version that is wished" },
  "check.postgresql.in-place-version.ko": {
    says: "the server runs {from}, the new programs are {found}, wished is {to}",
    next: "look at newBin in the agent's file",
  },
  "check.postgresql.in-place-programs": { says: "the old programs are those that run" },
  "check.postgresql.in-place-programs.warn": {
    says: "on disk are {disk}, and {runs} runs: pg_upgrade works with those on disk",
    next: "restart the server once at a quiet moment",
  },
  "check.postgresql.in-place-folder": { says: "the agent's file names the folder of the server that serves" },
  "check.postgresql.in-place-folder.ko": {
    says: "the server has {found}, the file says {data}",
    next: "look at data, host and port in the agent's file",
  },
  "check.postgresql.in-place-units": {
    says: "the old unit runs the server, and the new one is known and at rest",
  },
  "check.postgresql.in-place-units.ko": {
    says: "{found}",
    next: "look at unit and newUnit in the agent's file, and at systemctl status",
  },
  "check.postgresql.in-place-new-folder": { says: "the new server's folders are free" },
  "check.postgresql.in-place-new-folder.ko": {
    says: "not empty: {found}; what was there before is never removed",
    next: "on Debian, a cluster that the package has made and nobody uses: pg_dropcluster VERSION main",
  },
  "check.postgresql.in-place-account": { says: "the servers' account gets in over the socket" },
  "check.postgresql.in-place-account.ko": {
    says: "pg_upgrade runs as that account, and it does not: {cause}",
    next: "pg_hba.conf: local all postgres peer; with map=…, a line in pg_ident.conf for the account too",
  },
  "check.postgresql.in-place-extensions": { says: "the new programs have every extension in use" },
  "check.postgresql.in-place-extensions.ko": {
    says: "not there for {to}: {found}",
    next: "install their packages for {to}, or DROP EXTENSION what nobody uses",
  },
  "check.postgresql.in-place-libraries": {
    says: "the new programs have every library that is loaded at the start",
  },
  "check.postgresql.in-place-libraries.ko": {
    says: "of shared_preload_libraries, not there for {to}: {found}",
    next: "install their packages for {to}, or take them out",
  },
  "check.postgresql.in-place-libraries.unknown": { says: "which are loaded could not be asked" },
  "check.postgresql.in-place-file-system": { says: "old and new data can share what they have to" },
  "check.postgresql.in-place-file-system.ko": {
    says: "upgrade-mode {mode} needs one file system: {data} and {newData} lie on two",
    next: "upgrade-mode: copy, or another newData in the agent's file",
  },
  "check.postgresql.in-place-room": { says: "there is room for the new data" },
  "check.postgresql.in-place-room.ko": {
    says: "{free} MiB are free for {newData}, {wanted} are wanted ({mode})",
    next: "make room; or upgrade-mode: clone where the file system knows reflinks",
  },
  "check.postgresql.in-place-wal-folder": { says: "the WAL lies in the data folder" },
  "check.postgresql.in-place-wal-folder.unknown": {
    says: "it lies in {found}; that of the new server will lie in {newData}/pg_wal",
    next: "--ack postgresql.in-place-wal-folder; move it afterwards, while the new server is stopped",
  },
};
