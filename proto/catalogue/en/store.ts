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
  "store.forgets": {
    says: "the bucket {bucket} in NATS lets records expire after {expiryMs} ms: a held lock would vanish by itself",
    next: "take the expiry off: nats stream edit KV_{bucket} --max-age=0",
  },
  "store.format-unknown": {
    says: "{key} is kept in NATS in format {format}, and this coordinator reads up to {known}; nothing is decided from it",
    next: "run the coordinator that wrote it, or a newer one",
  },
  "store.too-few-servers": {
    says: "NATS cannot keep {replicas} copies: {cause}",
    next: "name three servers under nats.servers in the coordinator's file, or say nats: { replicas: 1 } for a trial",
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
