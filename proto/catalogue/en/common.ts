import type { Catalogue } from "../render.ts";

export const common: Catalogue = {
  "duration.unreadable": { says: '"{text}" is not a duration', next: "write it like 90s, 1m30s or 2h" },
  "duration.too-long": { says: "the duration {text} is longer than a year" },
  "measure.never-taken": { says: "it was never measured" },
  "coordinator.unreachable": {
    says: "no coordinator answers at {address}: {cause}",
    next: "lockkeeper serve   (on the coordinator's host), or --coordinator HOST:PORT",
  },
  "inventory.unreadable": { says: "the inventory was not applied, nothing was changed:\n{complaints}" },
  "cluster.unknown": {
    says: "there is no cluster {cluster} in the inventory",
    next: "lockkeeper cluster list",
  },
  "node.unknown": { says: "there is no node {node} in the inventory", next: "lockkeeper node list" },
};
