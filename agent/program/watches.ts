/**
 * Standing orders for wait stages: a probe measured again and again, a warning, and one prepared reaction. Once
 * armed they need no coordinator and survive this agent's death. A watch that has gone blind says so.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { Watch } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { whyNotWatch } from "./admission.ts";
import { doDeed, Leaving } from "./deed.ts";
import type { DeedEnd, DeedTools } from "./deed-context.ts";
import type { Ledger } from "./ledger.ts";
import { type WatchMemory, watchKey } from "./memory.ts";

export interface WatchesOptions {
  readonly ledger: Ledger;
  readonly deeds: DeedTools;
  readonly onError: (error: unknown) => void;
}

/** Measurements in a row that may fail before the watch reports that it is blind. */
const blindAfter = 3;
const reactionLimitMs = 60_000;

export class Watches {
  readonly #options: WatchesOptions;
  readonly #running = new Map<string, AbortController>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Answered by its journal entry. Armed already: left as it is. Refused: told as fired, with the reason. */
  async arm(watch: Watch): Promise<void> {
    const { deeds, ledger } = this.#options;
    if (ledger.memory.watches.has(watchKey(watch))) return;
    const why = whyNotWatch(watch, deeds.vocabulary);
    if (why !== undefined) return this.#fire(watch, { measured: 0, reacted: false, failure: why });
    await ledger.append({ kind: "watch-armed", rollout: watch.rollout, id: watch.id, watch });
    this.#start(ledger.memory.watches.get(watchKey(watch)));
  }

  /** Answered by its journal entry, also where nothing was armed: who disarms must be sure of it. */
  async disarm({ rollout, id }: { readonly rollout: string; readonly id: string }): Promise<void> {
    this.#stop(watchKey({ rollout, id }));
    await this.#options.ledger.append({ kind: "watch-disarmed", rollout, id });
  }

  /** Stops all of a rollout; the journal forgets them with it. */
  forget(rollout: string): void {
    for (const { watch } of this.#options.ledger.memory.watches.values()) {
      if (watch.rollout === rollout) this.#stop(watchKey(watch));
    }
  }

  resumeAll(): void {
    for (const of of this.#options.ledger.memory.watches.values()) this.#start(of);
  }

  #start(of: WatchMemory | undefined): void {
    if (of === undefined || of.reacted) return;
    const controller = new AbortController();
    this.#running.set(watchKey(of.watch), controller);
    this.#watch(of, controller.signal).catch((error: unknown) => {
      if (!(error instanceof Leaving) && !controller.signal.aborted) this.#options.onError(error);
    });
  }

  #stop(key: string): void {
    this.#running.get(key)?.abort();
    this.#running.delete(key);
  }

  async #watch(of: WatchMemory, stop: AbortSignal): Promise<void> {
    const { clock } = this.#options.deeds.time;
    const { watch } = of;
    let blind = 0;
    if (of.reacting !== undefined) return this.#react(watch, of.reacting, true);
    while (!stop.aborted) {
      const measured = await this.#measure(watch);
      if (stop.aborted) return;
      if (typeof measured !== "number") {
        blind++;
        if (blind === blindAfter) await this.#fire(watch, { measured: 0, reacted: false, failure: measured });
      } else {
        blind = 0;
        if (measured >= watch.reactAt) return this.#react(watch, measured, false);
        if (measured >= watch.warnAt && !of.warned) await this.#fire(watch, { measured, reacted: false });
      }
      await clock.sleep(watch.everyMs, stop);
    }
  }

  async #measure(watch: Watch): Promise<number | Failure> {
    const end = await this.#do(watch, {
      call: watch.probe,
      changes: false,
      limitMs: Math.max(1_000, watch.everyMs),
    });
    const value = Number(end.outputs["value"] ?? Number.NaN);
    if (end.end !== "done") return end.failure ?? failure("watch.blind", { watch: watch.id });
    return Number.isFinite(value) ? value : failure("watch.no-number", { watch: watch.id });
  }

  async #react(watch: Watch, measured: number, resumed: boolean): Promise<void> {
    const { ledger } = this.#options;
    if (!resumed)
      await ledger.append({ kind: "watch-reacting", rollout: watch.rollout, id: watch.id, measured });
    const end = await this.#do(watch, { call: watch.reaction, changes: true, limitMs: reactionLimitMs });
    const reacted = end.end === "done" || end.end === "found-done";
    await this.#fire(watch, {
      measured,
      reacted,
      ...(end.failure === undefined ? {} : { failure: end.failure }),
    });
  }

  #do(
    watch: Watch,
    what: { readonly call: Watch["probe"]; readonly changes: boolean; readonly limitMs: number },
  ): Promise<DeedEnd> {
    const { rollout, stage, id } = watch;
    return doDeed(
      {
        part: { rollout, stage, attempt: 1, step: `watch-${id}`, part: "reaction", again: 0 },
        call: what.call,
        changes: what.changes,
        ...(what.changes ? {} : { withoutTools: true }),
        deadlineMs: what.limitMs,
        onDeadline: "end",
        begin: () => Promise.resolve(),
        mayChange: () => undefined,
        earlier: {},
        begunBefore: "nothing",
        progress: () => undefined,
        endedLater: () => undefined,
      },
      this.#options.deeds,
    );
  }

  async #fire(
    watch: Watch,
    fired: { readonly measured: number; readonly reacted: boolean; readonly failure?: Failure },
  ): Promise<void> {
    await this.#options.ledger.append({
      kind: "watch-fired",
      rollout: watch.rollout,
      id: watch.id,
      ...fired,
    });
  }
}
