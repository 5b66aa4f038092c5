/** Events, folded into state: one total function, no I/O, the same on every coordinator. */
import { failure } from "#proto/common/failure.ts";
import { isNotNow } from "../check.ts";
import type { RolloutEvent, RolloutFact } from "./event.ts";
import {
  gateKey,
  holdKey,
  type ProgramState,
  programKey,
  type RolloutState,
  type StageState,
  stageOfWire,
} from "./state.ts";

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

function freshStage(id: string, attempt: number): StageState {
  return {
    id,
    standing: "pending",
    attempt,
    gatesPassed: [],
    phasesPassed: [],
    programs: {},
    approved: false,
    snapshots: [],
    checked: false,
    withdrawals: 0,
    armed: [],
    fired: [],
    waitOver: false,
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
      return inStage(state, fact.stage, (stage) => ({ ...stage, gateWaits: fact.why }));
    case "gate-passed":
      return inStage(state, fact.stage, ({ gateWaits: _waited, ...stage }) => ({
        ...stage,
        gatesPassed: [...stage.gatesPassed, gateKey(fact.when, fact)],
      }));
    case "gate-failed":
      return inStage(state, fact.stage, ({ gateWaits: _waited, ...stage }) => stage);
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
      return stepTold(heard(state, fact.node, fact.agentSequence), fact);
    case "program-ended":
      return programEnded(heard(state, fact.node, fact.agentSequence), fact);
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
    case "wait-over":
      return inStage(withoutWaiting(state), fact.stage, (stage) => ({ ...stage, waitOver: true }));
    case "watch-answered":
      return watchAnswered(heard(state, fact.node, fact.agentSequence), fact);
    case "watch-fired":
      return watchFired(heard(state, fact.node, fact.agentSequence), fact);
    case "hold-made-permanent": {
      const told = heard(state, fact.node, fact.agentSequence);
      const answer = fact.madePermanent ? "permanent" : (fact.refusal ?? failure("hold.refused", {}));
      return { ...told, holds: { ...told.holds, [holdKey(fact)]: answer } };
    }
    case "drift-found":
    case "taken-over":
    case "lock-broken":
      return fact.kind === "lock-broken" && state.lock !== undefined
        ? withoutLock(state, state.lock.nonce)
        : state;
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
      return { ...rest, stages: rest.stages.map(anew), aborting: true };
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

function inStage(state: RolloutState, id: string, alter: (stage: StageState) => StageState): RolloutState {
  return { ...state, stages: state.stages.map((stage) => (stage.id === id ? alter(stage) : stage)) };
}

function withoutWaiting({ waiting: _waiting, ...state }: RolloutState): RolloutState {
  return state;
}

function withoutLock(state: RolloutState, nonce: string): RolloutState {
  if (state.lock?.nonce !== nonce) return state;
  const { lock: _lock, ...rest } = state;
  return rest;
}

/** Nothing was touched: the stage is tried again from its start, unless its program has told why not. */
function withdrawn(stage: StageState): StageState {
  const refused = Object.values(stage.programs).some(
    ({ outcome }) => outcome === "failed" || outcome === "unknown" || outcome === "stopped",
  );
  if (refused) return { ...stage, withdrawals: stage.withdrawals + 1 };
  const { id, attempt, approved, snapshots, withdrawals } = stage;
  return { ...freshStage(id, attempt), approved, snapshots, withdrawals: withdrawals + 1 };
}

/** For an abort: what was green or undone before it does not count. */
function anew(stage: StageState): StageState {
  const programs = Object.entries(stage.programs).map(([key, { undoAsked: _asked, ...program }]) => [
    key,
    program,
  ]);
  return { ...stage, gatesPassed: [], programs: Object.fromEntries(programs) };
}

/** A closed window may stay closed for hours: gates that were green before it are taken again after it. */
function waited(
  state: RolloutState,
  { stage, why }: Extract<RolloutFact, { kind: "waited" }>,
  at: string,
): RolloutState {
  const noted = { ...state, waiting: { why, since: at } };
  return isNotNow(why)
    ? inStage(noted, stage, (each) => ({
        ...each,
        gatesPassed: each.gatesPassed.filter((passed) => !passed.startsWith("before:")),
      }))
    : noted;
}

/** It works again, backwards: its next end counts. */
function undoAsked(state: RolloutState, fact: Extract<RolloutFact, { kind: "undo-asked" }>): RolloutState {
  return inProgram(state, fact.stage, fact, ({ outcome: _ended, failure: _why, ...program }) => ({
    ...program,
    standing: "entered",
    undoAsked: true,
  }));
}

function stageOfWatch(state: RolloutState, watch: string): string {
  const found = state.plan.stages.find(
    (stage) => stage.kind === "wait" && stage.watches.some(({ id }) => id === watch),
  );
  return found?.id ?? "";
}

function watchAnswered(
  state: RolloutState,
  { watch, armed }: Extract<RolloutFact, { kind: "watch-answered" }>,
): RolloutState {
  return inStage(state, stageOfWatch(state, watch), (stage) => {
    const others = stage.armed.filter((id) => id !== watch);
    return { ...stage, armed: armed ? [...others, watch] : others };
  });
}

/** A warning is news; a reaction, or a watch that is blind or was refused, is a reason to stop. */
function watchFired(state: RolloutState, fact: Extract<RolloutFact, { kind: "watch-fired" }>): RolloutState {
  const { watch, node, measured, reacted, failure: why } = fact;
  if (!reacted && why === undefined) return state;
  const fired = { watch, node, measured, reacted, ...(why === undefined ? {} : { failure: why }) };
  return inStage(state, stageOfWatch(state, watch), (stage) => ({
    ...stage,
    fired: [...stage.fired, fired],
  }));
}

function sent(state: RolloutState, fact: Extract<RolloutFact, { kind: "program-sent" }>): RolloutState {
  const wireStage = fact.phase === undefined ? fact.stage : `${fact.stage}/${fact.phase}`;
  const program: ProgramState = {
    node: fact.node,
    attempt: fact.attempt,
    wireStage,
    standing: "sent",
    steps: {},
  };
  return inStage(state, fact.stage, (stage) => ({
    ...stage,
    attempt: Math.max(stage.attempt, fact.attempt),
    programs: { ...stage.programs, [programKey(wireStage, fact.node)]: program },
  }));
}

function inProgram(
  state: RolloutState,
  wireStage: string,
  of: { readonly node: string; readonly attempt: number },
  alter: (program: ProgramState) => ProgramState,
): RolloutState {
  return inStage(state, stageOfWire(wireStage), (stage) => {
    const key = programKey(wireStage, of.node);
    const program = stage.programs[key];
    if (program === undefined || program.attempt !== of.attempt) return stage;
    return { ...stage, programs: { ...stage.programs, [key]: alter(program) } };
  });
}

/** Nobody enters before all have said yes, so that much is known too, should the log have forgotten it. */
function entered(state: RolloutState, stage: string, node: string): RolloutState {
  const { lock } = state;
  const held =
    lock === undefined || lock.entered.includes(node)
      ? state
      : { ...state, lock: { ...lock, announced: true, entered: [...lock.entered, node] } };
  return inStage(held, stageOfWire(stage), (each) => ({
    ...each,
    programs: Object.fromEntries(
      Object.entries(each.programs).map(([key, program]) => [
        key,
        program.node === node && program.standing === "sent"
          ? { ...program, standing: "entered" as const }
          : program,
      ]),
    ),
  }));
}

function heard(state: RolloutState, node: string, agentSequence: number): RolloutState {
  if (agentSequence <= (state.agentSequences[node] ?? 0)) return state;
  return { ...state, agentSequences: { ...state.agentSequences, [node]: agentSequence } };
}

function stepTold(state: RolloutState, fact: Extract<RolloutFact, { kind: "step" }>): RolloutState {
  return inProgram(state, fact.stage, fact, (program) => {
    const outputs = { ...program.steps[fact.step]?.outputs, ...fact.outputs };
    return {
      ...program,
      lastStep: fact.step,
      steps: { ...program.steps, [fact.step]: { phase: fact.phase, outputs } },
    };
  });
}

function programEnded(
  state: RolloutState,
  fact: Extract<RolloutFact, { kind: "program-ended" }>,
): RolloutState {
  const ended = inProgram(state, fact.stage, fact, (program) => ({
    ...program,
    standing: "ended",
    outcome: fact.outcome,
    ...(fact.step === "" ? {} : { lastStep: fact.step }),
    ...(fact.failure === undefined ? {} : { failure: fact.failure }),
  }));
  if (fact.outcome !== "never-begun" || (state.lock?.entered.length ?? 0) === 0) return ended;
  // others are in: it is asked again, not for ever
  return inStage(ended, stageOfWire(fact.stage), (stage) => ({
    ...stage,
    withdrawals: stage.withdrawals + 1,
  }));
}

function passed(state: RolloutState, id: string, at: string): RolloutState {
  const isNode = state.plan.stages.some((stage) => stage.id === id && stage.kind === "node");
  const counted = isNode ? { ...state, nodesSinceResume: state.nodesSinceResume + 1 } : state;
  return inStage(withoutWaiting(counted), id, (stage) => ({ ...stage, standing: "passed", endedAt: at }));
}

function resumed(state: RolloutState, words: RolloutState["words"]): RolloutState {
  const { stop, paused: _paused, ...rest } = withoutWaiting(state);
  const going: RolloutState = {
    ...rest,
    aborting: false,
    words: [...state.words, ...answering(stop, words)],
    nodesSinceResume: 0,
  };
  return stop === undefined ? going : again({ ...going, stop }, stop.stage, undefined);
}

/** A word that answers a stop is good for what it was told of: this node, this state id, this break. */
function answering(stop: RolloutState["stop"], words: RolloutState["words"]): RolloutState["words"] {
  return words.map((word) => (word.check === stop?.why.code ? { ...word, about: stop.why.facts } : word));
}

/**
 * The stage begins anew from what is true now: gates of the old attempt do not count. Programs that have done their
 * work under a lock that is still held, or was freed on proof, are not run again, unless on the node of a retry.
 */
function again(state: RolloutState, id: string, node: string | undefined): RolloutState {
  const { stop: _stop, paused: _paused, ...rest } = withoutWaiting(state);
  // the stage's programs make their holds anew; a refused one may stand by then
  const holds = Object.fromEntries(
    Object.entries(rest.holds).filter(([key, answer]) => answer === "permanent" && !key.startsWith(`${id}/`)),
  );
  const proven = rest.lock?.stage === id || rest.freed.some(({ stage }) => stage === id);
  const stands = proven && !hasLapsed(state, id);
  // a person's yes at the end of a wait was for what that wait had come to
  const waits = state.plan.stages.some((spec) => spec.id === id && spec.kind === "wait");
  return inStage({ ...rest, holds, aborting: false }, id, (stage) => ({
    ...freshStage(id, stage.attempt),
    approved: stage.approved && !waits,
    snapshots: stage.snapshots,
    ...(stands ? { phasesPassed: stage.phasesPassed, programs: doneIn(stage, node) } : {}),
  }));
}

/** A hold is down: what was done behind it must be done again from the start. */
function hasLapsed(state: RolloutState, id: string): boolean {
  const refused = Object.entries(state.holds).some(
    ([key, answer]) => answer !== "permanent" && key.startsWith(`${id}/`),
  );
  const programs = state.stages
    .filter((stage) => stage.id === id)
    .flatMap((stage) => Object.values(stage.programs));
  const undone = programs.some(({ steps }) => Object.values(steps).some(({ phase }) => phase === "undone"));
  return refused || undone;
}

function doneIn({ programs, phasesPassed }: StageState, node: string | undefined): StageState["programs"] {
  const isOver = ({ wireStage }: ProgramState) =>
    phasesPassed.some((phase) => wireStage.endsWith(`/${phase}`));
  return Object.fromEntries(
    Object.entries(programs).filter(
      ([, program]) => isOver(program) || (program.outcome === "done" && program.node !== node),
    ),
  );
}

function skipped(state: RolloutState, node: string, at: string): RolloutState {
  const stage = state.plan.stages.find((each) => each.kind === "node" && each.node === node);
  const { stop } = state;
  // a stop of another node stands
  const going =
    stop !== undefined && (stop.stage === stage?.id || stop.node === node)
      ? again(state, stop.stage, undefined)
      : state;
  const noted = { ...going, skipped: [...state.skipped, node] };
  return stage === undefined
    ? noted
    : inStage(noted, stage.id, (each) => ({ ...each, standing: "skipped", endedAt: at }));
}
