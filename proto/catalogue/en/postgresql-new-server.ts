import type { Catalogue } from "../render.ts";

const without = (id: string) =>
  `without it: lockkeeper pause {cluster}, then lockkeeper resume {cluster} --ack postgresql.${id} --reason "…"`;
const waits = "the rollout waits for it in its stage ready, before it asks for the cut-over";

/** Words of what the new server must have before the cut-over: standbys, a backup, connections. */
export const postgresqlNewServer: Catalogue = {
  "gate.postgresql.new-server-ready": {
    says: "the new server has what is asked of it: standbys {standbys}, connections {connections}, backup {backup}",
  },
  "check.postgresql.target-standbys": { says: "the target has its standbys ({standbys} wanted)" },
  "check.postgresql.target-standbys.warn": {
    says: waits,
    next: "pg_basebackup -R … from {cluster}; new-standbys in the inventory says how many; or --ack postgresql.target-standbys with apply",
  },
  "check.postgresql.target-standbys.unknown": { says: "they could not be counted" },
  "check.postgresql.target-backup": { says: "the target has its backup (by {backup})" },
  "check.postgresql.target-backup.warn": {
    says: waits,
    next: "set up its archive and take a first backup; new-backup in the inventory says by what it is proven; or --ack postgresql.target-backup with apply",
  },
  "check.postgresql.target-backup.ko": {
    says: "new-backup is hook, and nobody can ask there",
    next: "write engine.settings.hooks.proveBackup into the agent's file on {node} and restart the agent; or new-backup: archive, or none",
  },
  "check.postgresql.target-backup.unknown": { says: "it could not be looked at" },
  "check.postgresql.target-connections": { says: "the target takes as many connections as are wanted" },
  "check.postgresql.target-connections.ko": {
    says: "max_connections of {cluster} is too low for the clients that come",
    next: "ALTER SYSTEM SET max_connections = {connections}; then restart PostgreSQL of {cluster}; or settings: { new-connections: … } in the inventory",
  },
  "check.postgresql.target-connections.unknown": { says: "the settings could not be read" },
  "postgresql.new-standbys-missing": {
    says: "{found} of {wanted} standbys follow {node}; seen: {names}",
    next: `pg_basebackup -R … from {node}, and start it; ${without("target-standbys")}`,
  },
  "postgresql.new-standbys-behind": {
    says: "{found} of {wanted} standbys of {node} stream and are at most {maxLagBytes} bytes behind; seen: {names}",
    next: `look at their logs where they do not catch up; ${without("target-standbys")}`,
  },
  "postgresql.new-archive-off": {
    says: "archive_mode is off on {node}: it would have no backup that can be brought to a moment",
    next: `ALTER SYSTEM SET archive_mode = on, and archive_command; restart PostgreSQL of {cluster}, and take a first backup; ${without("target-backup")}`,
  },
  "postgresql.new-archive-failing": {
    says: "{node} does not get its WAL archived: {file} failed last",
    next: `try archive_command by hand as the server's account, and look at the server's log; ${without("target-backup")}`,
  },
  "postgresql.new-archive-old": {
    says: "{node} has archived no file of WAL within {within}",
    next: `SELECT pg_switch_wal(); and look at archive_command and archive_timeout; ${without("target-backup")}`,
  },
  "postgresql.new-backup-no-hook": {
    says: "the agent's file of {node} names no command proveBackup",
    next: `write engine.settings.hooks.proveBackup into it and restart the agent; ${without("target-backup")}`,
  },
  "postgresql.new-backup-missing": {
    says: "the command proveBackup of {node} says that there is no fresh backup: it ended with {exitCode} ({said})",
    next: `take a backup of {node}; ${without("target-backup")}`,
  },
  "postgresql.new-connections-few": {
    says: "max_connections of {node} is {found}; wanted are {wanted}",
    next: `ALTER SYSTEM SET max_connections = {wanted}; restart PostgreSQL of {cluster}; ${without("target-connections")}`,
  },
  "postgresql.backup-not-asked": { says: "the command proveBackup did not come to its end: {cause}" },
  "postgresql.standbys-not-shown": {
    says: "the agent's account does not see who follows the server",
    next: "name a superuser as user in the agent's file",
  },
};
