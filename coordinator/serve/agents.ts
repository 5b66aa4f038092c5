/** The parts that speak with agents: their room and its service, the desk that hears them, and the drivers of open rollouts. */

import { AgentRoom } from "../api/agent-room.ts";
import { agentService } from "../api/agent-service.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import { AgentDesk } from "../engine/agents/agent-desk.ts";
import { AuditHeads } from "../engine/audit-heads.ts";
import { Drivers } from "../engine/drivers.ts";
import type { DriverMeans } from "../engine/rollout-desk.ts";
import type { Ledgers } from "./ledgers.ts";
import type { ServeMeans } from "./means.ts";
import type { Records } from "./records.ts";

const helloLimitMs = 10_000;
const beatMs = 5_000;
/** Several of an agent's longest pauses between two calls. */
const namesakeQuietMs = 30_000;

interface AgentMeans {
  readonly means: ServeMeans;
  readonly records: Records;
  readonly ledgers: Ledgers;
  readonly coordinator: string;
  readonly leader: () => { readonly leads: boolean; readonly address: string };
  readonly driverMeans: (state: RolloutState) => DriverMeans;
}

export type Agents = ReturnType<typeof receiveAgents>;

export function receiveAgents({ means, records, ledgers, coordinator, leader, driverMeans }: AgentMeans) {
  const { clock, random, log } = means;
  const { reports, deeds, standings, audit, inventory, artefacts, members } = ledgers;
  const warn = (text: string, facts: Readonly<Record<string, unknown>>) => log.warn(facts, text);
  const heads = new AuditHeads({ trail: audit, fleet: () => room, warn });
  const drivers = new Drivers({
    log: records.events,
    clock,
    random,
    coordinator,
    nodesOf: (state) => state.plan.clusters.flatMap(members),
    means: driverMeans,
    redial: (node) => room.redial(node),
    warn,
  });
  const events = new AgentDesk({
    log: records.events,
    reports,
    deeds,
    standings,
    drivers,
    heads,
    fleet: () => room,
    warn,
  });
  const knows = (node: string) => inventory.clusterOf(node) !== undefined;
  const room: AgentRoom = new AgentRoom({ clock, namesakeQuietMs, knows, events });
  const service = agentService({
    clock,
    room,
    coordinator,
    beatMs,
    helloLimitMs,
    leader,
    events,
    fetchArtefact: (digest, offset) => artefacts.fetch(digest, offset),
  });
  return { room, service, drivers, heads };
}
