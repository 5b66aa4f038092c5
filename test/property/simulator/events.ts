/** The things that may happen next. Each takes two numbers of the history for its choices; all may do nothing. */
import type { SimAgent } from "./agent.ts";
import type { SimCoordinator } from "./coordinator.ts";
import type { World } from "./world.ts";

export interface Draw {
  readonly a: number;
  readonly b: number;
}

export type Happening = (world: World, draw: Draw) => void;

const agentOf = (world: World, { a }: Draw) => world.agents[a % world.agents.length] as SimAgent;
const coordinatorOf = (world: World, { a }: Draw) =>
  world.coordinators[a % world.coordinators.length] as SimCoordinator;
const anywhere = (world: World, { a }: Draw) => {
  const index = a % Math.max(1, world.net.flights.length);
  const flight = world.net.flights[index];
  return flight === undefined || world.isPaused(flight) ? -1 : index;
};
/** Asked by somebody who still waits for the answer. */
const awaited = ({ operations }: World) =>
  operations.find(({ of, life, forsaken }) => of.life === life && !forsaken && !of.paused);
const operationOf = (world: World, { a }: Draw) => world.operations[a % Math.max(1, world.operations.length)];

export const deliverOldest: Happening = (world) =>
  world.deliver(
    world.net.flights.findIndex((flight) => world.isOnItsWay(flight)),
    false,
  );

/** What was sent on a stream that its agent has left comes after all. */
export const arriveLate: Happening = (world) =>
  world.deliver(
    world.net.flights.findIndex((flight) => world.isOld(flight)),
    false,
  );

/** The store answers at once, as nearly always. */
export const serve: Happening = (world) => {
  const operation = awaited(world);
  if (operation === undefined) return;
  world.perform(operation);
  world.answer(operation, false);
};

export const work: Happening = (world, draw) => {
  const agent = agentOf(world, draw);
  if (agent.work()) world.say(() => `${agent.node} works on`);
};

export const attach: Happening = (world, draw) => {
  const agent = agentOf(world, draw);
  if (!agent.alive) {
    world.say(() => `${agent.node} starts`);
    agent.start();
  }
  const leaders = world.coordinators.filter(({ leads, alive }) => leads && alive);
  const coordinator = leaders[draw.b % Math.max(1, leaders.length)];
  if (coordinator !== undefined && agent.stream === undefined) world.dial(agent, coordinator);
};

export const beat: Happening = (world, draw) => {
  const coordinator = coordinatorOf(world, draw);
  if (!coordinator.alive) coordinator.start();
  if (!coordinator.paused) coordinator.beat(true);
};

/** Whatever is next when nothing goes wrong: time passes only when nobody has anything to do. */
export const goOn: Happening = (world, draw) => {
  const asked = awaited(world) !== undefined;
  if (asked && draw.b % 4 !== 0) return serve(world, draw);
  if (world.net.flights.some((flight) => world.isOnItsWay(flight))) return deliverOldest(world, draw);
  const idle = world.agents.find(({ alive, stream }) => !alive || stream === undefined);
  if (idle !== undefined && draw.b % 2 === 0)
    return attach(world, { a: world.agents.indexOf(idle), b: draw.a });
  const busy = world.agents.find((agent) => agent.work());
  if (busy !== undefined) return world.say(() => `${busy.node} works on`);
  passTime(world, draw);
};

/** To the next moment at which somebody has waited long enough, with all leases kept. */
export const passTime: Happening = (world, { b }) => {
  let nextMs = 5_000;
  for (const coordinator of world.coordinators) {
    coordinator.keepLease();
    const { paused, wakesAtMs = Number.POSITIVE_INFINITY } = coordinator;
    if (!paused) nextMs = Math.min(nextMs, wakesAtMs - world.nowMs);
  }
  world.passTime(Math.max(b % 3 === 0 ? 50 : 0, nextMs));
};

/** What a person does when a rollout has stopped: puts the nodes in order, answers for them, and goes on. */
export const person: Happening = (world) => {
  const leader = world.coordinators.find(({ leads, paused }) => leads && !paused);
  const log = world.buckets.log.read()?.value;
  if (leader === undefined || log?.stop === undefined) return;
  world.say(() => `a person mends what ${log.stop} was about and orders to go on`);
  const answersFor = log.stop === "node.unproven" ? leader.unproven() : {};
  for (const node of Object.keys(answersFor)) world.truth.mended(node);
  if (log.held !== undefined) for (const node of log.held.nodes) world.truth.broken.delete(node);
  leader.tell({ kind: "ordered", answersFor });
};

