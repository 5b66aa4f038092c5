/** How a database follows, in pgrepup's three words, and what keeps it from it. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { PgSubscription } from "#proto/engines/postgresql.ts";
import { isOwnName, ownPglogicalSlot } from "#proto/engines/postgresql-names.ts";

export type Standing = "initializing" | "replicating" | "down";

/** By the server's own words: which deed of a person helps. */
const causes: readonly (readonly [RegExp, Failure["code"]])[] = [
  [/target relation ".*" does not exist/, "postgresql.table-missing"],
  [/is missing replicated column/, "postgresql.column-missing"],
  [
    /has neither REPLICA IDENTITY|did not (include a replica|send replica) identity|does not have a replica identity/,
    "postgresql.identity-missing",
  ],
  [/duplicate key value|conflict detected/, "postgresql.row-conflict"],
  [/could not identify an equality operator/, "postgresql.type-incomparable"],
  [/first copy of .* was cut|nonrecoverable step/, "postgresql.pglogical-copy-cut"],
  [
    /slot .*(invalidated|does not exist)|can no longer (get changes|access)|cannot read from logical replication slot/,
    "postgresql.slot-missing",
  ],
];

export interface Follower {
  readonly standing: Standing;
  readonly facts: Readonly<Record<string, string>>;
  /** Why it does not follow; absent where it does, or only has not come so far. */
  readonly why?: Failure;
}

export function followerOf(node: string, own: PgSubscription): Follower {
  const { database, tables, isEnabled, isWorking, copiedBytes, errors } = own;
  const all = Object.values(tables).reduce((sum, count) => sum + count, 0);
  const ready = tables["r"] ?? 0;
  const facts = {
    node,
    database,
    subscription: own.name,
    tables: String(all),
    ready: String(ready),
    bytes: String(copiedBytes),
    errors: String(errors ?? "not counted"),
  };
  if (!isEnabled) return { standing: "down", facts, why: failure("postgresql.subscription-stopped", facts) };
  const cause = isWorking && ready === all ? undefined : causeOf(own);
  if (cause !== undefined)
    return {
      standing: "down",
      facts,
      why: failure(cause, { ...facts, slots: own.name, cause: own.lastError ?? "" }),
    };
  if (!isWorking) return { standing: "down", facts, why: failure("postgresql.subscription-down", facts) };
  return { standing: ready === all ? "replicating" : "initializing", facts };
}

/** The other server's restart and its way are no cause: it tries again by itself. */
const passing =
  /could not connect to|connection to server .* failed|terminating .* due to administrator command|could not receive data from WAL stream|could not start WAL streaming: .*connection/;

function causeOf({ lastError, errors }: PgSubscription): Failure["code"] | undefined {
  if (lastError === null) return undefined;
  const known = causes.find(([pattern]) => pattern.test(lastError))?.[1];
  // the server counts what ends a stream, and not what lets none begin
  if (errors === 0 && known !== "postgresql.slot-missing") return undefined;
  return known ?? (passing.test(lastError) ? undefined : "postgresql.apply-failed");
}

/** Subscriptions and slots of a move, by their names; pglogical names its slots itself, after the subscription. */
export function isOurs({ name }: { readonly name: string }): boolean {
  return isOwnName(name) || new RegExp(ownPglogicalSlot).test(name);
}

/** Of the way back: rows go from the new server to the old one. */
export function isBack({ name }: Pick<PgSubscription, "name">): boolean {
  return /_back_[0-9a-f]{8}$/.test(name);
}
