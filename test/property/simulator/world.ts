/** Hosts, store and network of one history, and every single thing that may happen to them next. */
import type { LeaderRecord } from "#coordinator/domain/leader.ts";
import { SimAgent } from "./agent.ts";
import type { Answer, Ask, Buckets } from "./asking.ts";
import { SimCoordinator } from "./coordinator.ts";
import { type Flight, Network, type Stream } from "./network.ts";
import { SimRegister } from "./register.ts";
import type { Rules } from "./rules.ts";
import { Truth } from "./truth.ts";

/** A question to the store: asked, then done, then answered; each may be late, and the last two may fail. */
export interface Operation {
  readonly of: SimCoordinator;
  readonly life: number;
  readonly ask: Extract<Ask, { ask: "read" | "swap" }>;
  answer: Answer | undefined;
  /** Its asker has given up waiting; it may still be done. */
  forsaken: boolean;
}

export interface WorldOptions {
  readonly rules: Rules;
  readonly nodes: number;
  readonly pick: (n: number) => number;
  /** A message of a stream that its agent has left may still reach it. */
  readonly oldStreamsHeard: boolean;
  readonly trace?: string[] | undefined;
}

const maxOperations = 12;

export class World {
  nowMs = 0;
  readonly rules: Rules;
  readonly nodes: readonly string[];
  readonly agents: readonly SimAgent[];
  readonly coordinators: readonly SimCoordinator[];
  readonly net = new Network();
  readonly truth: Truth;
  readonly leader = new SimRegister<LeaderRecord>();
  readonly buckets = {
    lock: new SimRegister<Buckets["lock"]>(),
    log: new SimRegister<Buckets["log"]>(),
    standings: new SimRegister<Buckets["standings"]>(),
  };
  readonly operations: Operation[] = [];
  readonly pick: (n: number) => number;
  readonly #options: WorldOptions;
  #marks = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.rules = options.rules;
    this.pick = options.pick;
    this.nodes = ["db1", "db2", "db3"].slice(0, options.nodes);
    this.truth = new Truth(this.nodes);
    this.agents = this.nodes.map((node) => new SimAgent(this, node));
    this.coordinators = [0, 1].map((index) => new SimCoordinator(this, index));
    this.buckets.standings.swap(Object.fromEntries(this.nodes.map((node) => [node, `${node}-1`])), 0);
  }

  say(text: () => string): void {
    this.#options.trace?.push(`${(this.nowMs / 1_000).toFixed(1)}s ${text()}`);
  }

  freshMark(): string {
    this.#marks += 1;
    return `n${this.#marks}`;
  }

  asked(of: SimCoordinator, ask: Operation["ask"]): void {
    this.operations.push({ of, life: of.life, ask, answer: undefined, forsaken: false });
    if (this.operations.length > maxOperations) {
      const oldest = this.operations.findIndex(({ forsaken }) => forsaken);
      if (oldest >= 0) this.operations.splice(oldest, 1);
    }
  }

  /** The store does what was asked of it. */
  perform(operation: Operation): void {
    const { ask } = operation;
    if (operation.answer !== undefined) return;
    if (ask.ask === "read") operation.answer = { read: this.buckets[ask.key].read() };
    else {
      const register = this.buckets[ask.key] as SimRegister<Buckets[keyof Buckets]>;
      operation.answer = { swap: register.swap(ask.value, ask.expected).result };
    }
    this.say(() => `${operation.of.name}: ${described(operation)}`);
  }

  /** The asker gets the answer, or learns that there will be none: then what it asked for may still be done. */
  answer(operation: Operation, lost: boolean): void {
    const { of, life, ask, answer, forsaken } = operation;
    if (answer !== undefined) this.operations.splice(this.operations.indexOf(operation), 1);
    operation.forsaken = true;
    if (forsaken) return;
    if (lost) this.say(() => `${of.name} gets no answer to its ${ask.ask} of ${ask.key}`);
    const none: Answer = ask.ask === "read" ? "unreachable" : { swap: "unknown" };
    of.answered(life, lost || answer === undefined ? none : answer);
  }

  /** The stream is over for the agent too. */
  streamEnds(stream: Stream): void {
    const agent = this.agents.find(({ node }) => node === stream.node);
    if (agent?.stream?.id === stream.id) agent.stream = undefined;
  }

  /** On its way to an agent that has left the stream meanwhile: it comes late, or never. */
  isOld({ to, stream }: Flight): boolean {
    if (to === "coordinator" || !this.#options.oldStreamsHeard) return false;
    return this.agents.find(({ node }) => node === stream.node)?.stream?.id !== stream.id;
  }

  /** What has come to a paused process waits there. */
  isPaused({ to, stream }: Flight): boolean {
    return to === "coordinator" && this.coordinators[stream.coordinator]?.paused === true;
  }

  isOnItsWay(flight: Flight): boolean {
    return !this.isOld(flight) && !this.isPaused(flight);
  }

  deliver(index: number, keep: boolean): void {
    if (index < 0) return;
    const flight = keep ? this.net.flights[index] : this.net.take(index);
    if (flight === undefined) return;
    const { stream } = flight;
    if (flight.to === "coordinator") {
      const coordinator = this.coordinators[stream.coordinator];
      this.say(
        () => `${stream.node} → ${coordinator?.name}: ${JSON.stringify(flight.message).slice(0, 160)}`,
      );
      coordinator?.hear(stream, flight.message);
      return;
    }
    const agent = this.agents.find(({ node }) => node === stream.node);
    if (agent === undefined || !agent.alive) return;
    if (agent.stream?.id !== stream.id && !this.#options.oldStreamsHeard) return;
    this.say(
      () =>
        `${this.coordinators[stream.coordinator]?.name} → ${stream.node}: ${JSON.stringify(flight.message).slice(0, 160)}`,
    );
    agent.hear(flight.message);
  }

  passTime(ms: number): void {
    this.nowMs += ms;
    for (const coordinator of this.coordinators) coordinator.look();
  }

  dial(agent: SimAgent, coordinator: SimCoordinator): void {
    if (!coordinator.alive || !coordinator.leads) return;
    const { index, life } = coordinator;
    this.say(() => `${agent.node} dials ${coordinator.name}`);
    agent.dial(this.net.open({ node: agent.node, coordinator: index, coordinatorLife: life }));
  }
}

function described({ ask, answer }: Operation): string {
  if (ask.ask === "read") return `reads ${ask.key}: ${JSON.stringify(answer).slice(0, 200)}`;
  const result = answer !== undefined && answer !== "unreachable" && "swap" in answer ? answer.swap : "";
  return `writes ${ask.key} over ${ask.expected}: ${result} ${JSON.stringify(ask.value).slice(0, 200)}`;
}
