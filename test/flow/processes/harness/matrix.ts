/**
 * Every boundary of a story against every victim, in as few rollouts as there are victims. Of a boundary that each of
 * the three nodes has, all its kills fall into one rollout, at each node another victim; one that comes once has
 * another victim in each.
 */
import { type Plot, type Victim, victims } from "./killer.ts";

export const turns = victims.map((_, turn) => turn);

export class Matrix {
  readonly #nodes: readonly string[];
  readonly #victims: readonly Victim[];
  readonly #struck = new Map<string, Set<Victim>>();
  /** In which turns each boundary came at all. */
  readonly #seenIn = new Map<string, Set<number>>();

  constructor(nodes: readonly string[], whom: readonly Victim[] = victims) {
    this.#nodes = nodes;
    this.#victims = whom;
  }

  /** Whom to kill where in that turn. */
  plot(turn: number): Plot {
    return (boundary) => {
      const number = this.#numberOf(boundary.name);
      this.#seenIn.get(boundary.name)?.add(turn);
      const node = boundary.node ?? this.#nodes[number % this.#nodes.length] ?? "";
      if (boundary.isOfEachNode && number % this.#victims.length !== turn) return undefined;
      const place = boundary.isOfEachNode ? this.#nodes.indexOf(node) : number;
      const victim = this.#victims[(place + turn) % this.#victims.length] ?? "agent";
      this.#struck.get(boundary.name)?.add(victim);
      return { victim, node };
    };
  }

  get boundaries(): readonly string[] {
    return [...this.#struck.keys()];
  }

  /** `boundary: victim` of each pair that no rollout has had, of the boundaries that every rollout comes to. */
  get missing(): readonly string[] {
    return [...this.#struck].flatMap(([name, struck]) =>
      this.#isOfAll(name)
        ? this.#victims.filter((victim) => !struck.has(victim)).map((victim) => `${name}: ${victim}`)
        : [],
    );
  }

  /** Boundaries that only some kill has brought about, such as an undo or a second grant. */
  get occasional(): readonly string[] {
    return this.boundaries.filter((name) => !this.#isOfAll(name));
  }

  #isOfAll(name: string): boolean {
    return this.#seenIn.get(name)?.size === this.#victims.length;
  }

  /** The same in every turn, whatever a kill brings forward or puts off. */
  #numberOf(name: string): number {
    if (!this.#struck.has(name)) {
      this.#struck.set(name, new Set());
      this.#seenIn.set(name, new Set());
    }
    return [...this.#struck.keys()].indexOf(name);
  }
}
