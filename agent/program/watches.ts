/**
 * Standing orders for wait stages: a probe measured again and again, a warning, and one prepared reaction. Once
 * armed they need no coordinator and survive this agent's death. A watch that has gone blind says so.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { Watch } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { whyNotWatch } from "./admission.ts";
import { doDeed, Leaving } from "./deed.ts";
import type { DeedEnd, DeedTools } from "./deed-context.ts";
import type { Entry } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import { type WatchMemory, watchKey } from "./memory.ts";

export interface WatchesOptions {
  readonly ledger: Ledger;
  readonly deeds: DeedTools;
  readonly onError: (error: unknown) => void;
}

/**
 * Measurements in a row that may fail before the watch reports that it is blind; of one that goes on, reactions too: a lock that is
 * not had now may be had at the next look.
 */
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
    let failed = 0;
    if (of.reacting !== undefined) return this.#react(watch, of.reacting, true);
    while (!stop.aborted) {
      const measured = await this.#measure(watch);
      if (stop.aborted) return;
      if (typeof measured !== "number") {
        blind++;
        if (blind === blindAfter) await this.#fire(watch, { measured: 0, reacted: false, failure: measured });
      } else {
        blind = 0;
        if (measured < watch.reactAt) failed = 0;
        else if (watch.goesOn === true) failed = await this.#reactAndGoOn(watch, { measured, failed, stop });
        else return this.#react(watch, measured, false);
        if (measured >= watch.warnAt && measured < watch.reactAt && !of.warned)
          await this.#fire(watch, { measured, reacted: false });
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

  /**
   * How often in a row it has failed now. Not journalled before it begins: after a restart the next measurement asks for it again, and
   * its own probe knows what was done.
   */
  async #reactAndGoOn(
    watch: Watch,
    {
      measured,
      failed: before,
      stop,
    }: { readonly measured: number; readonly failed: number; readonly stop: AbortSignal },
  ): Promise<number> {
    // who disarms it must be sure that nothing more is done
    const {
      end,
      outputs,
      failure: why,
    } = await this.#do(watch, { call: watch.reaction, changes: true, limitMs: reactionLimitMs }, stop);
    if (end === "done" || end === "found-done") {
      if (end === "done") await this.#fire(watch, { measured, reacted: true, goesOn: true, outputs });
      return 0;
    }
    const failed = before + 1;
    if (failed === blindAfter)
      await this.#fire(watch, { measured, reacted: false, ...(why === undefined ? {} : { failure: why }) });
    return failed;
  }

  #do(
    watch: Watch,
    what: { readonly call: Watch["probe"]; readonly changes: boolean; readonly limitMs: number },
    stop?: AbortSignal,
  ): Promise<DeedEnd> {
    const { rollout, stage, id } = watch;
    const { deeds } = this.#options;
    const leaving = stop === undefined ? deeds.leaving : AbortSignal.any([deeds.leaving, stop]);
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
      { ...deeds, leaving },
    );
  }

  async #fire(
    watch: Watch,
    fired: Omit<Extract<Entry, { kind: "watch-fired" }>, "kind" | "rollout" | "id">,
  ): Promise<void> {
    await this.#options.ledger.append({
      kind: "watch-fired",
      rollout: watch.rollout,
      id: watch.id,
      ...fired,
    });
  }
}
