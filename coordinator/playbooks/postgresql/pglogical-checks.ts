/** What pglogical needs beyond what every mover does, and what it cannot carry. */
import {
  checksOf,
  foreignSlots,
  foreignWorkers,
  processes,
  type Room,
  senders,
  source,
  target,
} from "./capacity-checks.ts";
import { byDatabase, firstOf, type PairCheck, type SideCheck } from "./pair.ts";
import { librariesIn } from "./pair-checks.ts";
import { judge, result } from "./result.ts";
import { majorOn } from "./sides.ts";

const extension = "pglogical";
const plugin = "pglogical_output";
/** The majors that a move by pglogical was run between. */
const tested: ReadonlySet<number> = new Set([15, 17, 18]);

const installed: SideCheck = (side) =>
  judge({ id: `${side.role}-pglogical` }, side.facts.available, (available) => [
    available[extension] === undefined ? "ko" : "ok",
    { cluster: side.cluster, major: String(majorOn(side)), version: available[extension] ?? "" },
  ]);

const loaded: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-pglogical-preload` }, facts.settings, (all) => {
    const there = librariesIn(all);
    const wanted = [...there, extension].join(", ");
    return [there.includes(extension) ? "ok" : "ko", { cluster, found: there.join(", "), wanted }];
  });

/** The plan adds it, where this server knows the setting at all, and puts back what was there. */
const trusted: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-pglogical-plugin` }, facts.settings, ({ output_plugin_libraries: listed }) => {
    const isTrusted = listed === undefined || listed.split(",").some((each) => each.trim() === plugin);
    return [isTrusted ? "ok" : "warn", { cluster, found: listed ?? "" }];
  });

const versions: SideCheck = (side) =>
  result({ id: `${side.role}-pglogical-version` }, tested.has(majorOn(side)) ? "ok" : "warn", {
    cluster: side.cluster,
    found: side.server.version,
    tested: [...tested].join(", "),
  });

export const pglogicalSideChecks: readonly SideCheck[] = [installed, loaded, trusted, versions];

/** It knows a row by a key or by a chosen index: what other movers carry by the whole row it would leave behind silently. */
const keyless: PairCheck = ({ databases }) => {
  const { found, count } = byDatabase(databases, ({ keyless: names, counts: { keyless: all } }) => ({
    names,
    ...(all === undefined ? {} : { count: all }),
  }));
  return result({ id: "pglogical-keyless" }, count === 0 ? "ok" : "ko", { found, count: String(count) });
};

/** A database is one node at most. */
const nodes: PairCheck = ({ databases, source: from, target: into }) =>
  judge({ id: "pglogical-node" }, into.facts.databases, (theirs) => {
    const carried = new Set(databases.map(({ name }) => name));
    const found = [
      ...databases.map((each) => ({ ...each, cluster: from.cluster })),
      ...theirs.filter(({ name }) => carried.has(name)).map((each) => ({ ...each, cluster: into.cluster })),
    ].flatMap(({ name, pglogicalNode, cluster }) =>
      pglogicalNode === null ? [] : [`${pglogicalNode} in ${name} of ${cluster}`],
    );
    return [found.length === 0 ? "ok" : "ko", { found: firstOf(found) }];
  });

/** Patroni drops a slot that it was not told of, and these have other names than those that it can be told. */
const patroni: PairCheck = ({ source: { cluster, facts } }) =>
  judge({ id: "pglogical-patroni" }, facts.patroni, (found) => [found === null ? "ok" : "ko", { cluster }]);

export const pglogicalPairChecks: readonly PairCheck[] = [keyless, nodes, patroni];

const slots = "max_replication_slots";

const oneEach: Room["demand"] = ({ databases: { length } }) => ({ needs: length, wants: length });
/** One connection more for the snapshot of each database that is in copy. */
const withCopy: Room["demand"] = ({ databases: { length }, settings }) => ({
  needs: length + Math.min(length, settings.databasesAtOnce),
  wants: 2 * length,
});
/** One supervisor; in each database a manager, and a worker for the rows that come; while it starts, one more looks into a database. */
const workers: Room["demand"] = ({ databases: { length } }) => ({
  needs: 2 * length + 2,
  wants: 2 * length + 2,
});

const rooms: readonly Room[] = [
  { id: "source-slot-room", side: source, settings: [slots], used: foreignSlots, demand: oneEach },
  { id: "source-sender-room", side: source, settings: ["max_wal_senders"], used: senders, demand: withCopy },
  {
    id: "source-process-room",
    side: source,
    settings: ["max_worker_processes"],
    used: processes,
    demand: workers,
  },
  {
    id: "target-process-room",
    side: target,
    settings: ["max_worker_processes"],
    used: processes,
    demand: workers,
  },
  {
    id: "target-origin-room",
    side: target,
    settings: ["max_active_replication_origins", slots],
    used: foreignWorkers,
    demand: oneEach,
  },
  { id: "target-slot-room", side: target, settings: [slots], used: foreignSlots, demand: oneEach },
  { id: "target-sender-room", side: target, settings: ["max_wal_senders"], used: senders, demand: oneEach },
];

export const pglogicalRooms: readonly PairCheck[] = checksOf(rooms);
