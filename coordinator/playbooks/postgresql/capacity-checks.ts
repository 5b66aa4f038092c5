/**
 * Slots, senders and workers: how many a server has, and how many there must be. Each database has one subscription; each
 * table that is being copied has a worker, a slot and an origin more, of as many databases at once as are copied.
 */
import { failure } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { CheckResult } from "../../domain/check.ts";
import { isForeign, type Pair, type PairCheck } from "./pair.ts";
import { judge } from "./result.ts";
import { type Side, together } from "./sides.ts";

/** By the way forth: what must be there, and what is there where all databases copy tables at one time. */
export interface Demand {
  readonly needs: number;
  readonly wants: number;
}

export interface Room {
  readonly id: string;
  readonly side: (pair: Pair) => Side;
  /** The first of these that the server has. */
  readonly settings: readonly string[];
  readonly used: (side: Side) => Measured<number>;
  readonly demand: (pair: Pair, perTable: number) => Demand;
}

export const foreignSlots = ({ facts }: Side) => counted(facts.slots, (all) => all.filter(isForeign).length);
export const foreignWorkers = ({ facts }: Side) =>
  counted(facts.subscriptions, (all) => all.filter(isForeign).length);
export const senders = ({ facts }: Side) => facts.walSenders;
export const processes = (side: Side) =>
  counted(
    together(side.facts.backgroundWorkers, foreignWorkers(side)),
    ([others, workers]) => others + workers,
  );

export const source = (pair: Pair) => pair.source;
export const target = (pair: Pair) => pair.target;
const slots = "max_replication_slots";
const workers = "max_logical_replication_workers";

const copying: Room["demand"] = ({ databases, settings }, perTable) => {
  const count = databases.length;
  const atOnce = Math.min(count, settings.databasesAtOnce);
  return { needs: count + atOnce * perTable, wants: count * (1 + perTable) };
};
const oneEach: Room["demand"] = (pair) => copying(pair, 0);

/** The way back needs the same with the sides exchanged, and copies nothing. */
const rooms: readonly Room[] = [
  { id: "source-slot-room", side: source, settings: [slots], used: foreignSlots, demand: copying },
  { id: "source-sender-room", side: source, settings: ["max_wal_senders"], used: senders, demand: copying },
  { id: "source-worker-room", side: source, settings: [workers], used: foreignWorkers, demand: oneEach },
  {
    id: "source-process-room",
    side: source,
    settings: ["max_worker_processes"],
    used: processes,
    demand: oneEach,
  },
  { id: "target-worker-room", side: target, settings: [workers], used: foreignWorkers, demand: copying },
  {
    id: "target-process-room",
    side: target,
    settings: ["max_worker_processes"],
    used: processes,
    demand: copying,
  },
  {
    id: "target-origin-room",
    side: target,
    settings: ["max_active_replication_origins", slots],
    used: foreignWorkers,
    demand: copying,
  },
  { id: "target-slot-room", side: target, settings: [slots], used: foreignSlots, demand: oneEach },
  {
    id: "target-sender-room",
    side: target,
    settings: ["max_wal_senders"],
    used: senders,
    demand: oneEach,
  },
];

export const capacityChecks: readonly PairCheck[] = checksOf(rooms);

export function checksOf(all: readonly Room[]): readonly PairCheck[] {
  return all.map(
    (room): PairCheck =>
      (pair) =>
        roomOf(room, pair),
  );
}

function roomOf({ id, side: pick, settings, used, demand }: Room, pair: Pair): CheckResult {
  const side = pick(pair);
  const name = settings.find((each) => each in namesOf(side)) ?? settings[0] ?? "";
  const perTable = numberOf(pair.target, "max_sync_workers_per_subscription");
  const all = together(together(numberOf(side, name), used(side)), perTable);
  return judge({ id }, all, ([[has, taken], tables]) => {
    const { needs, wants } = demand(pair, tables);
    const status = has < taken + needs ? "ko" : has < taken + wants ? "warn" : "ok";
    return [
      status,
      {
        cluster: side.cluster,
        setting: name,
        has: String(has),
        used: String(taken),
        databases: String(pair.databases.length),
        needs: String(taken + needs),
        wants: String(taken + wants),
      },
    ];
  });
}

function namesOf({ facts: { settings } }: Side): Readonly<Record<string, string>> {
  return "value" in settings ? settings.value : {};
}

function numberOf({ facts: { settings } }: Side, name: string): Measured<number> {
  if (!("value" in settings)) return settings;
  const text = settings.value[name];
  if (text !== undefined) return { at: settings.at, value: Number(text) };
  return { at: settings.at, unknown: failure("postgresql.setting-not-told", { name }) };
}

function counted<T>(found: Measured<T>, count: (value: T) => number): Measured<number> {
  return "value" in found ? { at: found.at, value: count(found.value) } : found;
}
