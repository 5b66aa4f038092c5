/** Histories that are told, not drawn: what happens is named one after the other, and the rest goes on as usual. */
import * as events from "./events.ts";
import { type Rules, soundRules } from "./rules.ts";
import { type Operation, World } from "./world.ts";

const patience = 2_000;

export class Script {
  readonly world: World;
  #wanted = 0;
  readonly #trace: string[] = [];

  constructor(rules: Rules = soundRules) {
    // of three: the node; of six: whether it is a lock of cluster scope
    const pick = (n: number) => (n === 3 ? this.#wanted : 1);
    this.world = new World({ rules, nodes: 3, pick, oldStreamsHeard: true, trace: this.#trace });
  }

  agent(node: string) {
    const found = this.world.agents.find((agent) => agent.node === node);
    if (found === undefined) throw new Error(`no agent ${node}`);
    return found;
  }

  coordinator(name: "co1" | "co2") {
    const found = this.world.coordinators.find((coordinator) => coordinator.name === name);
    if (found === undefined) throw new Error(`no coordinator ${name}`);
    return found;
  }

  get record() {
    return this.world.buckets.lock.read()?.value;
  }

  /** From now on grants are for this node alone. */
  wants(node: string): void {
    this.#wanted = this.world.nodes.indexOf(node);
  }

  /** It takes the lease, and agents dial it; whom they leave is not told. */
  leads(name: "co1" | "co2", ...nodes: readonly string[]): void {
    const coordinator = this.coordinator(name);
    for (let beats = 0; !coordinator.leads && beats < 20; beats += 1) {
      coordinator.beat(true);
      this.world.nowMs += 5_000;
    }
    if (!coordinator.leads) throw new Error(`${name} does not lead`);
    this.dial(name, ...(nodes.length > 0 ? nodes : this.world.nodes));
  }

  dial(name: "co1" | "co2", ...nodes: readonly string[]): void {
    for (const node of nodes) {
      const agent = this.agent(node);
      agent.stream = undefined;
      this.world.dial(agent, this.coordinator(name));
    }
  }

  /** All that is on its way to this coordinator comes there. */
  reaches(name: "co1" | "co2"): void {
    const { flights } = this.world.net;
    const { index } = this.coordinator(name);
    for (const flight of [...flights])
      if (flight.to === "coordinator" && flight.stream.coordinator === index)
        this.world.deliver(flights.indexOf(flight), false);
  }

  /** Lets everybody go on who is not paused, until something is so. */
  until(what: string, holds: () => boolean): void {
    for (let times = 0; !holds(); times += 1) {
      if (times >= patience) throw new Error(`never: ${what}\n${this.#trace.slice(-40).join("\n")}`);
      events.goOn(this.world, { a: times, b: 1 });
    }
  }

  /** The driver of this coordinator has just asked the store to write this. */
  asksToWrite(name: "co1" | "co2", key: "lock" | "log"): boolean {
    const asks = this.coordinator(name).asks;
    return asks?.ask === "swap" && asks.key === key;
  }

  /** What it waits for the store to do. */
  operationOf(name: "co1" | "co2"): Operation {
    const found = this.world.operations.findLast(({ of }) => of.name === name);
    if (found === undefined) throw new Error(`${name} asks nothing of the store`);
    return found;
  }

  hasEntered(node: string): boolean {
    return this.agent(node).unfinished?.entered === true;
  }
}
