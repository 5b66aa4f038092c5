/** One life of the real coordinator, without its network: over stores that outlive it. */

import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { AgentDesk } from "#coordinator/engine/agents/agent-desk.ts";
import { AgentReports } from "#coordinator/engine/agents/agent-reports.ts";
import { forgottenPrograms } from "#coordinator/engine/agents/forgotten.ts";
import { AuditHeads } from "#coordinator/engine/audit-heads.ts";
import { AuditTrail } from "#coordinator/engine/audit-trail.ts";
import { Drivers } from "#coordinator/engine/drivers.ts";
import { Claims } from "#coordinator/engine/lock/claims.ts";
import { LockDeeds } from "#coordinator/engine/lock/lock-deeds.ts";
import { Standings } from "#coordinator/engine/lock/standings.ts";
import { driveOpen } from "#coordinator/engine/open-rollouts.ts";
import { Application } from "#coordinator/engine/orders/application.ts";
import { InventoryBook } from "#coordinator/engine/orders/inventory-book.ts";
import { Planning } from "#coordinator/engine/orders/planning.ts";
import type { SurveyedFleet } from "#coordinator/engine/orders/survey.ts";
import type { EventLog, Presence } from "#coordinator/engine/ports.ts";
import { driverTiming } from "#coordinator/engine/rollout-desk.ts";
import { Snapshots } from "#coordinator/engine/snapshots.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";

import { tiny } from "../tiny.ts";
import { latencyMs } from "./node.ts";
import type { World } from "./world.ts";

type In = NonNullable<ConnectRequest["message"]>;

export class SimCoordinator {
  readonly application: Application;
  readonly drivers: Drivers;
  readonly #desk: AgentDesk;
  readonly #inventory: InventoryBook;
  readonly #present = new Map<string, Presence>();
  readonly #claims: Claims;
  readonly #log: EventLog<RolloutEvent>;
  readonly #name: string;

  constructor(world: World, name: string) {
    const { clock, stores } = world;
    this.#log = stores.log;
    this.#name = name;
    const random = () => 0.5;
    const reports = new AgentReports();
    const reader = { read: () => succeed(world.inventory), changes: () => [] };
    this.#inventory = new InventoryBook(stores.inventory, reader, { clock, random });
    const members = (cluster: string) => world.members(cluster);
    const nodesOf = ({ plan }: RolloutState) => plan.clusters.flatMap(members);
    const fleet: SurveyedFleet & { doubled(): readonly string[]; strangers(): readonly string[] } = {
      presence: (node) => this.#present.get(node),
      send: (node, message) => {
        const agent = world.agents.get(node);
        if (!this.#present.has(node) || agent === undefined || !agent.alive) return false;
        agent.hear(message);
        return true;
      },
      takeReport: async (node) => {
        await clock.sleep(latencyMs * 2);
        return this.#present.has(node) ? succeed(world.report(node)) : fail("node.unreachable", { node });
      },
      lastReport: () => undefined,
      clockOffset: () => ({ offsetMs: 0, errorMs: 0 }),
      doubled: () => [],
      strangers: () => [],
    };
    this.#claims = new Claims({ register: stores.claims, clock, random });
    const standings = new Standings({ register: stores.standings, clock, random });
    const deeds = new LockDeeds({
      locks: stores.locks,
      claims: this.#claims,
      standings,
      reports,
      clock,
      random,
      coordinator: name,
      members,
    });
    const planning = new Planning({
      fleet,
      clock,
      hash: (text) => String(text.length),
      cluster: (cluster) => world.cluster(cluster),
      playbook: () => tiny,
      forgotten: (nodes) => forgottenPrograms({ reports, drivers: this.drivers, log: stores.log }, nodes),
      broken: async (cluster) => (await deeds.read(cluster))?.value.broken,
      artefact: async () => undefined,
      rollout: async (id) => this.drivers.state(id) ?? fold(await stores.log.read(id)),
    });
    const snapshots = new Snapshots({
      documents: stores.documents,
      fleet,
      clock,
      newId: () => world.id("s"),
      locks: stores.locks,
      claims: stores.claims,
      retention: { keepCount: 1, keepMs: 1e12 },
      playbook: () => tiny,
      wordsInForce: () => [],
      openRollouts: () => this.application.openRollouts(),
    });
    const audit = new AuditTrail(stores.audit, (text) => String(text.length), clock);
    const warn = (text: string) => world.warnings.push(text);
    const heads = new AuditHeads({ trail: audit, fleet: () => fleet, warn });
    this.drivers = new Drivers({
      log: stores.log,
      clock,
      random,
      coordinator: name,
      nodesOf,
      redial: (node) => {
        const agent = world.agents.get(node);
        if (agent?.alive !== true) return;
        this.lost(node);
        agent.dial();
      },
      warn: (text, facts) => world.warnings.push(`${text} ${JSON.stringify(facts)}`),
      means: (state: RolloutState) => ({
        fleet,
        reports,
        deeds,
        standings,
        clock,
        random,
        members,
        nonce: () => world.id("n"),
        auditHead: () => audit.head,
        gates: tiny.gates,
        lookBeforeGrant: (now) => planning.lookBeforeGrant(now),
        takeSnapshot: async (reason, names) => {
          const entries = names.flatMap((cluster) => world.cluster(cluster) ?? []);
          const taken = await snapshots.take(entries, { by: name, reason, rollout: state.id });
          return taken.ok ? succeed(taken.value.id) : taken;
        },
        claimAgain: (now) => this.#claims.retake(now.plan.clusters, { rollout: now.id, by: name }),
        ended: async (now) => {
          await this.#claims.releaseAll(now.plan.clusters, { rollout: state.id, by: name });
          for (const node of nodesOf(now))
            fleet.send(node, { $case: "rolloutClosed", value: { rollout: now.id } });
        },
        timing: driverTiming,
      }),
    });
    this.#desk = new AgentDesk({
      log: stores.log,
      reports,
      deeds,
      standings,
      heads,
      drivers: this.drivers,
      fleet: () => fleet,
      warn: (text) => world.warnings.push(text),
    });
    this.application = new Application({
      clock,
      random,
      fleet,
      log: stores.log,
      audit,
      heads,
      claims: this.#claims,
      drivers: this.drivers,
      deeds,
      standings,
      reports,
      planning,
      snapshots,
      inventory: this.#inventory,
      newRolloutId: () => world.id("r"),
      playbook: () => tiny,
      leader: () => ({ leads: true, address: "" }),
      insecure: false,
      doctor: async () => [],
    });
  }

  async lead(): Promise<void> {
    await this.#inventory.load();
    await driveOpen({ claims: this.#claims, log: this.#log, drivers: this.drivers }, this.#name);
  }

  attach(presence: Presence): ReadonlyMap<string, number> {
    this.#present.set(presence.node, presence);
    const have = new Map(
      this.#desk.positions(presence.node).map(({ rollout, sequence }) => [rollout, sequence]),
    );
    this.#desk.attached(presence);
    return have;
  }

  lost(node: string): void {
    if (this.#present.delete(node)) this.#desk.detached(node);
  }

  hear(node: string, message: In): void {
    if (this.#present.has(node)) this.#desk.said(node, message);
  }
}
