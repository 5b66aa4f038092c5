/** The rollout below its own log, drawn anew with each event and each second, from the events alone. */
import { renderDuration } from "#proto/common/duration.ts";
import type { RolloutEvent } from "../domain/rollout/event.ts";
import { reduce } from "../domain/rollout/reduce.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import { viewOf } from "../domain/rollout/view.ts";
import type { Session } from "./command.ts";
import { renderRollout } from "./render/rollout.ts";

const everyMs = 1_000;

export class LivePicture implements Disposable {
  readonly #session: Session;
  readonly #draws: boolean;
  #state: RolloutState | undefined;
  #lastMs = 0;
  #cancel = () => {};

  constructor(session: Session) {
    this.#session = session;
    this.#draws = session.terminal.redraws && session.output === "table";
  }

  saw(event: RolloutEvent): void {
    if (!this.#draws || (this.#state === undefined && event.fact.kind !== "rollout-started")) return;
    this.#state = reduce(this.#state, event);
    this.#lastMs = this.#session.terminal.clock.monotonicMs();
    this.#draw();
  }

  end(): void {
    this.#cancel();
    this.#session.terminal.draw([]);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #draw(): void {
    this.#cancel();
    if (this.#state === undefined) return;
    const { terminal, paint } = this.#session;
    const silentMs = terminal.clock.monotonicMs() - this.#lastMs;
    const waits = silentMs < everyMs ? "" : `  … ${renderDuration(Math.floor(silentMs / everyMs) * everyMs)}`;
    // the words were given a moment ago, by whoever looks at this
    const view = { ...viewOf(this.#state), words: [] };
    const picture = renderRollout(view, terminal.clock.now(), paint).split("\n");
    terminal.draw(["", ...picture, ...(waits === "" ? [] : [paint("dim", waits)])]);
    this.#cancel = terminal.clock.after(everyMs, () => this.#draw());
  }
}
