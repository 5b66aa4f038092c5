/** Settings that only a restart brings into force: the few that a message may name, and what it may set them to. */
import { z } from "zod";
import { jsonArg } from "../../json-arg.ts";

const count = z.string().regex(/^[1-9]\d{0,5}$/);

const schema = z
  .strictObject({
    wal_level: z.literal("logical"),
    max_active_replication_origins: count,
    max_replication_slots: count,
    max_wal_senders: count,
    max_worker_processes: count,
    max_logical_replication_workers: count,
    /** The whole list. */
    shared_preload_libraries: z.string().regex(/^[\w$./-]+(, ?[\w$./-]+)*$/),
  })
  .partial();

export type Wanted = Readonly<Record<string, string>>;

/** As a JSON object: name to value. */
export const wanted = jsonArg("a JSON object of settings", schema).transform(
  (read): Wanted => Object.fromEntries(Object.entries(read).flatMap(toldOf)),
);

function toldOf([name, value]: readonly [string, string | undefined]): readonly (readonly [
  string,
  string,
])[] {
  return value === undefined ? [] : [[name, value]];
}
