/** Names of what one rollout makes on servers, so that each left-over tells whose it is. At most 63 bytes, as slots allow. */
import { createHash } from "node:crypto";
import { ownPrefix } from "#proto/engines/postgresql-names.ts";
import { isShortenedTo } from "./pglogical/slot-name.ts";

export type Direction = "forward" | "back";

/** A condition of SQL: what that column names is ours. */
export const isOwn = (column: string) => `${column} LIKE '${ownPrefix.replaceAll("_", "\\_")}%'`;

function base(rollout: string, direction: Direction): string {
  const plain = rollout.toLowerCase().replace(/[^a-z0-9]+/g, "_");
  const id = plain.length <= 30 ? plain : `${plain.slice(0, 21)}_${hash(rollout)}`;
  return `${ownPrefix}${id}${direction === "back" ? "_back" : ""}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The role that the other side connects as. */
export function roleName(rollout: string, direction: Direction): string {
  return base(rollout, direction);
}

export function publicationName(rollout: string, direction: Direction): string {
  return base(rollout, direction);
}

/** Of a subscription and of its slot: one for each database. */
export function subscriptionName(rollout: string, direction: Direction, database: string): string {
  return `${base(rollout, direction)}_${hash(database)}`;
}

/** The role by which a server whose mover is pglogical connects to itself: so it writes the rows of a copy. */
export function selfRoleName(rollout: string, direction: Direction): string {
  return `${base(rollout, direction)}_self`;
}

export interface Stream {
  readonly rollout: string;
  readonly direction: Direction;
  readonly database: string;
}

/** The one slot of a stream, whichever mover has made it: pglogical gives it a name of its own. */
export function isSlotOf({ rollout, direction, database }: Stream, slot: string): boolean {
  const subscription = subscriptionName(rollout, direction, database);
  return (
    slot === subscription || isShortenedTo(slot, { node: publicationName(rollout, direction), subscription })
  );
}

/**
 * A slot of a table's own copy, which its subscriber's server has named: `pg_<subscription>_sync_<table>_<system identifier>`.
 * Only by that identifier it is told from those of other subscribers. From 14 on; before, they go with their connection.
 */
export function isSyncOf(subscriber: string | undefined, slot: string): boolean {
  return subscriber !== undefined && /^pg_\d+_sync_\d+_(\d+)$/.exec(slot)?.[1] === subscriber;
}

/** Whether a slot, subscription, publication or role was made by this rollout, in either direction. */
export function isOf(rollout: string, name: string): boolean {
  const own = base(rollout, "forward");
  return (
    name === own ||
    name.startsWith(`${own}_`) ||
    isShortenedTo(name, { node: own }) ||
    isShortenedTo(name, { node: base(rollout, "back") })
  );
}
