/**
 * Kills a process of the fleet at boundaries of a node's stage, as kill -9 does, and starts it again as systemd
 * would. A nats-server is started again by its coordinator.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { boundaryOf } from "./boundaries.ts";
import type { ProcessFleet } from "./fleet.ts";

export type Victim = "coordinator" | "agent" | "nats-server";

export interface Murder {
  readonly node: string;
  readonly victim: Victim;
  /** Asked once for each boundary of that node's stage. */
  strikes(boundary: string): boolean;
}

const restartAfterMs = 300;

export class Killer {
  readonly #fleet: ProcessFleet;
  readonly #plan: readonly Murder[];
  readonly #seen = new Set<string>();
  #heardTo = 0;
  #mending = Promise.resolve();
  /** `victim at node: boundary`, in the order of the deeds. */
  readonly deeds: string[] = [];

  constructor(fleet: ProcessFleet, plan: readonly Murder[]) {
    this.#fleet = fleet;
    this.#plan = plan;
  }

  readonly hear = (event: RolloutEvent): void => {
    // a follower that begins anew tells old events again
    if (event.sequence <= this.#heardTo) return;
    this.#heardTo = event.sequence;
    for (const murder of this.#plan) this.#consider(murder, event);
  };

  /** Everything that was killed has been started again. */
  mended(): Promise<void> {
    return this.#mending;
  }

  #consider(murder: Murder, event: RolloutEvent): void {
    const { node, victim } = murder;
    const boundary = boundaryOf(event, node);
    if (boundary === undefined || this.#seen.has(`${node} ${boundary}`)) return;
    this.#seen.add(`${node} ${boundary}`);
    if (!murder.strikes(boundary)) return;
    this.deeds.push(`${victim} at ${node}: ${boundary}`);
    this.#mending = this.#mending.then(() => this.#kill(victim, node));
  }

  async #kill(victim: Victim, node: string): Promise<void> {
    const [coordinator] = this.#fleet.coordinators;
    if (coordinator === undefined) return;
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
