/**
 * The drivers of all open rollouts, while this coordinator leads. A driver that fails (the store is gone) is
 * started anew from the log; its agents are asked to attach again, so that nothing they said is lost.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import type { RolloutEvent, RolloutFact } from "../domain/rollout/event.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import type { Mail } from "./agents/inbox.ts";
import { RolloutDriver } from "./driver.ts";
import { Deposed, RolloutJournal } from "./journal.ts";
import type { EventLog } from "./ports.ts";
import type { DriverMeans } from "./rollout-desk.ts";

export interface DriversMeans {
  readonly log: EventLog<RolloutEvent>;
  readonly clock: Clock;
  readonly random: Random;
  readonly coordinator: string;
  means(state: RolloutState): DriverMeans;
  /** Every node of the rollout's clusters. */
  nodesOf(state: RolloutState): readonly string[];
  /** Ends the agent's stream, so that it dials again and tells everything anew. */
  redial(node: string): void;
  warn(text: string, facts: Readonly<Record<string, unknown>>): void;
}

interface Running {
  readonly stop: AbortController;
  readonly finished: Promise<void>;
  driver: RolloutDriver | undefined;
}

export class Drivers {
  readonly #means: DriversMeans;
  readonly #running = new Map<string, Running>();

  constructor(means: DriversMeans) {
    this.#means = means;
  }

  /** `takenOver`: another coordinator drove it before; said in the rollout's log. */
  start(rollout: string, takenOver: boolean): void {
    if (this.#running.has(rollout)) return;
    const stop = new AbortController();
    const running: Running = { stop, driver: undefined, finished: Promise.resolve() };
    this.#running.set(rollout, running);
    Object.assign(running, { finished: this.#keepDriving(rollout, running, takenOver) });
  }

  state(rollout: string): RolloutState | undefined {
    return this.#running.get(rollout)?.driver?.state;
  }

  states(): readonly RolloutState[] {
    return [...this.#running.values()].flatMap(({ driver }) => driver?.state ?? []);
  }

  /** Puts the mail where it belongs; false when nobody drives that rollout here. */
  deliver(rollout: string, mail: Mail): boolean {
    const driver = this.#running.get(rollout)?.driver;
    driver?.inbox.put(mail);
    return driver !== undefined;
  }

  /** To every rollout that touches the node. */
  tellAll(node: string, mail: Mail): void {
    for (const { driver } of this.#running.values()) {
      if (driver !== undefined && this.#means.nodesOf(driver.state).includes(node)) driver.inbox.put(mail);
    }
  }

  /** An order of a person: stored as an event before this resolves. False when nobody drives the rollout. */
  order(rollout: string, fact: RolloutFact): Promise<boolean> {
    return new Promise((resolve) => {
      if (!this.deliver(rollout, { kind: "order", fact, done: resolve })) resolve(false);
    });
  }

  async stopAll(): Promise<void> {
    const all = [...this.#running.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ finished }) => finished));
  }

  async #keepDriving(rollout: string, running: Running, takenOver: boolean): Promise<void> {
    const { clock, random, log, coordinator, warn } = this.#means;
    let first = takenOver;
    // agents told an earlier driver, or nobody: what they said since then must be said again
    let redials = takenOver;
    while (!running.stop.signal.aborted) {
      try {
        const journal = await RolloutJournal.load(rollout, { log, clock, random });
        if (first && journal.state.end === undefined)
          await journal.append({ kind: "taken-over", coordinator });
        first = false;
        const driver = new RolloutDriver(journal, this.#means.means(journal.state), running.stop.signal);
        running.driver = driver;
        if (redials) for (const node of this.#means.nodesOf(journal.state)) this.#means.redial(node);
        redials = true;
        await driver.run();
        break;
      } catch (error) {
        letGo(running);
        warn("driver failed, starting it anew", {
          rollout,
          cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
        if (error instanceof Deposed) await clock.sleep(5_000, running.stop.signal).catch(() => undefined);
        await clock.sleep(500 + 1_000 * random(), running.stop.signal).catch(() => undefined);
      }
    }
    letGo(running);
    this.#running.delete(rollout);
  }
}

function letGo(running: Running): void {
  running.driver?.inbox.close();
  running.driver = undefined;
}
