/** Standing orders of a move: a server is never given up for its copy, and a copy that is lost is not waited for. */
import type { WatchSpec } from "../../domain/plan.ts";
import { type Endpoint, list, type Move } from "./move.ts";
import { call } from "./step.ts";

const everyMs = 10_000;
const perDatabaseMs = 1_000;

/** Both ends of one direction: whose WAL is kept, and for whom. */
interface Flow {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly direction: "forward" | "back";
}

export function forwardOf({ source, target }: Move): Flow {
  return { from: source, to: target, direction: "forward" };
}

export function backOf({ source, target }: Move): Flow {
  return { from: target, to: source, direction: "back" };
}

/** Where the disk of the WAL gets full, replication is given up, and not the server. */
export function roomWatch(id: string, { from, to }: Flow, giveUpAtPercent: number): WatchSpec {
  return {
    id,
    cluster: from.input.cluster.name,
    node: from.node,
    probe: call("wal-disk-percent"),
    warnAt: Math.max(1, giveUpAtPercent - 10),
    reactAt: giveUpAtPercent,
    reaction: call("give-up-replication", { subscriber: to.systemId }),
    everyMs,
  };
}

/** While all its tables are published, an UPDATE fails in one that has no identity: it is given one, and looked on. */
export function identityWatch(
  id: string,
  { input, node }: Endpoint,
  databases: readonly string[],
): WatchSpec {
  const args = { databases: list(databases) };
  return {
    id,
    cluster: input.cluster.name,
    node,
    probe: call("tables-without-identity", args),
    warnAt: 1,
    reactAt: 1,
    reaction: call("give-identities", args),
    // a look has no more time than this for all of them
    everyMs: Math.max(everyMs, databases.length * perDatabaseMs),
    goesOn: true,
  };
}

/** By the server's own limit for slots, where it has one: of what it has given up nothing is left to wait for. */
export function slotWatch(
  id: string,
  { from, to, direction }: Flow,
  databases: readonly string[],
): WatchSpec {
  return {
    id,
    cluster: from.input.cluster.name,
    node: from.node,
    probe: call("slot-room-percent", { databases: list(databases), direction }),
    warnAt: 75,
    reactAt: 100,
    reaction: call("give-up-replication", { subscriber: to.systemId }),
    everyMs,
  };
}

/**
 * The gate looks every half minute, and only at what is now. What was written while the server was open is on no other one, also when
 * it is closed again.
 */
export function fenceWatch({ source }: Pick<Move, "source">): WatchSpec {
  return {
    id: "fence-openings",
    cluster: source.input.cluster.name,
    node: source.node,
    probe: call("fence-openings"),
    warnAt: 1,
    reactAt: 1,
    reaction: call("note-fence-openings"),
    everyMs,
    reactionMeans: "postgresql.fence-was-opened",
  };
}
