/**
 * A coordinator that does not lead has no agents and an old inventory: whatever it said of the fleet would be
 * wrong. So it answers with the leader's address, and keeps to what the store alone can tell.
 */
import { fail } from "#proto/common/failure.ts";
import type { ArtefactShelf, ControlPort } from "./control-port.ts";

export type LeaderView = () => { readonly leads: boolean; readonly address: string };

/** Told from the store, or of this very coordinator. */
const anywhere: ReadonlySet<string> = new Set<keyof ControlPort>([
  "watch",
  "listSnapshots",
  "snapshot",
  "doctor",
]);

export function leaderOnly(port: ControlPort, leader: LeaderView): ControlPort {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const { leads, address } = leader();
        return leads || anywhere.has(String(name))
          ? Reflect.apply(member, target, args)
          : Promise.resolve(fail("coordinator.not-leader", { leader: address }));
      };
    },
  });
}

/** Packages go to the coordinator that plans with them. */
export function shelfOfLeader(shelf: ArtefactShelf, leader: LeaderView): ArtefactShelf {
  return {
    list: () => shelf.list(),
    push: async (header, chunks) => {
      const { leads, address } = leader();
      return leads ? shelf.push(header, chunks) : fail("coordinator.not-leader", { leader: address });
    },
  };
}
