/** The movers by their method, and the one that is taken where none is named. */
import type { Mover } from "./mover.ts";
import { admitPeer } from "./steps/peers.ts";
import * as pglogical from "./steps/pglogical.ts";
import * as native from "./steps/replication.ts";

/** The server's own publications and subscriptions. */
const logicalReplication: Mover = {
  method: "logical-replication",
  publishesAll: true,
  tellsChanges: true,
  enter: () => [],
  admitPeer: (way, databases, peer) => admitPeer(way, databases, { peer }),
  publish: native.publish,
  unpublish: native.unpublish,
  subscribe: (databases, peer) => native.subscribe("forward", databases, { peer, copy: "yes" }),
  unsubscribe: native.unsubscribe,
  pauseSubscriptions: native.pauseSubscriptions,
  resumeSubscriptions: native.resumeSubscriptions,
  makeSlots: (databases) => native.makeSlots("back", databases),
  follow: (databases, peer) => native.subscribe("back", databases, { peer, copy: "no" }),
  leave: () => [],
};

/** The extension of that name. */
const throughPglogical: Mover = {
  method: "pglogical",
  publishesAll: false,
  tellsChanges: false,
  enter: (way, databases) => [pglogical.trustPlugin, pglogical.makeNode(way, databases)],
  admitPeer: (way, databases, peer) => admitPeer(way, databases, { peer, as: "superuser" }),
  publish: pglogical.publish,
  unpublish: pglogical.unpublish,
  subscribe: (databases, peer) => pglogical.subscribe("forward", databases, { peer, copy: "yes" }),
  unsubscribe: pglogical.unsubscribe,
  pauseSubscriptions: pglogical.pauseSubscriptions,
  resumeSubscriptions: pglogical.resumeSubscriptions,
  makeSlots: (databases) => pglogical.makeSlots("back", databases),
  follow: (databases, peer) => pglogical.subscribe("back", databases, { peer, copy: "no" }),
  leave: (way, databases, of = {}) => [pglogical.dropNode(way, databases, of), pglogical.distrustPlugin(of)],
};

const movers: readonly Mover[] = [logicalReplication, throughPglogical];

export const moveMethod = logicalReplication.method;
export const pglogicalMethod = throughPglogical.method;

export function moverOf(method: string = moveMethod): Mover | undefined {
  return movers.find((each) => each.method === method);
}
