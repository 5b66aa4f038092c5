/** What a coordinator keeps in NATS, opened: one register, log or shelf each. Starts the own nats-server where none is named. */
import { join } from "node:path";
import { type EmbeddedNats, startEmbedded } from "../nats/embedded.ts";
import { auditEntries, rolloutEvents, snapshotDocuments } from "../nats/histories.ts";
import {
  claimRecords,
  inventoryRecords,
  leaderRecords,
  lockRecords,
  standingRecords,
} from "../nats/records.ts";
import { openStore } from "../nats/store.ts";
import type { Teardown } from "../teardown.ts";
import type { ServeMeans } from "./means.ts";

const storeTimeoutMs = 5_000;
const embeddedStartLimitMs = 30_000;
const natsEndLimitMs = 16_000;

export type Records = Awaited<ReturnType<typeof openRecords>>;

export async function openRecords(means: ServeMeans, teardown: Teardown) {
  const { config, clock } = means;
  const embedded = config.nats.servers.length > 0 ? undefined : await startOwnNats(means);
  if (embedded !== undefined)
    teardown.add({ name: "nats-server", limitMs: natsEndLimitMs, end: () => embedded.stop() });
  const servers = embedded === undefined ? config.nats.servers : [embedded.url];
  const replicas = config.nats.replicas ?? (embedded === undefined ? 3 : 1);
  const store = await openStore({ servers, replicas, timeoutMs: storeTimeoutMs, clock });
  teardown.add({ name: "store", limitMs: storeTimeoutMs, end: async () => store[Symbol.asyncDispose]() });
  return {
    store,
    servers,
    replicas,
    embedded: embedded !== undefined,
    locks: await store.register("lockkeeper-locks", lockRecords),
    claims: await store.register("lockkeeper-claims", claimRecords),
    standings: await store.register("lockkeeper-nodes", standingRecords),
    leader: await store.register("lockkeeper-leader", leaderRecords),
    inventories: await store.register("lockkeeper-inventory", inventoryRecords),
    events: await store.log("LOCKKEEPER_ROLLOUTS", "lockkeeper.rollouts", rolloutEvents),
    audit: await store.log("LOCKKEEPER_AUDIT", "lockkeeper.audit", auditEntries),
    documents: await store.documents("lockkeeper-documents", snapshotDocuments),
  };
}

async function startOwnNats({ config, clock, random, log, natsBinary }: ServeMeans): Promise<EmbeddedNats> {
  const binary = config.nats.binary ?? (await natsBinary());
  return startEmbedded({
    binary,
    folder: join(config.stateDir, "nats"),
    clock,
    random,
    startLimitMs: embeddedStartLimitMs,
    trouble: (cause, pid) => log.warn({ cause, pid }, "nats-server"),
  });
}
