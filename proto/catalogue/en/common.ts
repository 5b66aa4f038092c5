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
  "inventory.kept": { says: "not in the file, kept: {clusters}; --prune removes them" },
  "inventory.node-kept": {
    says: "{what} of cluster {cluster} is in cluster {kept} too, which is not in the file and would be kept; nothing was changed",
    next: "lockkeeper cluster diff {file} --prune shows what would be removed; cluster apply with --prune removes it",
  },
  "cluster.unknown": {
    says: "there is no cluster {cluster} in the inventory",
    next: "lockkeeper cluster list",
  },
  "fleet.strangers": {
    says: "agents that are not in the inventory, and given nothing to do ({count})",
    next: "lockkeeper doctor",
  },
  "node.not-in-inventory": {
    says: "an agent that calls itself {node} dials in from {from}, and the inventory has no node of that name",
    next: "lockkeeper doctor",
  },
  "node.unknown": { says: "there is no node {node} in the inventory", next: "lockkeeper node list" },
};
