/** An agent that was away when its rollout ended is told when it is back: until then it takes no other program. */
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import { fold } from "../../domain/rollout/reduce.ts";
import type { Drivers } from "../drivers.ts";
import type { EventLog, Fleet } from "../ports.ts";
import type { AgentReports } from "./agent-reports.ts";

export interface ClosingMeans {
  readonly reports: Pick<AgentReports, "unfinished" | "programGone">;
  readonly drivers: Pick<Drivers, "state">;
  readonly log: Pick<EventLog<RolloutEvent>, "read">;
  fleet(): Pick<Fleet, "send">;
}

export class Closing {
  readonly #means: ClosingMeans;
  /** Node and rollout: an agent tells a whole rollout at once, and its log is read once for that. */
  readonly #asking = new Set<string>();

  constructor(means: ClosingMeans) {
    this.#means = means;
  }

  /** Only what its own log says to have ended: all that it had entered was proven and freed by then. */
  async tell(node: string, rollout: string): Promise<void> {
    const asking = `${node} ${rollout}`;
    const driven = this.#means.drivers.state(rollout);
    // a driver at its end gives the claims back, as long as that takes, and hears nobody any more
    if (this.#asking.has(asking) || (driven !== undefined && driven.end === undefined)) return;
    this.#asking.add(asking);
    try {
      if (fold(await this.#means.log.read(rollout))?.end !== undefined) this.#close(node, rollout);
    } finally {
      this.#asking.delete(asking);
    }
  }

  #close(node: string, rollout: string): void {
    const { reports, fleet } = this.#means;
    const left = reports.unfinished(node);
    if (left?.rollout === rollout && left.standing === "ended") {
      const { stage, epoch } = left;
      if (fleet().send(node, { $case: "programFreed", value: { rollout, stage, epoch } }))
        reports.programGone(node);
    }
    fleet().send(node, { $case: "rolloutClosed", value: { rollout } });
  }
}
