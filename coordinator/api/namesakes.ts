/**
 * Two agents under one node name: both are refused, and shown, as long as both call. An agent that is refused
 * calls again within seconds, so that one that has been silent for `quietMs` has been taken away or renamed. Which
 * of them is the node nobody can tell from here: whoever stays is taken in, and its memory is judged by its state id.
 */

export class Namesakes {
  readonly #quietMs: number;
  /** When each agent, by state id and boot, called last; only of names under which two called. */
  readonly #calls = new Map<string, Map<string, number>>();

  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  /** Two streams were open at once. */
  met(node: string, selves: readonly [string, string], nowMs: number): void {
    this.#calls.set(node, new Map(selves.map((self) => [self, nowMs])));
  }

  /** A call: true while another agent of this name has called within the quiet time. */
  refuses(node: string, self: string, nowMs: number): boolean {
    const calls = this.#calls.get(node);
    if (calls === undefined) return false;
    calls.set(self, nowMs);
    const others = [...calls].filter(([other]) => other !== self);
    if (others.some(([, atMs]) => nowMs - atMs < this.#quietMs)) return true;
    this.#calls.delete(node);
    return false;
  }

  names(): readonly string[] {
    return [...this.#calls.keys()].sort();
  }
}
