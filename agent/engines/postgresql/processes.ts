/** Processes of `pg_stat_activity`, by whom they belong to: the server itself, a mover, or somebody who may write rows. */

/** In the words of 10 to 18. A parallel worker belongs to a session, which is looked at itself. */
const ofServer = [
  "walsender",
  "autovacuum launcher",
  "autovacuum worker",
  "startup",
  "checkpointer",
  "background writer",
  "walwriter",
  "walreceiver",
  "archiver",
  "walsummarizer",
  "slotsync worker",
  "io worker",
  "logger",
  "standalone backend",
  "parallel worker",
  "logical replication apply worker",
  "logical replication tablesync worker",
  "logical replication parallel worker",
  "logical replication worker",
];

/** What was registered as one, by an extension or by the server, and is not replication's: each takes a place of its own. */
export const isBackgroundWorker = `
  backend_type <> ALL (ARRAY['client backend', ${ofServer.map((kind) => `'${kind}'`).join(", ")}])`;

/** Its rows come from elsewhere. 10 calls all of them `background worker`. */
const isApplying = `
  (backend_type LIKE 'logical replication%' OR backend_type LIKE 'pglogical%'
   OR pid IN (SELECT pid FROM pg_stat_subscription WHERE pid IS NOT NULL))`;

/**
 * A worker of an extension that is in a transaction. It may write, whatever was set since it began; before its first row it has no
 * number, and a procedure that commits has none in between.
 */
export const isAtWork = `(${isBackgroundWorker} AND NOT ${isApplying} AND xact_start IS NOT NULL)`;

/** With a number of its own; what vacuum writes are no rows. */
export const isWriting = `(backend_xid IS NOT NULL AND backend_type <> 'autovacuum worker' AND NOT ${isApplying})`;
