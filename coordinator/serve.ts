/**
 * Builds a coordinator: NATS, leadership, agents' room, engine, services. The only place in this program
 * that knows all the parts; it decides nothing.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createServer } from "nice-grpc";
import type { Clock, Random } from "#proto/common/clock.ts";
import { FailureError, fail, failure, succeed } from "#proto/common/failure.ts";
import type { Log } from "#proto/common/log.ts";
import { takeFolder } from "#proto/common/sole-use.ts";
import { AgentServiceService } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ControlServiceService } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { AgentRoom } from "./api/agent-service.ts";
import { ArtefactFolder } from "./api/artefacts.ts";
import { controlService } from "./api/control-service.ts";
import { leaderOnly, shelfOfLeader } from "./api/leader-only.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { AuditEntry } from "./domain/audit.ts";
import type { RolloutEvent } from "./domain/rollout/event.ts";
import type { RolloutState } from "./domain/rollout/state.ts";
import { AgentDesk } from "./engine/agent-desk.ts";
import { AgentReports } from "./engine/agent-reports.ts";
import { Application } from "./engine/application.ts";
import { AuditHeads } from "./engine/audit-heads.ts";
import { AuditTrail } from "./engine/audit-trail.ts";
import { Claims } from "./engine/claims.ts";
import { Drivers } from "./engine/drivers.ts";
import { InventoryBook } from "./engine/inventory-book.ts";
import { LockDeeds } from "./engine/lock-deeds.ts";
import { Planning } from "./engine/planning.ts";
import { type DriverMeans, driverTiming } from "./engine/rollout-desk.ts";
import { Snapshots } from "./engine/snapshots.ts";
import { inventoryChanges } from "./inventory/change.ts";
import { discoverInventory } from "./inventory/discover.ts";
import { parseInventory, renderComplaints } from "./inventory/parse.ts";
import { examine } from "./nats/doctor.ts";
import { type EmbeddedNats, startEmbedded } from "./nats/embedded.ts";
import { Leadership } from "./nats/leadership.ts";
import { claimSchema, inventorySchema, leaderSchema, lockSchema, standingSchema } from "./nats/records.ts";
import { withoutToken } from "./nats/server-address.ts";
import { openStore } from "./nats/store.ts";
import { playbooks } from "./playbooks/index.ts";
import { Teardown } from "./teardown.ts";

export interface ServeMeans {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly random: Random;
  /** Random text of the given number of characters, a-z and 0-9. */
  readonly token: (characters: number) => string;
  readonly hostName: string;
  readonly pid: number;
  readonly log: Log;
  /** Finds or fetches a nats-server; called only when none is configured. */
  readonly natsBinary: () => Promise<string>;
}

export interface Coordinator extends AsyncDisposable {
  readonly address: string;
  readonly leads: () => boolean;
}

const storeTimeoutMs = 5_000;
const helloLimitMs = 10_000;
const beatMs = 5_000;
const embeddedStartLimitMs = 30_000;
const natsEndLimitMs = 16_000;
const callsEndLimitMs = 2_000;
const leadingEndLimitMs = 10_000;

/** What was begun before a failure is ended before the failure is told. */
export async function serve(means: ServeMeans): Promise<Coordinator> {
  const { clock, log } = means;
  const teardown = new Teardown({ clock, warn: (text, facts) => log.warn(facts, text) });
  try {
    return await build(means, teardown);
  } catch (error) {
    await teardown[Symbol.asyncDispose]();
    throw error;
  }
}

