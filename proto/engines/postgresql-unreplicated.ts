/** What logical replication does not carry and a move takes along itself. Both ends import this file. */

export const unreplicatedKinds = ["large-objects", "unlogged"] as const;
/** `unlogged`: the rows of unlogged tables. */
export type UnreplicatedKind = (typeof unreplicatedKinds)[number];