export const lose: Happening = (world, draw) => {
  if (world.net.take(draw.a % Math.max(1, world.net.flights.length)) !== undefined)
    world.say(() => "a message is lost");
};

export const repeat: Happening = (world, draw) => world.deliver(anywhere(world, draw), true);

export const overtake: Happening = (world, draw) => world.deliver(anywhere(world, draw), false);

export const pause: Happening = (world, draw) => {
  const coordinator = coordinatorOf(world, draw);
  if (!coordinator.leads || coordinator.paused) return;
  world.say(() => `${coordinator.name} is paused`);
  coordinator.paused = true;
};

export const wake: Happening = (world, draw) => {
  const coordinator = coordinatorOf(world, draw);
  if (!coordinator.paused) return;
  world.say(() => `${coordinator.name} wakes`);
  coordinator.resume();
};

/** Long enough for a lease to be taken over. */
export const longSilence: Happening = (world) => world.passTime(31_000);

export const killCoordinator: Happening = (world, draw) => {
  const coordinator = coordinatorOf(world, draw);
  world.say(() => `${coordinator.name} is killed`);
  coordinator.kill();
  for (const agent of world.agents)
    if (agent.stream?.coordinator === coordinator.index) agent.stream = undefined;
};

/** The leader gives way to the other one. */
export const handOver: Happening = (world) => {
  const leader = world.coordinators.find(({ leads, paused, alive }) => alive && leads && !paused);
  if (leader === undefined) return;
  world.say(() => `${leader.name} resigns`);
  leader.resign();
  const other = world.coordinators[1 - leader.index];
  if (other?.alive === true && !other.paused) other.beat(true);
  for (const agent of world.agents) if (agent.stream?.coordinator === leader.index) agent.stream = undefined;
};

export const killAgent: Happening = (world, draw) => {
  const agent = agentOf(world, draw);
  world.say(() => `${agent.node}'s agent is killed`);
  agent.kill();
};

export const lightFuse: Happening = (world, draw) => {
  agentOf(world, draw).lightFuse((draw.b % 3) + (draw.b % 2 === 0 ? 1.5 : 0));
};

export const hangUp: Happening = (world, draw) => {
  const agent = agentOf(world, draw);
  agent.hangUp();
  world.say(() => `${agent.node} hangs up`);
  attach(world, draw);
};

export const doLate: Happening = (world, draw) => {
  const operation = operationOf(world, draw);
  if (operation === undefined) return;
  world.perform(operation);
  if (operation.forsaken || draw.b % 2 === 0) world.answer(operation, false);
};

export const loseAnswer: Happening = (world, draw) => {
  const operation = operationOf(world, draw);
  if (operation === undefined) return;
  if (draw.b % 2 === 0) world.perform(operation);
  world.answer(operation, true);
};

export const forget: Happening = (world, { b }) => {
  const writes = 1 + (b % 3);
  const undone = world.buckets.lock.forget(writes);
  if (b % 4 === 0) world.buckets.log.forget(writes);
  if (b % 8 === 0) world.leader.forget(1);
  world.say(() => `the store forgets ${undone.map(({ state, epoch }) => `${state} ${epoch}`).join(", ")}`);
};

export const loseMemory: Happening = (world, draw) => {
  const agent = agentOf(world, draw);
  world.say(() => `${agent.node} comes back with an empty state folder`);
  agent.kill();
  world.truth.lostMemory(agent.node);
  agent.start(`${agent.node}-${world.freshMark()}`);
};

export const failStep: Happening = (world) => {
  world.truth.stepFails = true;
};

export const closeRollout: Happening = (world, draw) => {
  const log = world.buckets.log.read()?.value;
  const stream = agentOf(world, draw).stream;
  if (log?.held === undefined && stream !== undefined)
    world.net.send({ to: "agent", stream, message: { $case: "rolloutClosed", value: { rollout: "r" } } });
};
