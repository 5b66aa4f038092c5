import type { Catalogue } from "../render.ts";

/** Words of what a plan of PostgreSQL measures, watches and would undo: gates, probes, reactions, undos. */
export const postgresqlGates: Catalogue = {
  "gate.postgresql.answers": { says: "the server of {cluster} ({node}) answers, as primary or as standby" },
  "gate.postgresql.serves": { says: "the server of {cluster} ({node}) answers, and is no standby" },
  "gate.postgresql.serves-as": {
    says: "the server of {cluster} runs {version}, and is not the one with the system identifier {not}",
  },
  "gate.postgresql.copied": {
    says: "on {cluster} ({node}) every table has its rows and follows, in {databases}",
  },
  "gate.postgresql.caught-up": {
    says: "each slot of the move on {cluster} ({node}) is read, and at most {maxLagBytes} bytes behind",
  },
  "gate.postgresql.fenced": { says: "{cluster} ({node}) is closed to clients, in every database" },
  "gate.postgresql.opened": { says: "{cluster} ({node}) is open to clients, in {databases}" },
  "gate.postgresql.following": {
    says: "{cluster} ({node}) takes over what the other server writes, in {databases}",
  },
  "probe.postgresql.wal-disk-percent": { says: "how full the disk of the WAL is, in percent" },
  "probe.postgresql.slot-room-percent": {
    says: "how much the slots have used up of the WAL that they may keep (max_slot_wal_keep_size), in percent",
  },
  "probe.postgresql.tables-without-identity": {
    says: "how many published tables cannot be found by their rows",
  },
  "probe.postgresql.fence-openings": { says: "how many databases of the closed server were opened" },
  "reaction.postgresql.give-up-replication": {
    says: "replication is given up: its slots go, and the server goes on",
  },
  "reaction.postgresql.give-identities": { says: "these tables are given a replica identity" },
  "reaction.postgresql.note-fence-openings": { says: "it is noted, and the rollout stops" },
  "undo.postgresql.call-hook": { says: "the hook {hook} is called" },
  "undo.postgresql.unfence-writes": { says: "the server is opened as it was before" },
  "undo.postgresql.restore-identities": { says: "replica identities as they were" },
  "undo.postgresql.drop-roles": { says: "the roles that were made are dropped" },
  "undo.postgresql.drop-loaded": { says: "what was loaded into {database} is dropped" },
  "undo.postgresql.wake-triggers": { says: "triggers as they were" },
  "undo.postgresql.drop-password": { says: "the password goes from this host" },
  "undo.postgresql.dismiss-peer": { says: "the replication role and its line in pg_hba.conf go" },
  "undo.postgresql.unpublish": { says: "the publications are dropped" },
  "undo.postgresql.unsubscribe": { says: "the subscriptions are dropped" },
  "undo.postgresql.drop-slots": { says: "the slots are dropped" },
  "undo.postgresql.resume-subscriptions": { says: "the subscriptions are enabled again" },
  "undo.postgresql.restore-settings": { says: "the settings are written back as they were" },
  "undo.postgresql.take-back": { says: "the unit is unmasked, and started again" },
  "undo.postgresql.release-slots": { says: "Patroni is told no more to leave the slots alone" },
  "undo.postgresql.undeclare-slots": { says: "Patroni is told no more to keep the slots" },
  "undo.postgresql.resume-patroni": { says: "Patroni is resumed" },
  "undo.postgresql.pglogical-distrust-plugin": { says: "the setting for pglogical's plugin as it was" },
  "undo.postgresql.pglogical-drop-node": { says: "the nodes of pglogical are dropped" },
  "undo.postgresql.pglogical-unpublish": { says: "the replication sets are dropped" },
  "undo.postgresql.pglogical-unsubscribe": { says: "the subscriptions are dropped" },
  "undo.postgresql.pglogical-resume-subscriptions": { says: "the subscriptions are enabled again" },
  "undo.postgresql.remove-data": { says: "the data folder that was made goes" },
  "undo.postgresql.remove-configuration": { says: "the configuration that was carried goes" },
  "undo.postgresql.start-server": { says: "the server is started ({which})" },
  "undo.postgresql.stop-server": { says: "the server is stopped ({which})" },
  "undo.postgresql.unmask-unit": { says: "the unit is unmasked ({which})" },
  "undo.postgresql.stop-made": { says: "the server that was made is stopped" },
  "undo.postgresql.give-back": { says: "{what}: given back as it was" },
};
