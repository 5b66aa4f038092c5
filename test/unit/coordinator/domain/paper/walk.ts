/** Walks a plan to its end by the real rules, everything going well: what is decided, in order. */

import type { Plan } from "#coordinator/domain/plan.ts";
import type { Action } from "#coordinator/domain/rollout/action.ts";
import { decide } from "#coordinator/domain/rollout/decide.ts";
import { eventFormat, type RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { notSeenIn } from "#coordinator/domain/rollout/not-seen.ts";
import { reduce } from "#coordinator/domain/rollout/reduce.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";

type Done = Exclude<
  Action,
  { do: "rest" | "stop" | "withdraw" | "ask-to-stop" | "undo" | "pause" | "finish-abort" }
>;

export interface Walk {
  readonly state: RolloutState;
  readonly actions: readonly Action[];
}

const maxMoves = 1_000;

/** With what a person orders at its beginning. */
export function walk(plan: Plan, ordered: readonly RolloutFact[] = []): Walk {
  const options = { approveEach: false };
  let state = next(undefined, { kind: "rollout-started", plan, by: "test", options, words: [] });
  for (const fact of ordered) state = next(state, fact);
  const actions: Action[] = [];
  while (state.end === undefined && actions.length < maxMoves) {
    const action = decide(state);
    actions.push(action);
    for (const fact of wentWell(action as Done, state)) state = next(state, fact);
  }
  return { state, actions };
}

function next(state: RolloutState | undefined, fact: RolloutFact): RolloutState {
  const at = "2026-01-31T22:00:00.000Z";
  return reduce(state, {
    format: eventFormat,
    rollout: "r1",
    sequence: (state?.sequence ?? 0) + 1,
    at,
    fact,
  });
}

function wentWell(action: Done, state: RolloutState): readonly RolloutFact[] {
  switch (action.do) {
    case "start-stage":
      return [{ kind: "stage-started", stage: action.stage, attempt: action.attempt }];
    case "snapshot":
      return [{ kind: "snapshot-taken", stage: action.stage, snapshot: "s", when: action.when }];
    case "take-gate":
      return [gatePassed(action)];
    case "look-before-grant":
      return [{ kind: "checks-judged", stage: action.stage, blocking: [] }];
    case "grant": {
      const { stage, clusters, nodes, scope } = action;
      const epochs = Object.fromEntries(clusters.map((cluster) => [cluster, state.freed.length + 1]));
      return [{ kind: "granted", stage, clusters, nodes, scope, epochs, nonce: `n${state.sequence}` }];
    }
    case "announce":
      return [{ kind: "announced", stage: action.stage, nonce: state.lock?.nonce ?? "" }];
    case "send":
      return sent(action);
    case "free":
      return [{ kind: "freed", stage: action.stage, nonce: action.lock.nonce }];
    case "pass-phase":
      return [{ kind: "phase-passed", stage: action.stage, phase: action.phase }];
    case "pass-stage":
      return [{ kind: "stage-passed", stage: action.stage }];
    case "await-approval":
      return [{ kind: "approved", stage: action.stage, by: "test", reason: "" }];
    case "arm-watches":
    case "disarm-watches":
      return action.watches.map(({ id: watch, node }) => {
        return { kind: "watch-answered", watch, node, agentSequence: 0, armed: action.do === "arm-watches" };
      });
    case "reopen-stage":
      return [{ kind: "stage-reopened", stage: action.stage, by: action.by, why: action.why }];
    case "end-wait":
      return [{ kind: "wait-over", stage: action.stage }];
    case "keep-hold":
      return [{ kind: "hold-made-permanent", ...action.hold, agentSequence: 0, madePermanent: true }];
    case "finish":
      return [{ kind: "finished", notSeen: notSeenIn(state) }];
    case "await-programs":
      throw new Error("a program that has ended is not awaited");
  }
}

function gatePassed({ stage, gate, when }: Extract<Action, { do: "take-gate" }>): RolloutFact {
  const { gate: name, cluster, dwellMs } = gate;
  return { kind: "gate-passed", stage, gate: name, cluster, when, dwellMs, lastSampleAt: "" };
}

function sent({
  stage,
  phase,
  programs,
  attempt,
  lock,
}: Extract<Action, { do: "send" }>): readonly RolloutFact[] {
  const wireStage = phase === undefined ? stage : `${stage}/${phase}`;
  return programs.flatMap(({ node, cluster, steps }): readonly RolloutFact[] => {
    const epoch = lock?.epochs[cluster] ?? 0;
    const step = steps.at(-1)?.id ?? "";
    return [
      { kind: "program-sent", stage, node, attempt, epoch, ...(phase === undefined ? {} : { phase }) },
      ...(lock === undefined ? [] : [{ kind: "entered" as const, stage: wireStage, node, epoch }]),
      {
        kind: "program-ended",
        stage: wireStage,
        node,
        attempt,
        agentSequence: 0,
        epoch,
        outcome: "done",
        step,
      },
    ];
  });
}
