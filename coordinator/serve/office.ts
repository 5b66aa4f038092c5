/** All parts of a coordinator put together: who knows whom. Nothing runs yet. */
import { join } from "node:path";
import { succeed } from "#proto/common/failure.ts";
import type { LeaderView } from "../api/leader-only.ts";
import { ParcelFolder } from "../api/parcels.ts";
import { fold } from "../domain/rollout/reduce.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import { forgottenPrograms } from "../engine/agents/forgotten.ts";
import { driveOpen } from "../engine/open-rollouts.ts";
import { agentChecks, agentsElsewhere } from "../engine/orders/agents-here.ts";
import { Application } from "../engine/orders/application.ts";
import { strangerViews } from "../engine/orders/fleet-view.ts";
import { Planning } from "../engine/orders/planning.ts";
import { type DriverMeans, driverTiming } from "../engine/rollout-desk.ts";
import { Snapshots } from "../engine/snapshots.ts";
import { discoverInventory } from "../inventory/discover.ts";
import { examine } from "../nats/doctor.ts";
import { Leadership } from "../nats/leadership.ts";
import { playbooks } from "../playbooks/index.ts";
import { type Agents, receiveAgents } from "./agents.ts";
import { stamp } from "./identity.ts";
import { type Ledgers, openLedgers, sha256 } from "./ledgers.ts";
import type { ServeMeans } from "./means.ts";
import type { Records } from "./records.ts";

export type Office = ReturnType<typeof furnish>;

/** What the parts below are made from, and each other. */
interface Parts {
  readonly means: ServeMeans;
  readonly records: Records;
  readonly coordinator: string;
  readonly ledgers: Ledgers;
  readonly agents: Agents;
}

const playbook = (engine: string) => playbooks[engine];

export function furnish(means: ServeMeans, records: Records, coordinator: string) {
  const ledgers = openLedgers(means, records, coordinator);
  const leader = () => ({ leads: leadership.leads, address: leadership.leaderAddress });
  const driverMeans = (state: RolloutState) => driverMeansOf(parts, { planning, snapshots, parcels }, state);
  const agents = receiveAgents({ means, records, ledgers, coordinator, leader, driverMeans });
  const parts: Parts = { means, records, coordinator, ledgers, agents };
  const leadership = leadershipOf(parts);
  const planning = planningOf(parts);
  const snapshots: Snapshots = snapshotsOf(parts, {
    wordsInForce: (cluster) => application.wordsInForce(cluster),
    openRollouts: () => application.openRollouts(),
  });
  const application: Application = new Application({
    clock: means.clock,
    random: means.random,
    fleet: agents.room,
    log: records.events,
    ...ledgers,
    ...agents,
    planning,
    snapshots,
    newRolloutId: () => `${stamp(means.clock)}-${means.token(4)}`,
    playbook,
    leader,
    insecure: means.config.insecure,
    doctor: () => doctor(parts, leader()),
  });
  const port = Object.assign(application, { discover: () => discoverInventory(agents.room, playbooks) });
  const { inventory, artefacts } = ledgers;
  const parcels = parcelsOf(means, agents);
  return { agentService: agents.service, port, leader, leadership, snapshots, inventory, artefacts, parcels };
}

function parcelsOf({ config, clock }: ServeMeans, { drivers }: Agents): ParcelFolder {
  return new ParcelFolder({
    // shared between coordinators where the packages are
    folder: join(config.artefacts ?? config.stateDir, "parcels"),
    clock,
    bytesPerSecond: config.artefactBytesPerSecond,
    isOpen: (rollout) => drivers.state(rollout) !== undefined,
  });
}

async function doctor({ means, records, ledgers, agents }: Parts, leader: ReturnType<LeaderView>) {
  const { store, replicas, embedded } = records;
  const { room, heads } = agents;
  return [
    ...(await examine({ store, replicas, embedded, doubled: room.doubled() })),
    ...(leader.leads
      ? agentChecks({
          nodes: ledgers.inventory.clusters().flatMap(({ nodes }) => nodes),
          isHere: (node) => room.presence(node) !== undefined,
          strangers: strangerViews(room, means.clock.monotonicMs()),
        })
      : agentsElsewhere(leader.address)),
    ...(await heads.checks()),
  ];
}

