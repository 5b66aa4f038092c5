/** Pieces of questions to a server about those to whom it sends its WAL. */

/** Where this server writes: a standby has only what it has received. */
export const here =
  "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END";

/** Senders of changes: each has a logical slot. */
export const logicalPids =
  "SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL";
