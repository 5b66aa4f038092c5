import type { Catalogue } from "../render.ts";

export const store: Catalogue = {
  "store.unreachable": {
    says: "the coordinator's store (NATS) does not answer: {cause}",
    next: "lockkeeper doctor; nodes in work go on by themselves, no further node is started",
  },
  "store.unreadable": {
    says: "the record of {key} in NATS cannot be read: {cause}; nothing is granted",
    next: "lockkeeper doctor",
  },
  "store.log-damaged": {
    says: "the event log {log} has a hole or a repeat at {at}: NATS has lost writes; nothing is decided from it",
    next: "lockkeeper doctor",
  },
  "nats.not-started": {
    says: "nats-server ({binary}) did not start: {cause}",
    next: "name servers of your own under nats.servers in the coordinator's file",
  },
};