function planningOf({ means, records, ledgers, agents }: Parts): Planning {
  return new Planning({
    fleet: agents.room,
    clock: means.clock,
    hash: sha256,
    cluster: (name) => ledgers.inventory.cluster(name),
    playbook,
    broken: async (cluster) => (await ledgers.deeds.read(cluster))?.value.broken,
    forgotten: (nodes) =>
      forgottenPrograms({ reports: ledgers.reports, drivers: agents.drivers, log: records.events }, nodes),
    rollout: async (id) => agents.drivers.state(id) ?? fold(await records.events.read(id)),
    artefact: (digest) => ledgers.artefacts.facts(digest),
  });
}

function snapshotsOf(
  { means, records, agents }: Parts,
  asked: Pick<Application, "wordsInForce" | "openRollouts">,
): Snapshots {
  const { clock, token, config } = means;
  return new Snapshots({
    documents: records.documents,
    fleet: agents.room,
    clock,
    newId: () => `s-${stamp(clock)}-${token(4)}`,
    locks: records.locks,
    claims: records.claims,
    retention: { keepCount: config.snapshots.keep, keepMs: config.snapshots.keepFor },
    playbook,
    ...asked,
  });
}

function leadershipOf({ means, records, coordinator, ledgers, agents }: Parts): Leadership {
  const { config, clock, random, log } = means;
  const { inventory, audit, claims } = ledgers;
  return new Leadership({
    register: records.leader,
    clock,
    random,
    coordinator,
    address: config.advertise ?? config.listen,
    timing: {
      leaseMs: config.lease.length,
      beatMs: config.lease.beat,
      stepDownMs: config.lease.length * 0.75,
    },
    begin: async (term) => {
      await Promise.all([inventory.load(), audit.load()]);
      log.info({ term }, "leading");
      await driveOpen({ claims, log: records.events, drivers: agents.drivers }, coordinator);
    },
    end: async () => {
      log.warn("not leading any more");
      await agents.drivers.stopAll();
      for (const node of agents.room.attachedNodes()) agents.room.redial(node);
    },
    warn: (text, facts) => log.warn(facts, text),
  });
}

function driverMeansOf(
  { means, coordinator, ledgers, agents }: Parts,
  {
    planning,
    snapshots,
    parcels,
  }: { readonly planning: Planning; readonly snapshots: Snapshots; readonly parcels: ParcelFolder },
  state: RolloutState,
): DriverMeans {
  const { clock, random, token } = means;
  const { inventory, reports, deeds, standings, claims, audit, members } = ledgers;
  return {
    fleet: agents.room,
    reports,
    deeds,
    standings,
    clock,
    random,
    members,
    nonce: () => token(16),
    auditHead: () => audit.head,
    gates: playbook(state.plan.engine)?.gates ?? {},
    lookBeforeGrant: (now) => planning.lookBeforeGrant(now),
    takeSnapshot: async (reason, clusters) => {
      const entries = clusters.flatMap((name) => inventory.cluster(name) ?? []);
      const taken = await snapshots.take(entries, { by: coordinator, reason, rollout: state.id });
      return taken.ok ? succeed(taken.value.id) : taken;
    },
    claimAgain: (now) => claims.retake(now.plan.clusters, { rollout: now.id, by: coordinator }),
    ended: async (now) => {
      await claims.releaseAll(now.plan.clusters, { rollout: now.id, by: coordinator });
      for (const node of now.plan.clusters.flatMap(members))
        agents.room.send(node, { $case: "rolloutClosed", value: { rollout: now.id } });
      await parcels.discard(now.id);
    },
    timing: driverTiming,
  };
}
