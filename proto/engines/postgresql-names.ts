/** How what this tool makes on a PostgreSQL server is known again, at both ends of the wire. */

/** What each of its names begins with. */
export const ownPrefix = "lockkeeper_";

/** Of a role, publication, subscription, replication set or slot that this tool has named itself. */
export function isOwnName(name: string): boolean {
  return name.startsWith(ownPrefix);
}

/** What pglogical leaves of the prefix, where it cuts a name short: its first eight bytes. */
export const ownStub = ownPrefix.slice(0, 8);

/** Slots and origins that pglogical has named after a subscription of ours: a pattern, read alike by JavaScript and by the server. */
export const ownPglogicalSlot = `^pgl_.*_${ownStub}[0-9a-f]{7,8}$`;
