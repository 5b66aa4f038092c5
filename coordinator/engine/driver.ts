/**
 * Drives one rollout: decide, perform, append, again. All it knows is in its journal and in what the agents
 * say; it may be killed between any two lines and the next driver goes on from the same place.
 */

import type { Action } from "../domain/rollout/action.ts";
import { decide } from "../domain/rollout/decide.ts";
import { notSeenIn } from "../domain/rollout/not-seen.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import type { Inbox } from "./agents/inbox.ts";
import { askToStop, askToUndo, awaitPrograms, send } from "./agents/programs.ts";
import type { RolloutJournal } from "./journal.ts";
import { announce, free, grant, withdraw } from "./lock/granting.ts";
import { recover } from "./lock/recovering.ts";
import { type DriverMeans, forEverMs, RolloutDesk } from "./rollout-desk.ts";
import { lookBeforeGrant, snapshot, startStage, takeStageGate } from "./stage-deeds.ts";
import { armWatches, awaitApproval, disarmWatches, keepHold } from "./waiting.ts";

export class RolloutDriver {
  readonly #desk: RolloutDesk;

  constructor(journal: RolloutJournal, means: DriverMeans, stopped: AbortSignal) {
    this.#desk = new RolloutDesk(journal, means, stopped);
  }

  get inbox(): Inbox {
    return this.#desk.inbox;
  }

  get state(): RolloutState {
    return this.#desk.state;
  }

  /** Runs until the rollout has ended or the signal aborts. Throws when the store is gone or another writes. */
  async run(): Promise<void> {
    const desk = this.#desk;
    while (!desk.stopped.aborted) {
      if (desk.inbox.waiting) {
        await desk.takeMail(0);
        continue;
      }
      const action = decide(desk.state);
      if (action.do === "rest") {
        // also the driver that finds a log at its end: the one that wrote it may have died before this
        if (desk.state.end !== undefined) return desk.means.ended(desk.state);
        await desk.takeMail(forEverMs);
      } else if (desk.recovered) await perform(desk, action);
      // what it finds may change what comes next
      else await recover(desk);
    }
  }
}

async function perform(desk: RolloutDesk, action: Exclude<Action, { do: "rest" }>): Promise<void> {
  switch (action.do) {
    case "start-stage":
      return startStage(desk, action.stage, action.attempt);
    case "snapshot":
      return snapshot(desk, action.stage, action.when);
    case "take-gate":
      return takeStageGate(desk, action);
    case "look-before-grant":
      return lookBeforeGrant(desk, action.stage);
    case "grant":
      return grant(desk, action);
    case "announce":
      return announce(desk, action.stage);
    case "send":
      return send(desk, action);
    case "await-programs":
      return awaitPrograms(desk, action.stage, action.nodes);
    case "ask-to-stop":
      return askToStop(desk, action.stage, action.nodes);
    case "undo":
      return askToUndo(desk, action);
    case "withdraw":
      return withdraw(desk, action.lock, action.why);
    case "free":
      return free(desk, action.lock);
    case "pass-phase":
      return desk.append({ kind: "phase-passed", stage: action.stage, phase: action.phase });
    case "pass-stage":
      return desk.appendWithNext({ kind: "stage-passed", stage: action.stage });
    case "await-approval":
      return awaitApproval(desk, action);
    case "arm-watches":
      return armWatches(desk, action);
    case "disarm-watches":
      return disarmWatches(desk, action);
    case "reopen-stage": {
      const { stage, by, why } = action;
      return desk.append({ kind: "stage-reopened", stage, by, why });
    }
    case "end-wait":
      return desk.append({ kind: "wait-over", stage: action.stage });
    case "keep-hold":
      return keepHold(desk, action);
    case "pause":
      return desk.append({ kind: "paused", by: "lockkeeper", reason: action.reason });
    case "stop":
      return desk.stop(action.stage, action.why, action.hint, action.node);
    case "finish-abort":
      return desk.append({ kind: "aborted" });
    case "finish":
      return desk.append({ kind: "finished", notSeen: notSeenIn(desk.state) });
  }
}
