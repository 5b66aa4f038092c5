/** Events, folded into state: one total function, no I/O, the same on every coordinator. */
import type { RolloutEvent, RolloutFact } from "./event.ts";
import {
  gateKey,
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
    case "drift-found":
    case "watch-fired":
    case "hold-made-permanent":
    case "taken-over":
    case "lock-broken":
      return fact.kind === "lock-broken" && state.lock !== undefined
        ? withoutLock(state, state.lock.nonce)
        : state;
    case "waited":
      return { ...state, waiting: { why: fact.why, since: at } };
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
      return { ...rest, aborting: true };
    }
    case "aborted":
      return { ...withoutWaiting(state), end: "aborted" };
    case "approved":
      return inStage(withoutWaiting(state), fact.stage, (stage) => ({ ...stage, approved: true }));
    case "retried":
      return retried({ ...state, words: [...state.words, ...answering(state.stop, fact.words)] }, fact.stage);
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
  return inProgram(state, fact.stage, fact, (program) => ({
    ...program,
    standing: "ended",
    outcome: fact.outcome,
    ...(fact.step === "" ? {} : { lastStep: fact.step }),
    ...(fact.failure === undefined ? {} : { failure: fact.failure }),
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
    words: [...state.words, ...answering(stop, words)],
    nodesSinceResume: 0,
  };
  return stop === undefined ? going : retried({ ...going, stop }, stop.stage);
}

/** A word that answers a stop is good for what it was told of: this node, this state id, this break. */
function answering(stop: RolloutState["stop"], words: RolloutState["words"]): RolloutState["words"] {
  return words.map((word) => (word.check === stop?.why.code ? { ...word, about: stop.why.facts } : word));
}

/** The stage begins anew from what is true now: gates and programs of the old attempt do not count. */
function retried(state: RolloutState, id: string): RolloutState {
  const { stop: _stop, paused: _paused, ...rest } = withoutWaiting(state);
  return inStage(rest, id, (stage) => ({
    ...freshStage(id, stage.attempt),
    approved: stage.approved,
    snapshots: stage.snapshots,
  }));
}

function skipped(state: RolloutState, node: string, at: string): RolloutState {
  const { stop: _stop, ...rest } = state;
  const stage = state.plan.stages.find((each) => each.kind === "node" && each.node === node);
  const noted = { ...rest, skipped: [...state.skipped, node] };
  return stage === undefined
    ? noted
    : inStage(noted, stage.id, (each) => ({ ...each, standing: "skipped", endedAt: at }));
}
