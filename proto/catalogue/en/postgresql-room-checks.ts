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

/** Words of the checks of room on two PostgreSQL servers: slots, senders, workers, disks. */
export const postgresqlRoomChecks: Catalogue = {
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
