/**
 * Follows a rollout to its end or its first wait. On a terminal the state is redrawn below the log; in a
 * pipe each event is one line; as ndjson each event is one document. Ctrl-C detaches, nothing more.
 */

import { FailureError } from "#proto/common/failure.ts";
import type { RolloutEvent } from "../domain/rollout/event.ts";
import type { RolloutView } from "../domain/views.ts";
import type { ControlClient } from "./client.ts";
import { read, type Session } from "./command.ts";
import { type ExitCode, exitCodeOfPhase, exitCodes } from "./exit-code.ts";
import { renderEvent } from "./render/event.ts";
import { renderRollout } from "./render/rollout.ts";

/** Kinds of events after which a follower looks at the phase: the rollout may have come to rest. */
const restingKinds: ReadonlySet<string> = new Set(["stopped", "waited", "paused", "aborted", "finished"]);

const reconnectMs = 1_000;
const giveUpMs = 60_000;

/** Shows the events after the sequence `since`: all of them, or those from an order on. */
export async function follow(session: Session, rollout: string, since = 0): Promise<ExitCode> {
  const { terminal } = session;
  const follower = new Follower(session, rollout, since);
  while (!terminal.interrupted.aborted) {
    try {
      const rested = await follower.untilRest();
      if (rested !== undefined) return conclude(session, rested);
    } catch (error) {
      if (terminal.interrupted.aborted) break;
      const lost = error instanceof FailureError && /^(coordinator|store)\./.test(error.failure.code);
      if (!lost || follower.silentMs > giveUpMs) throw error;
    }
    await terminal.clock.sleep(reconnectMs, terminal.interrupted).catch(() => undefined);
  }
  terminal.note(`detached; the rollout goes on. Again: lockkeeper watch ${rollout}`);
  return exitCodes.detached;
}

/** Keeps its place in the log over lost connections, and that the rollout may have come to rest. */
class Follower {
  readonly #session: Session;
  readonly #rollout: string;
  #after: number;
  #mayRest = false;
  #heardMs: number;

  constructor(session: Session, rollout: string, since: number) {
    this.#session = session;
    this.#rollout = rollout;
    this.#after = since;
    this.#heardMs = session.terminal.clock.monotonicMs();
  }

  get silentMs(): number {
    return this.#session.terminal.clock.monotonicMs() - this.#heardMs;
  }

  async untilRest(): Promise<RolloutView | undefined> {
    return (await this.#atRest()) ?? this.#session.call((client) => this.#watch(client));
  }

  async #watch(client: ControlClient): Promise<RolloutView | undefined> {
    const { terminal } = this.#session;
    const from = { rollout: this.#rollout, afterSequence: this.#after, follow: true };
    for await (const { sequence, event } of client.watch(from, { signal: terminal.interrupted })) {
      this.#after = sequence;
      this.#heardMs = terminal.clock.monotonicMs();
      const told = read<RolloutEvent>(event, "event");
      tell(this.#session, told);
      this.#mayRest ||= restingKinds.has(told.fact.kind);
      const rested = await this.#atRest();
      if (rested !== undefined) return rested;
    }
    return undefined;
  }

  async #atRest(): Promise<RolloutView | undefined> {
    if (!this.#mayRest) return undefined;
    const view = await viewOf(this.#session, this.#rollout);
    this.#mayRest = view.phase !== "running" && view.phase !== "aborting";
    return this.#mayRest && view.lastSequence <= this.#after ? view : undefined;
  }
}

export async function viewOf(session: Session, name: string): Promise<RolloutView> {
  const { rollout } = await session.call((client) => client.getRollout({ name }));
  return read<RolloutView>(rollout, "rollout");
}

function tell(session: Session, event: RolloutEvent): void {
  if (session.output !== "table") session.terminal.data(JSON.stringify(event));
  else {
    const line = renderEvent(event);
    if (line !== undefined) session.terminal.data(line);
  }
}

function conclude(session: Session, view: RolloutView): ExitCode {
  if (session.output === "table")
    session.terminal.data(renderRollout(view, session.terminal.clock.now(), session.paint));
  return exitCodeOfPhase[view.phase];
}
