/**
 * Follows a rollout to its end or its first wait. On a terminal the state is redrawn below the log; in a
 * pipe each event is one line; as ndjson each event is one document. Ctrl-C detaches, nothing more.
 */

import { FailureError } from "#proto/common/failure.ts";
import type { RolloutEvent } from "../domain/rollout/event.ts";
import type { RolloutView } from "../domain/views.ts";
import { read, type Session } from "./command.ts";
import { type ExitCode, exitCodeOfPhase, exitCodes } from "./exit-code.ts";
import { renderEvent } from "./render/event.ts";
import { renderRollout } from "./render/rollout.ts";

/** Kinds of events after which a follower looks at the phase: the rollout may have come to rest. */
const restingKinds: ReadonlySet<string> = new Set(["stopped", "waited", "paused", "aborted", "finished"]);

const reconnectMs = 1_000;
const giveUpMs = 60_000;

export async function follow(session: Session, rollout: string): Promise<ExitCode> {
  const { terminal } = session;
  let after = 0;
  let silentSinceMs = terminal.clock.monotonicMs();
  while (!terminal.interrupted.aborted) {
    try {
      const rested = await session.call(async (client) => {
        for await (const { sequence, event } of client.watch(
          { rollout, afterSequence: after, follow: true },
          { signal: terminal.interrupted },
        )) {
          after = sequence;
          silentSinceMs = terminal.clock.monotonicMs();
          const told = read<RolloutEvent>(event, "event");
          tell(session, told);
          if (restingKinds.has(told.fact.kind)) {
            const view = await viewOf(session, rollout);
            if (view.phase !== "running" && view.phase !== "aborting" && view.lastSequence <= after)
              return view;
          }
        }
        return undefined;
      });
      if (rested !== undefined) return conclude(session, rested);
    } catch (error) {
      if (terminal.interrupted.aborted) break;
      const lost = error instanceof FailureError && /^(coordinator|store)\./.test(error.failure.code);
      if (!lost || terminal.clock.monotonicMs() - silentSinceMs > giveUpMs) throw error;
    }
    await terminal.clock.sleep(reconnectMs, terminal.interrupted).catch(() => undefined);
  }
  terminal.note(`detached; the rollout goes on. Again: lockkeeper watch ${rollout}`);
  return exitCodes.detached;
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
