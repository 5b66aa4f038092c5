/**
 * Kills a process of the fleet at boundaries of a rollout, as kill -9 does, and starts it again as systemd would. A
 * nats-server is started again by its coordinator.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { type Boundary, boundaryOf } from "./boundaries.ts";
import type { Coordinator } from "./fleet.ts";
import type { Process } from "./process.ts";

export const victims = ["coordinator", "agent", "nats-server"] as const;
/** `server`: the database itself, where the fleet knows how. */
export type Victim = (typeof victims)[number] | "server";

export interface Kill {
  readonly victim: Victim;
  /** Whose agent. */
  readonly node: string;
}

/** Asked once for each boundary, and once for each node where it is one of each node. */
export type Plot = (boundary: Boundary) => Kill | undefined;

export interface Mortal {
  readonly coordinators: readonly Coordinator[];
  agent(name: string): Process;
  /** Kills the database of a node and starts it again. */
  strikeServer?(node: string): Promise<void>;
}

const restartAfterMs = 300;

export class Killer {
  readonly #fleet: Mortal;
  readonly #plot: Plot;
  readonly #seen = new Set<string>();
  #heardTo = 0;
  #mending = Promise.resolve();
  /** `victim at node: boundary`, in the order of the deeds. */
  readonly deeds: string[] = [];

  constructor(fleet: Mortal, plot: Plot) {
    this.#fleet = fleet;
    this.#plot = plot;
  }

  readonly hear = (event: RolloutEvent): void => {
    // a follower that begins anew tells old events again
    if (event.sequence <= this.#heardTo) return;
    this.#heardTo = event.sequence;
    const boundary = boundaryOf(event);
    if (boundary === undefined) return;
    const key = boundary.isOfEachNode ? `${boundary.node} ${boundary.name}` : boundary.name;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const kill = this.#plot(boundary);
    if (kill === undefined) return;
    this.deeds.push(`${kill.victim} at ${kill.node}: ${boundary.name}`);
    this.#mending = this.#mending.then(() => this.#kill(kill));
  };

  /** Everything that was killed has been started again. */
  mended(): Promise<void> {
    return this.#mending;
  }

  async #kill({ victim, node }: Kill): Promise<void> {
    const [coordinator] = this.#fleet.coordinators;
    if (coordinator === undefined) return;
    if (victim === "server") return this.#fleet.strikeServer?.(node);
    if (victim === "nats-server") return killNats(coordinator.stateDir);
    const { process } = victim === "agent" ? { process: this.#fleet.agent(node) } : coordinator;
    await process.kill();
    await sleep(restartAfterMs);
    process.start();
  }
}

/** The server writes its number down again with each start, so that a second blow waits for the next life. */
async function killNats(stateDir: string): Promise<void> {
  const text = await readFile(join(stateDir, "nats/running.json"), "utf8");
  const { pid } = JSON.parse(text) as { readonly pid: number };
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it is dead already, and being started again
  }
}
