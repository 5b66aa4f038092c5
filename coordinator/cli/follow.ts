/**
 * Follows a rollout to its end or its first wait. On a terminal its state is drawn below the log and drawn anew; in
 * a pipe each event is one line; as ndjson each event is one document. Ctrl-C detaches, nothing more.
 */
import { FailureError } from "#proto/common/failure.ts";
import type { RolloutEvent } from "../domain/rollout/event.ts";
import type { RolloutView } from "../domain/views.ts";
import type { ControlClient } from "./client.ts";
import { read, type Session } from "./command.ts";
import { type ExitCode, exitCodeOfRest, exitCodes } from "./exit-code.ts";
import { LivePicture } from "./live.ts";
import { renderEvent } from "./render/event.ts";
import { renderRollout } from "./render/rollout.ts";

/** Kinds of events after which a follower looks at the phase: the rollout may have come to rest. */
const restingKinds: ReadonlySet<string> = new Set(["stopped", "waited", "paused", "aborted", "finished"]);

const reconnectMs = 1_000;
const giveUpMs = 60_000;

export interface FollowOptions {
  /** Only what this node did is told. */
  readonly node?: string | undefined;
  /** Only what comes after this sequence is told: from an order on, not the whole history again. */
  readonly since?: number;
}

export async function follow(
  session: Session,
  rollout: string,
  options: FollowOptions = {},
): Promise<ExitCode> {
  const { terminal } = session;
  using picture = new LivePicture(session);
  const follower = new Follower(session, { rollout, picture, ...options });
  while (!terminal.interrupted.aborted) {
    try {
      const rested = await follower.untilRest();
      if (rested !== undefined) {
        picture.end();
        return conclude(session, rested);
      }
    } catch (error) {
      if (terminal.interrupted.aborted) break;
      const lost = error instanceof FailureError && /^(coordinator|store)\./.test(error.failure.code);
      if (!lost || follower.silentMs > giveUpMs) throw error;
    }
    await terminal.clock.sleep(reconnectMs, terminal.interrupted).catch(() => undefined);
  }
  picture.end();
  terminal.note(`detached; the rollout goes on. Again: lockkeeper watch ${rollout}`);
  return exitCodes.detached;
}

interface Followed extends FollowOptions {
  readonly rollout: string;
  readonly picture: LivePicture;
}

/** Keeps its place in the log over lost connections, and that the rollout may have come to rest. */
class Follower {
  readonly #session: Session;
  readonly #followed: Followed;
  #after = 0;
  #mayRest = false;
  #heardMs: number;

  constructor(session: Session, followed: Followed) {
    this.#session = session;
    this.#followed = followed;
    this.#heardMs = session.terminal.clock.monotonicMs();
  }

  get silentMs(): number {
    return this.#session.terminal.clock.monotonicMs() - this.#heardMs;
  }

  async untilRest(): Promise<RolloutView | undefined> {
    return (await this.#atRest()) ?? this.#session.stream((client) => this.#watch(client));
  }

  async #watch(client: ControlClient): Promise<RolloutView | undefined> {
    const { terminal } = this.#session;
    const { rollout, node, picture, since = 0 } = this.#followed;
    const from = { rollout, afterSequence: this.#after, follow: true };
    for await (const { sequence, event } of client.watch(from, { signal: terminal.interrupted })) {
      this.#after = sequence;
      this.#heardMs = terminal.clock.monotonicMs();
      const told = read<RolloutEvent>(event, "event");
      const isTold = sequence > since && (node === undefined || concerns(told, node));
      if (isTold) tell(this.#session, told);
      picture.saw(told);
      if (sequence <= since) continue;
      this.#mayRest ||= restingKinds.has(told.fact.kind);
      const rested = await this.#atRest();
      if (rested !== undefined) return rested;
    }
    return undefined;
  }

  async #atRest(): Promise<RolloutView | undefined> {
    if (!this.#mayRest) return undefined;
    const view = await viewOf(this.#session, this.#followed.rollout);
    this.#mayRest = view.phase !== "running" && view.phase !== "aborting";
    return this.#mayRest && view.lastSequence <= this.#after ? view : undefined;
  }
}

export async function viewOf(session: Session, name: string): Promise<RolloutView> {
  const { rollout } = await session.call((client) => client.getRollout({ name }));
  return read<RolloutView>(rollout, "rollout");
}

export function concerns({ fact }: RolloutEvent, node: string): boolean {
  return ("node" in fact && fact.node === node) || ("nodes" in fact && fact.nodes.includes(node));
}

export function tell(session: Session, event: RolloutEvent): void {
  if (session.output !== "table") session.terminal.data(JSON.stringify(event));
  else {
    const line = renderEvent(event);
    if (line !== undefined) session.terminal.data(line);
  }
}

function conclude(session: Session, view: RolloutView): ExitCode {
  if (session.output === "table")
    session.terminal.data(renderRollout(view, session.terminal.clock.now(), session.paint));
  return exitCodeOfRest(view);
}
