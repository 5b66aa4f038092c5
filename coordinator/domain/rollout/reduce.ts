/** Events, folded into state: one total function, no I/O, the same on every coordinator. */
import { failure } from "#proto/common/failure.ts";
import { freshStage, inStage, withoutLock, withoutWaiting } from "./alter.ts";
import type { RolloutEvent, RolloutFact } from "./event.ts";
import { lockBroken } from "./reduce-break.ts";
import { gateTold } from "./reduce-gates.ts";
import { again, anew, answering, passed, resumed, skipped, waited, withdrawn } from "./reduce-orders.ts";
import { entered, heard, programEnded, sent, stepTold, undoAsked } from "./reduce-programs.ts";
import { watchAnswered, watchFired } from "./reduce-watches.ts";
import { reopened } from "./reopening.ts";
import { holdKey, type RolloutState } from "./state.ts";

/** The state after all events; undefined for none. Throws on a log that does not begin with its start. */
export function fold(events: readonly RolloutEvent[]): RolloutState | undefined {
  let state: RolloutState | undefined;
  for (const event of events) state = reduce(state, event);
  return state;
}

export function reduce(state: RolloutState | undefined, event: RolloutEvent): RolloutState {
  if (event.fact.kind === "rollout-started") return begin(event, event.fact);
  if (state === undefined) throw new Error(`rollout ${event.rollout} does not begin with its start`);
  return { ...change(state, event.fact, event.at), sequence: event.sequence };
}

function begin(event: RolloutEvent, fact: Extract<RolloutFact, { kind: "rollout-started" }>): RolloutState {
  return {
    id: event.rollout,
    plan: fact.plan,
    by: fact.by,
    startedAt: event.at,
    options: fact.options,
    sequence: event.sequence,
    words: fact.words,
    stages: fact.plan.stages.map(({ id }) => freshStage(id, 0)),
    aborting: false,
    agentSequences: {},
    skipped: [],
    nodesSinceResume: 0,
    snapshots: [],
    notSeen: [],
    holds: {},
    freed: [],
  };
}

function change(
  state: RolloutState,
  fact: Exclude<RolloutFact, { kind: "rollout-started" }>,
  at: string,
): RolloutState {
  switch (fact.kind) {
    case "stage-started":
      return inStage(withoutWaiting(state), fact.stage, (stage) => ({
        ...stage,
        standing: "started",
        attempt: fact.attempt,
        startedAt: stage.startedAt ?? at,
      }));
    case "gate-waited":
    case "gate-passed":
    case "gate-failed":
      return gateTold(state, fact, at);
    case "granted": {
      const { stage, nonce, epochs, nodes, scope } = fact;
      return {
        ...withoutWaiting(state),
        lock: { stage, nonce, epochs, nodes, scope, announced: false, entered: [] },
      };
    }
    case "announced":
      return state.lock?.nonce === fact.nonce
        ? { ...state, lock: { ...state.lock, announced: true } }
        : state;
    case "withdrawn":
      return inStage(withoutLock(state, fact.nonce), fact.stage, withdrawn);
    case "program-sent":
      return sent(state, fact);
    case "program-refused":
      return state;
    case "entered":
      return entered(state, fact.stage, fact.node);
    case "step":
      return stepTold(heard(state, fact), fact, at);
    case "program-ended":
      return programEnded(heard(state, fact), fact);
    case "phase-passed":
      return inStage(state, fact.stage, (stage) => ({
        ...stage,
        phasesPassed: [...stage.phasesPassed, fact.phase],
        // the next phase takes its own gates, of whatever name
        gatesPassed: stage.gatesPassed.filter((gate) => !gate.startsWith("after:")),
      }));
    case "freed": {
      const { lock } = state;
      const freed =
        lock === undefined
          ? state.freed
          : [...state.freed, { stage: lock.stage, nonce: lock.nonce, epochs: lock.epochs }];
      return { ...withoutLock(state, fact.nonce), freed };
    }
    case "stage-passed":
      return passed(state, fact.stage, at);
    case "snapshot-taken":
      return inStage(
        {
          ...state,
          snapshots: [...state.snapshots, { when: fact.when, stage: fact.stage, id: fact.snapshot }],
        },
        fact.stage,
        (stage) => ({
          ...stage,
          snapshots: [...stage.snapshots, fact.when],
        }),
      );
    case "checks-judged":
      return inStage(state, fact.stage, (stage) => ({ ...stage, checked: fact.blocking.length === 0 }));
    case "undo-asked":
      return undoAsked(state, fact);
    case "stage-reopened":
      return reopened(state, fact);
    case "wait-over":
      return inStage(withoutWaiting(state), fact.stage, (stage) => ({ ...stage, waitOver: true }));
    case "watch-answered":
      return watchAnswered(heard(state, fact), fact);
    case "watch-fired":
      return watchFired(heard(state, fact), fact);
    case "hold-made-permanent": {
      const told = heard(state, fact);
      const answer = fact.madePermanent ? "permanent" : (fact.refusal ?? failure("hold.refused", {}));
      return { ...told, holds: { ...told.holds, [holdKey(fact)]: answer } };
    }
    case "drift-found":
    case "taken-over":
      return state;
    case "lock-broken":
      return lockBroken(state, fact, at);
    case "waited":
      return waited(state, fact, at);
    case "stopped": {
      const { stage, why, hint, node } = fact;
      const noted = {
        ...withoutWaiting(state),
        stop: { stage, why, hint, at, ...(node === undefined ? {} : { node }) },
      };
      return inStage(noted, stage, (each) => ({ ...each, standing: "failed", endedAt: at }));
    }
    case "paused":
      return { ...withoutWaiting(state), paused: { by: fact.by, reason: fact.reason, at } };
    case "resumed":
      return resumed(state, fact.words);
    case "abort-asked": {
      const { stop: _stop, paused: _paused, ...rest } = withoutWaiting(state);
      const { leftTo, gone } = fact;
      const left = { ...(leftTo === undefined ? {} : { leftTo }), ...(gone === undefined ? {} : { gone }) };
      const given = state.stop?.hint === "hint.left-standing" ? { givenUp: true as const } : {};
      const isSilent = state.givenUp === true && state.stop?.why.code === "node.silent";
      const alone = isSilent ? { unguarded: true as const } : {};
      return { ...rest, stages: rest.stages.map(anew), aborting: true, ...left, ...given, ...alone };
    }
    case "aborted":
      return { ...withoutWaiting(state), end: "aborted" };
    case "approved":
      return inStage(withoutWaiting(state), fact.stage, (stage) => ({ ...stage, approved: true }));
    case "retried": {
      const words = [...state.words, ...answering(state.stop, fact.words)];
      return again({ ...state, words }, fact.stage, fact.node);
    }
    case "skipped":
      return skipped(state, fact.node, at);
    case "finished":
      return { ...withoutWaiting(state), end: "done", notSeen: fact.notSeen };
  }
}