async function build(means: ServeMeans, teardown: Teardown): Promise<Coordinator> {
  const { config, clock, random, log, token } = means;
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
  const giveBack = await takeFolder(config.stateDir, "coordinator");
  if (giveBack === undefined)
    throw new FailureError(failure("coordinator.folder-in-use", { folder: config.stateDir }));
  teardown.add({ name: "state folder", limitMs: 1_000, end: giveBack });
  const embedded = config.nats.servers.length > 0 ? undefined : await startOwnNats(means);
  if (embedded !== undefined)
    teardown.add({ name: "nats-server", limitMs: natsEndLimitMs, end: () => embedded.stop() });
  const servers = embedded === undefined ? config.nats.servers : [embedded.url];
  const replicas = config.nats.replicas ?? (embedded === undefined ? 3 : 1);
  const store = await openStore({ servers, replicas, timeoutMs: storeTimeoutMs, clock });
  teardown.add({ name: "store", limitMs: storeTimeoutMs, end: async () => store[Symbol.asyncDispose]() });
  const locks = await store.register("lockkeeper-locks", lockSchema);
  const claimRecords = await store.register("lockkeeper-claims", claimSchema);
  const standings = await store.register("lockkeeper-nodes", standingSchema);
  const leaderRecords = await store.register("lockkeeper-leader", leaderSchema);
  const inventories = await store.register("lockkeeper-inventory", inventorySchema);
  const events = await store.log<RolloutEvent>("LOCKKEEPER_ROLLOUTS", "lockkeeper.rollouts");
  const auditLog = await store.log<AuditEntry>("LOCKKEEPER_AUDIT", "lockkeeper.audit");
  const documents = await store.documents("lockkeeper-documents");

  const coordinator = `${config.name ?? means.hostName}-${await ownId(config.stateDir, token)}`;
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const reader = {
    read: (yaml: string, fileName: string) => {
      const parsed = parseInventory(yaml, fileName);
      return parsed.ok
        ? succeed(parsed.inventory)
        : fail<never>("inventory.unreadable", { complaints: renderComplaints(parsed.complaints) });
    },
    changes: inventoryChanges,
  };
  const inventory = new InventoryBook(inventories, reader, { clock, random });
  const members = (cluster: string) => inventory.cluster(cluster)?.nodes.map(({ name }) => name) ?? [];
  const reports = new AgentReports();
  const deeds = new LockDeeds({ locks, standings, reports, clock, random, coordinator, members });
  const claims = new Claims({ register: claimRecords, clock, random });
  const audit = new AuditTrail(auditLog, hash, clock);
  const warn = (text: string, facts: Readonly<Record<string, unknown>>) => log.warn(facts, text);
  const heads = new AuditHeads({ trail: audit, fleet: () => room, warn });
  const artefacts = new ArtefactFolder({
    folder: config.artefacts ?? join(config.stateDir, "artefacts"),
    clock,
    bytesPerSecond: config.artefactBytesPerSecond,
  });
  const playbook = (engine: string) => playbooks[engine];

  const nodesOf = (state: RolloutState) => state.plan.clusters.flatMap(members);
  const drivers = new Drivers({
    log: events,
    clock,
    random,
    coordinator,
    nodesOf,
    means: (state) => driverMeans(state),
    redial: (node) => room.redial(node),
    warn,
  });
  const desk = new AgentDesk({
    reports,
    deeds,
    drivers,
    heads,
    fleet: () => room,
    warn,
  });
  const leader = () => ({ leads: leadership.leads, address: leadership.leaderAddress });
  const room: AgentRoom = new AgentRoom({
    clock,
    coordinator,
    beatMs,
    helloLimitMs,
    knows: (node) => inventory.clusterOf(node) !== undefined,
    leader,
    events: desk,
    fetchArtefact: (digest, offset) => artefacts.fetch(digest, offset),
  });
  const snapshots = new Snapshots({
    documents,
    fleet: room,
    clock,
    newId: () => `s-${stamp(clock)}-${token(4)}`,
    locks,
    claims: claimRecords,
    retention: { keepCount: config.snapshots.keep, keepMs: config.snapshots.keepFor },
    playbook,
    wordsInForce: (cluster) => application.wordsInForce(cluster),
  });
  const planning = new Planning({
    fleet: room,
    clock,
    hash,
    cluster: (name) => inventory.cluster(name),
    playbook,
    artefact: (digest) => artefacts.facts(digest),
  });
  const driverMeans = (state: RolloutState): DriverMeans => ({
    fleet: room,
    reports,
    deeds,
    clock,
    random,
    members,
    nonce: () => token(16),
    auditHead: () => audit.head,
    gates: playbook(state.plan.engine)?.gates ?? {},
    lookBeforeGrant: (now, stage) => planning.lookBeforeGrant(now, stage),
    takeSnapshot: async (reason, clusters) => {
      const entries = clusters.flatMap((name) => inventory.cluster(name) ?? []);
      const taken = await snapshots.take(entries, { by: coordinator, reason });
      return taken.ok ? succeed(taken.value.id) : taken;
    },
    ended: async (now) => {
      await claims.releaseAll(now.plan.clusters, { rollout: now.id, by: coordinator });
      for (const node of nodesOf(now))
        room.send(node, { $case: "rolloutClosed", value: { rollout: now.id } });
    },
    timing: driverTiming,
  });

  const server = createServer({
    "grpc.max_receive_message_length": 8 * 1024 * 1024,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.http2.min_ping_interval_without_data_ms": 5_000,
  });
  const address = await advertised(config);
  const leadership = new Leadership({
    register: leaderRecords,
    clock,
    random,
    coordinator,
    address,
    timing: {
      leaseMs: config.lease.length,
      beatMs: config.lease.beat,
      stepDownMs: config.lease.length * 0.75,
    },
    begin: async (term) => {
      await Promise.all([inventory.load(), audit.load()]);
      log.info({ term }, "leading");
      for (const rollout of await claims.open()) drivers.start(rollout, true);
    },
    end: async () => {
      log.warn("not leading any more");
      await drivers.stopAll();
      for (const node of room.attachedNodes()) room.redial(node);
    },
    warn,
  });
  const application = new Application({
    clock,
    random,
    fleet: room,
    log: events,
    audit,
    heads,
    claims,
    drivers,
    deeds,
    planning,
    snapshots,
    inventory,
    newRolloutId: () => `${stamp(clock)}-${token(4)}`,
    playbook,
    leader,
    insecure: config.insecure,
    doctor: async () => [
      ...(await examine({ store, replicas, embedded: embedded !== undefined, doubled: room.doubled() })),
      ...(await heads.checks()),
    ],
  });
  const port = Object.assign(application, { discover: () => discoverInventory(room, playbooks) });
  server.add(AgentServiceService, room.service());
  server.add(
    ControlServiceService,
    controlService(leaderOnly(port, leader), shelfOfLeader(artefacts, leader)),
  );
  await inventory.load();
  const listening = await server.listen(config.listen).catch((error: unknown) => {
    throw new FailureError(
      failure("coordinator.cannot-listen", { address: config.listen, cause: String(error) }),
    );
  });
  teardown.add({
    name: "calls",
    limitMs: callsEndLimitMs * 2,
    end: async () => {
      await Promise.race([server.shutdown(), clock.sleep(callsEndLimitMs)]);
      server.forceShutdown();
    },
  });
  const stop = new AbortController();
  const leading = leadership.run(stop.signal);
  const picturing = takeRegularly(
    snapshots,
    inventory,
    { everyMs: config.snapshots.every, clock, leads: () => leadership.leads, log },
    stop.signal,
  );
  teardown.add({
    name: "leadership",
    limitMs: leadingEndLimitMs,
    end: async () => {
      stop.abort();
      await Promise.all([leading, picturing]);
    },
  });
  log.info(
    {
      address: config.listen,
      port: listening,
      nats: servers.map(withoutToken),
      natsVersion: store.serverVersion,
      coordinator,
      pid: means.pid,
    },
    "serving",
  );
  return {
    address: config.listen.replace(/:0$/, `:${listening}`),
    leads: () => leadership.leads,
    [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
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

/** The same over restarts, so that a coordinator that comes back need not wait out its own lease. */
async function ownId(folder: string, token: ServeMeans["token"]): Promise<string> {
  const file = join(folder, "coordinator-id");
  const found = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (/^[a-z0-9]{6}$/.test(found)) return found;
  const made = token(6);
  await writeFile(`${file}.new`, made, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

async function advertised(config: CoordinatorConfig): Promise<string> {
  return config.advertise ?? config.listen;
}

/** Sorts by time, reads by eye: 20260131-221500. */
function stamp(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
}

interface RegularMeans {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly leads: () => boolean;
  readonly log: Log;
}

async function takeRegularly(
  snapshots: Snapshots,
  inventory: InventoryBook,
  { everyMs, clock, leads, log }: RegularMeans,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted || !leads() || inventory.clusters().length === 0) continue;
    await snapshots
      .take(inventory.clusters(), { by: "schedule", reason: "on schedule" })
      .catch((error: unknown) => log.warn({ cause: String(error) }, "scheduled snapshot failed"));
  }
}
