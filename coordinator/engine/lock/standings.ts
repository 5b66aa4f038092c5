/** Under which state id each node was last proven: an agent that comes back with another one has lost its memory. */
import type { Clock, Random } from "#proto/common/clock.ts";
import { type NodeStanding, standingFormat } from "../../domain/standing.ts";
import type { Register } from "../ports.ts";
import { electionLimitMs, readSurely, swapSurely } from "./swap.ts";

export interface StandingsMeans {
  readonly register: Register<NodeStanding>;
  readonly clock: Clock;
  readonly random: Random;
}

export class Standings {
  readonly #means: StandingsMeans;

  constructor(means: StandingsMeans) {
    this.#means = means;
  }

  /** State ids by node; a node that was never seen is not among them. */
  async provenStateIds(nodes: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const found = await Promise.all(nodes.map((node) => this.#read(node)));
    return Object.fromEntries(
      nodes.flatMap((node, index) =>
        found[index] === undefined ? [] : [[node, found[index].value.stateId]],
      ),
    );
  }

  /** A node that was never seen is known from now on; one that was keeps the state id under which it was proven. */
  async meet(node: string, stateId: string, by: string): Promise<void> {
    if ((await this.#read(node)) === undefined) await this.prove(node, stateId, by);
  }

  /** The state id of a node that is seen for the first time, or that a person has answered for. */
  async prove(node: string, stateId: string, by: string): Promise<void> {
    const { register, clock, random } = this.#means;
    const before = await this.#read(node);
    if (before?.value.stateId === stateId) return;
    const provenAt = new Date(clock.now()).toISOString();
    const next: NodeStanding = { format: standingFormat, stateId, provenAt, by };
    const isOurs = (found: NodeStanding) => found.stateId === stateId;
    const means = { clock, random, limitMs: electionLimitMs };
    await swapSurely(register, { key: node, before, next, isOurs }, means);
  }

  #read(node: string) {
    const { register, clock, random } = this.#means;
    return readSurely(register, node, { clock, random, limitMs: electionLimitMs });
  }
}
