/** Actions of which the engine only writes down that they are due. */
import type { Action } from "#coordinator/domain/rollout/action.ts";
import type { RolloutFact } from "#coordinator/domain/rollout/event.ts";

/** Undefined where something must come of it first, or where no small plan asks for it. */
export function factOf(action: Action): RolloutFact | undefined {
  switch (action.do) {
    case "start-stage":
      return { kind: "stage-started", stage: action.stage, attempt: action.attempt };
    case "snapshot":
      return { kind: "snapshot-taken", stage: action.stage, snapshot: "s", when: action.when };
    case "pass-phase":
      return { kind: "phase-passed", stage: action.stage, phase: action.phase };
    case "pass-stage":
      return { kind: "stage-passed", stage: action.stage };
    case "reopen-stage":
      return { kind: "stage-reopened", stage: action.stage, by: action.by, why: action.why };
    case "end-wait":
      return { kind: "wait-over", stage: action.stage };
    case "pause":
      return { kind: "paused", by: "lockkeeper", reason: action.reason };
    case "stop": {
      const { stage, node, hint } = action;
      return { kind: "stopped", stage, why: action.why, hint, ...(node === undefined ? {} : { node }) };
    }
    case "finish-abort":
      return { kind: "aborted" };
    case "finish":
      return { kind: "finished", notSeen: [] };
    case "rest":
    case "await-approval":
    case "look-before-grant":
    case "grant":
    case "announce":
    case "send":
    case "await-programs":
    case "ask-to-stop":
    case "undo":
    case "withdraw":
    case "free":
    case "take-gate":
    case "arm-watches":
    case "disarm-watches":
    case "keep-hold":
      return undefined;
  }
}
