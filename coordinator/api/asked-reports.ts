/** Reports that were asked for and are not there yet: each is answered, given up at its limit, or lost with its node. */
import type { Clock } from "#proto/common/clock.ts";
import { fail, type Outcome } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { TakeHealth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import type { Asked } from "./health-reading.ts";

interface Pending extends Asked {
  readonly node: string;
  settle(outcome: Outcome<NodeReport>): void;
}

/** `send`: false where the node has no stream. */
export interface Question extends Pick<TakeHealth, "depth" | "limitMs"> {
  readonly node: string;
  readonly send: (message: TakeHealth) => boolean;
}

export class AskedReports {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #requests = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Failures: `node.silent` at the limit, `node.unreachable`, `node.report-unreadable`. */
  ask({ node, depth, limitMs, send }: Question): Promise<Outcome<NodeReport>> {
    this.#requests += 1;
    const request = String(this.#requests);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(limitMs, () =>
        settle(fail("node.silent", { node, limitMs: String(limitMs) })),
      );
      const settle = (outcome: Outcome<NodeReport>) => {
        cancel();
        this.#pending.delete(request);
        resolve(outcome);
      };
      const asked = { askedMs: this.#clock.monotonicMs(), askedAt: this.#clock.now() };
      this.#pending.set(request, { node, ...asked, settle });
      if (!send({ request, depth, limitMs })) settle(fail("node.unreachable", { node }));
    });
  }

  /** When the node was asked what it answers now; undefined for what nobody has asked it. */
  askedFor(request: string, node: string): Asked | undefined {
    const pending = this.#pending.get(request);
    return pending?.node === node ? pending : undefined;
  }

  answered(request: string, node: string, report: Outcome<NodeReport>): void {
    const pending = this.#pending.get(request);
    if (pending?.node === node) pending.settle(report);
  }

  /** Its stream is gone: nothing that was asked on it is answered. */
  lost(node: string): void {
    for (const pending of [...this.#pending.values()])
      if (pending.node === node) pending.settle(fail("node.unreachable", { node }));
  }
}
