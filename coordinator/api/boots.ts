/**
 * The boots of each node's host, as its agents tell them. A boot that comes back after another was seen belongs to
 * a second host: a clone with a copy of the state folder is known by nothing else.
 */
import type { Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";

/** More than a host boots while one coordinator lives, and few enough to keep. */
const maxBoots = 64;

export class Boots {
  readonly #seen = new Map<string, readonly string[]>();

  /** False when this Hello comes from a boot that was over already. */
  isOneHost({ node, stateId, bootId }: Pick<Hello, "node" | "stateId" | "bootId">): boolean {
    const key = `${node} ${stateId}`;
    const seen = this.#seen.get(key) ?? [];
    if (seen.at(-1) === bootId) return true;
    const isOver = seen.includes(bootId);
    this.#seen.set(key, isOver ? [bootId] : [...seen, bootId].slice(-maxBoots));
    return !isOver;
  }
}
