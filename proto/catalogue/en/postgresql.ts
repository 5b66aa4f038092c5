import type { Catalogue } from "../render.ts";

/** Words of a PostgreSQL move: why a step ends, and what is waited for. */
export const postgresql: Catalogue = {
  "postgresql.no-server": {
    says: "no server listens at {at} ({cause})",
    next: "start it; or its host and port in the agent's file are those of another server",
  },
  "postgresql.not-reached": {
    says: "the server at {at} does not let the agent in ({cause})",
    next: "look at host, port, user and passwordFile in the agent's file, and at pg_hba.conf",
  },
  "postgresql.peer-not-reached": {
    says: "from this host, {role} does not get into {database} at {at}: {cause}",
    next: "look at listen_addresses, the firewall and pg_hba.conf over there, then lockkeeper retry ROLLOUT",
  },
  "postgresql.root-certificate": {
    says: "the other side cannot be proven: {path} {cause}",
    next: "write sslRootCert into the agent's file: a file that the agent and its server can read; then lockkeeper retry ROLLOUT",
  },
  "postgresql.password-file": {
    says: "the file with the password cannot be read: {path} ({cause})",
    next: "a file of the agent's own account, mode 0600, with the password alone",
  },
  "postgresql.sql-failed": { says: "{database}: {cause} ({sqlstate})" },
  "left-over.prior-value": {
    says: "a note of what stood there before the move, by which it is put back: {path}",
  },
  "postgresql.answer-empty": { says: "the server gave no answer to a question about itself" },
  "postgresql.tool-failed": { says: "{tool} failed: {cause}" },
  "postgresql.tool-not-run": { says: "{tool} could not be run: {cause}" },
  "postgresql.processes-not-seen": { says: "the host's processes could not be listed: {cause}" },
  "postgresql.data-unreadable": {
    says: "the data folder {data} is not to be read: {cause}",
    next: "nothing was removed by this try; look at that folder on the host, then lockkeeper retry ROLLOUT",
  },
  "postgresql.not-taken-back": {
    says: "{unit} was told to start, and is {active}",
    next: "systemctl status {unit} on that host, then lockkeeper retry ROLLOUT",
  },
  "postgresql.unit-not-named": {
    says: "this agent's file names no unit of its server",
    next: "write engine.settings.unit into the agent's file and restart it, then lockkeeper retry ROLLOUT",
  },
  "postgresql.data-not-named": {
    says: "this agent's file names no data folder that it may empty",
    next: "write engine.settings.data into the agent's file and restart it, then lockkeeper retry ROLLOUT; or remove the data yourself",
  },
  "postgresql.old-data-not-named": {
    says: "old-data is remove, and the agent's file of {node} does not name unit and data",
    next: "write engine.settings.unit and data into the agent's file on {node} and restart it; or leave old-data out",
  },
  "postgresql.old-data-elsewhere": {
    says: "the agent's file of {node} names {named}, and its server has its data in {found}",
    next: "write the folder that SHOW data_directory tells into engine.settings.data on {node} and restart the agent; then plan anew",
  },
  "postgresql.not-put-away": {
    says: "{unit} is not stopped and masked: {cause}",
    next: "nothing was removed; systemctl status {unit} on that host, then lockkeeper retry ROLLOUT",
  },
  "postgresql.another-server": {
    says: "this is another server than the one of the plan: its system identifier is {systemId}, not {wanted}",
    next: "look at host and port in the agent's file; was the server made anew? then plan anew",
  },
  "postgresql.is-standby": {
    says: "the server is a standby",
    next: "has it failed over? name the node of the primary in the inventory",
  },
  "postgresql.no-superuser": {
    says: "the agent's own account is no superuser there",
    next: "name a superuser as user in the agent's file",
  },
  "postgresql.version-differs": { says: "the server runs {version}, not {wanted}", next: "plan anew" },
  "postgresql.identity-impossible": {
    says: "by nothing can rows be told apart in {tables}: UPDATE and DELETE fail there once it is published",
    next: "ALTER TABLE … ADD PRIMARY KEY (…), or a unique index over columns that are NOT NULL; are its rows only ever added: ALTER TABLE … REPLICA IDENTITY FULL (an UPDATE or DELETE there then stops the move); then lockkeeper retry ROLLOUT",
  },
  "postgresql.target-not-empty": {
    says: "{database} is there already and not empty: {first}",
    next: "drop there what nobody needs, or take another server; nothing that is not ours is dropped",
  },
  "postgresql.extension-rows": {
    says: "{database} was there before, and its extensions have rows in {tables}: the old server's own rows of these tables are carried",
    next: "psql -d {database} -c 'TRUNCATE {tables} CASCADE' on the new server, then lockkeeper retry ROLLOUT",
  },
  "postgresql.schema-not-loaded": { says: "{database}: its tables have not been loaded by this rollout" },
  "postgresql.database-was-there": {
    says: "{database} was there before, empty, and now holds {first}; what was loaded into it is not ours to drop with it",
    next: 'SET default_transaction_read_only = off; DROP DATABASE "{database}"; CREATE DATABASE "{database}" as it was; then lockkeeper retry ROLLOUT',
  },
  "postgresql.contents-not-met": {
    says: "the contents of {database} were not compared: in {tries} tries both servers did not stand at one moment ({cause})",
    next: "a transaction of an application that holds its locks for long keeps every try from the tables. Look: SELECT pid, xact_start, query FROM pg_stat_activity WHERE xact_start < now() - interval '1 second'; then lockkeeper retry ROLLOUT, at a quieter time",
  },
  "postgresql.database-new": {
    says: "came to the old server after it was planned, and is not copied: {databases}. The cut-over would close it",
    next: "DROP DATABASE it, or move it to another server, then lockkeeper retry ROLLOUT; to take it along: lockkeeper plan --back ROLLOUT, and plan anew",
  },
  "postgresql.database-not-ours": {
    says: "{database} on the new server is not the one that this rollout has made: it was dropped and made anew since, or the whole server was",
    next: "nothing was dropped. Whoever made it may need it: ALTER DATABASE … RENAME TO another name, or DROP DATABASE by hand, then lockkeeper retry ROLLOUT",
  },
  "postgresql.database-opened": {
    says: "the new server takes writes, and {database} would be dropped with them",
    next: "nothing was dropped. Does nobody need its rows? Then ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf(); on the new server, then lockkeeper retry ROLLOUT",
  },
  "postgresql.server-replaced": {
    says: "{cluster}: {node} is another server than the one of rollout {rollout}: system identifier {found}, then {expected}",
    next: "is this the right address and port? What the rollout has made is on the server with the identifier {expected}",
  },
  "postgresql.parcel-missing": {
    says: "{what} of the other side did not come to this host",
    next: "another coordinator may have taken over, and they share no folder (artefacts:); plan the way back, then plan anew",
  },
  "postgresql.password-missing": { says: "the password of {role} is not on this host any more" },
  "postgresql.hba-unreadable": {
    says: "{file}, line {line}: {cause}; the file was put back as it was",
    next: "mend that line, then lockkeeper retry ROLLOUT",
  },
  "postgresql.not-reloaded": {
    says: "the server was told to read its configuration again, {file} with it, and did not",
    next: "SELECT sourcefile, sourceline, name, error FROM pg_file_settings WHERE error IS NOT NULL; mend what keeps it from that, then lockkeeper retry ROLLOUT",
  },
  "postgresql.file-not-read": {
    says: "the server's own account cannot read {path}: {cause}",
    next: "let it read that file and enter every folder above it (passfileFolder, sslRootCert in the agent's file), then lockkeeper retry ROLLOUT",
  },
  "postgresql.slot-missing": {
    says: "the slot is gone: {slots}",
    next: "what was not copied yet is lost to the new server: lockkeeper plan --back ROLLOUT, then plan anew",
  },
  "postgresql.slot-lost": {
    says: "the server has given up the WAL of slot {slot}",
    next: "lockkeeper plan --back ROLLOUT, then plan anew; look at max_slot_wal_keep_size",
  },
  "postgresql.slot-idle": {
    says: "nobody reads slot {slot} ({lag} bytes behind)",
    next: "look at the subscription on the other side, and at its server's log",
  },
  "postgresql.lagging": { says: "slot {slot} is {lag} bytes behind; at most {max} are wanted" },
  "postgresql.not-drained": {
    says: "the other side has not confirmed all that was written before the fence: {databases}",
    next: "nothing was opened; find out why it is slow, then lockkeeper retry ROLLOUT",
  },
  "postgresql.fence-not-standing": {
    says: "the fence does not stand: {found}",
    next: "find out who goes on writing; nothing was opened",
  },
  "postgresql.closed-already": {
    says: "the server is read-only already, and this rollout has not closed it: at the end it would stay closed",
    next: "find out who has closed it; SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); ALTER DATABASE … CONNECTION LIMIT -1; then lockkeeper retry ROLLOUT",
  },
  "postgresql.still-closed": {
    says: "{node} should be open and is not: {databases} (read-only: {readOnly})",
    next: "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); ALTER DATABASE … CONNECTION LIMIT as before; then lockkeeper retry ROLLOUT",
  },
  "postgresql.fence-fallen": {
    says: "the old server is open again: {open} (read-only: {readOnly})",
    next: "find out who has opened it, and close it: rows may have come to both",
  },
  "postgresql.fence-was-opened": {
    says: "{node}, the old server, was opened to clients after the cut-over ({measured} of its databases): rows may be there that the new server does not have",
    next: "look there for rows that came after the cut-over, bring them to the new server by hand, and close the old one again; then resume. What is not brought over is lost when the old server goes",
  },
  "postgresql.written-behind-fence": {
    says: "looked for what somebody has written on {node} behind its fence, after it was measured: {found}",
    next: "nothing was opened. The fence comes down by itself when its limit has passed, and the rows then go over like all others. Find out who writes there as a superuser; then lockkeeper retry ROLLOUT",
  },
  "postgresql.rows-left-behind": {
    says: "looked for rows that somebody has written on {node} behind its fence, and that the open server does not have: {found}",
    next: "look at these tables on {node}, as its superuser. What is wanted goes to the open server by hand: delete it on {node} before (SET default_transaction_read_only = off), since replication would bring it there once more. Where something was not looked at, look again: lockkeeper retry ROLLOUT; where nothing is missing any more, say so by the command: what was found is told once more at the end. The way back asks for equal rows on both servers, too",
  },
  "postgresql.data-differs": {
    says: "{database} is not the same on both sides: {found}",
    next: "nothing was opened, the old server is whole; lockkeeper abort ROLLOUT, and look for the cause",
  },
  "postgresql.counting-too-long": {
    says: "{database}: its rows were not counted within {withinMs} ms, which is half of the fence's limit",
    next: "the old server is whole and serves. Set a longer fence-limit, and mind that applications wait for as long; then plan anew. Was anything made already, before it: lockkeeper plan --back ROLLOUT",
  },
  "postgresql.schemas-differ": {
    says: "{database}: the schema was changed on one side alone: {found}",
    next: "make the same change on the other side (on the new server as its superuser: SET default_transaction_read_only = off), for a new table also ALTER SUBSCRIPTION … REFRESH PUBLICATION; then lockkeeper retry ROLLOUT",
  },
  "postgresql.changed-by-hand": {
    says: "the old server's tables were changed in a way that cannot be made on the new one without a person: {found}",
    next: "make the same change on the new server (as its superuser: SET default_transaction_read_only = off), or take it back on the old one; then lockkeeper retry ROLLOUT",
  },
  "postgresql.late-not-empty": { says: "{cause}: they would be there twice; TRUNCATE it on the new server" },
  "postgresql.table-missing": {
    says: "{database} stopped following: {cause}",
    next: "where it is not made by itself: create the table on the new server as on the old one (SET default_transaction_read_only = off), then ALTER SUBSCRIPTION {subscription} REFRESH PUBLICATION",
  },
  "postgresql.column-missing": {
    says: "{database} stopped following: {cause}",
    next: "where it is not added by itself: add the column on the new server as on the old one (SET default_transaction_read_only = off): it goes on by itself",
  },
  "postgresql.identity-missing": {
    says: "{database} stopped following: {cause}",
    next: "where it is not given by itself: give the table on the new server the identity that it has on the old one: ALTER TABLE … REPLICA IDENTITY …",
  },
  "postgresql.row-conflict": {
    says: "{database} stopped following: {cause}; somebody has written to the new server, or a table was not empty",
    next: "delete that row on the new server (TRUNCATE a table whose copy has not ended): it goes on by itself",
  },
  "postgresql.type-incomparable": {
    says: "{database} stopped following: {cause}",
    next: "a row was changed or deleted in a table without a key. On both servers (on the closed one as its superuser: SET default_transaction_read_only = off): ALTER TABLE … ADD PRIMARY KEY (…), or a unique index over columns that are NOT NULL and ALTER TABLE … REPLICA IDENTITY USING INDEX …; where no column is unique, json as jsonb: ALTER TABLE … ALTER COLUMN … TYPE jsonb (it rewrites the table). Or leave the old types, and on the server that follows alone: ALTER TABLE … ALTER COLUMN … TYPE text, each of json and xml, and when the row has come: ALTER COLUMN … TYPE json USING …::json. It goes on by itself. Where nothing of this will do: before the cut-over lockkeeper plan --back ROLLOUT",
  },
  "postgresql.apply-failed": {
    says: "{database} stopped following: {cause}",
    next: "mend it on the new server: {subscription} tries again every few seconds. To give up: lockkeeper plan --back ROLLOUT",
  },
  "postgresql.unreplicated-too-much": {
    says: "large objects and rows of unlogged tables have grown to {bytes} bytes, and {limit} go along (carry-limit-bytes): {found}",
    next: "nothing was opened. Let go of what nobody needs (vacuumlo, TRUNCATE), then lockkeeper retry ROLLOUT; or raise carry-limit-bytes, fence-limit with it, and plan anew; on the way forth, before it: lockkeeper plan --back ROLLOUT",
  },
  "postgresql.unreplicated-open": {
    says: "the server takes writes: large objects and unlogged rows of somebody may be there, and would be replaced",
    next: "nothing was changed; see who has opened it",
  },
  "postgresql.sequences-differ": { says: "sequences are not the same on both sides: {found}" },
  "postgresql.hook-failed": { says: "the command {hook} of the agent's file ended with {exitCode}" },
  "postgresql.left-overs": {
    says: "still there: {found}",
    next: "remove it by hand, then lockkeeper retry ROLLOUT",
  },
  "postgresql.facts-unreadable": { says: "{node} says nothing that can be read as PostgreSQL's" },
  "postgresql.follows": {
    says: "{database}: {standing}, {ready} of {tables} tables, {bytes} bytes ({errors} errors so far)",
  },
  "postgresql.slot": {
    says: "slot {slot}: {lag} bytes behind, {kept} bytes of WAL kept for it, {read}",
  },
  "postgresql.wal-room": { says: "the disk of its WAL is {used} % full, {free} bytes are free" },
  "postgresql.wal-full-in": {
    says: "the disk of its WAL is {used} % full, {free} bytes are free; at {pace} bytes of WAL per second it is full in {fullIn}, if nothing more is confirmed",
  },
  "postgresql.copying": { says: "{database}: {ready} of {tables} tables follow, {bytes} bytes are copied" },
  "postgresql.subscription-missing": { says: "{database} has no subscription of this move" },
  "postgresql.subscription-down": {
    says: "initializing or down: no worker applies {subscription} of {database} ({errors} errors so far)",
    next: "look at the new server's log",
  },
  "postgresql.subscription-stopped": {
    says: "{database} stopped following at an error: {subscription} was disabled by its server",
    next: "look at the new server's log; mend the cause, ALTER SUBSCRIPTION {subscription} ENABLE, then lockkeeper resume ROLLOUT",
  },
};
